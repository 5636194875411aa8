import { z } from "zod";
import { field, listOf, mapOf, section } from "./field";
import { isQuantity, quantityValue } from "./quantity";

export const wholeNumber = (min: number, max: number) =>
  field(`a whole number from ${min} to ${max}`, z.int().min(min).max(max));

export const flag = () => field("true or false", z.boolean());

export const word = <const T extends readonly [string, ...string[]]>(...words: T) =>
  field(words.map((each) => JSON.stringify(each)).join(" or "), z.enum(words));

export const text = (takes: string, pattern: RegExp, maxLength = 253) =>
  field(takes, z.string().max(maxLength).regex(pattern));

/** What Kubernetes takes as the name of a namespace, a Service or a Secret. */
export const dnsLabel = () =>
  text(
    "1 to 63 lower-case letters, digits and hyphens, starting with a letter",
    /^[a-z]([a-z0-9-]*[a-z0-9])?$/,
    63,
  );

export const hostName = () =>
  text(
    'a DNS name in lower case such as "inventory.example.com"',
    /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  );

export const digest = () => text('"sha256:" and 64 lower-case hex digits', /^sha256:[0-9a-f]{64}$/);

export const nodePort = () => wholeNumber(30000, 32767);

const cidrPattern = /^(\d{1,3}\.){3}\d{1,3}\/\d{1,2}$|^[0-9a-f:]+\/\d{1,3}$/i;

/** An address range; IPv4's numbers are checked, IPv6's only by shape. */
export const cidr = () =>
  field(
    'an address range such as "10.0.0.0/8"',
    z
      .string()
      .regex(cidrPattern)
      .refine((range) => {
        const [address = "", bits = ""] = range.split("/");
        if (address.includes(":")) return Number(bits) <= 128;
        return address.split(".").every((part) => Number(part) <= 255) && Number(bits) <= 32;
      }),
  );

const rangeList = 'a list of address ranges such as ["10.0.0.0/8"], not empty';
export const cidrs = () => listOf(rangeList, cidr()).min(1, { error: rangeList });

const quantity = (takes: string, accepts: (value: number) => boolean) =>
  field(
    takes,
    z.string().refine((value) => isQuantity(value) && accepts(quantityValue(value))),
  );

/** CPU; a bare number in YAML would be ambiguous, so strings only. */
export const cpu = (most = 64) =>
  quantity(
    `a CPU quantity in quotes, from "1m" to "${most}", such as "250m"`,
    (cores) => cores >= 0.001 && cores <= most,
  );

export const memory = () =>
  quantity(
    'a memory quantity in quotes, from "1Mi" to "1Ti", such as "256Mi"',
    (bytes) => bytes >= 2 ** 20 && bytes <= 2 ** 40,
  );

export const storage = () =>
  quantity(
    'a storage quantity in quotes, from "1Mi" to "64Ti", such as "5Gi"',
    (bytes) => bytes >= 2 ** 20 && bytes <= 64 * 2 ** 40,
  );

/** Requests and limits of one container; the limits may not be below the requests. */
export const resources = () =>
  section({
    requests: section({ cpu: cpu(), memory: memory() }),
    limits: section({ cpu: cpu(), memory: memory() }),
  }).superRefine(({ requests, limits }, context) => {
    for (const name of ["cpu", "memory"] as const) {
      if (quantityValue(limits[name]) < quantityValue(requests[name])) {
        context.addIssue({
          code: "custom",
          path: ["limits", name],
          message: `at least requests.${name}, which is "${requests[name]}"`,
        });
      }
    }
  });

export type Resources = z.infer<ReturnType<typeof resources>>;

/** How Pods are kept apart, where one is not enough. */
export const spread = () =>
  section({
    /** Whether two Pods may share a node when there is no other. */
    nodes: word("preferred", "required").default("preferred"),
    /** Whether Pods are spread over zones, and whether a zone may be short of one. */
    zones: word("none", "preferred", "required").default("none"),
  });

export type Spread = z.infer<ReturnType<typeof spread>>;

/** Strings by keys of the stack's own choice. */
export const strings = (takes: string, key = /^.+$/) => mapOf(takes, key, field("a string", z.string()));
