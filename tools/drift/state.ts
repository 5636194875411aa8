import { z } from "zod";
import { UserError } from "../engine/report";
import { toObject } from "../plugins/kubernetes/checkpoint";
import { parsePath } from "../plugins/kubernetes/diff";
import { isPatch, parseType } from "../plugins/kubernetes/kinds";
import { normalizeInputs } from "../plugins/kubernetes/normalize";
import {
  apiVersionOf,
  kindOf,
  omit,
  parseId,
  text,
  withField,
  type KubeObject,
} from "../plugins/kubernetes/object";
import { isPropertyMap, mapValues, type PropertyMap, type PropertyValue } from "../plugins/rpc/values";
import type { Path } from "./managedFields";

const resource = z.looseObject({
  urn: z.string(),
  type: z.string(),
  id: z.string().optional(),
  custom: z.boolean().optional(),
  delete: z.boolean().optional(),
  pendingReplacement: z.boolean().optional(),
  ignoreChanges: z.array(z.string()).nullish(),
  propertyDependencies: z.record(z.string(), z.array(z.string()).nullish()).nullish(),
  provider: z.string().nullish(),
  inputs: z.record(z.string(), z.unknown()).nullish(),
  outputs: z.record(z.string(), z.unknown()).nullish(),
});
const exported = z.looseObject({
  deployment: z.looseObject({
    resources: z.array(resource).nullish(),
    pending_operations: z.array(z.looseObject({ type: z.string(), resource })).nullish(),
  }),
});
type Resource = z.infer<typeof resource>;

/** An object of the cluster that the stack says something about. */
export interface StackObject {
  readonly urn: string;
  /** What the stack says, as the API server would give it back; with kind, name and namespace. */
  readonly wanted: KubeObject;
  /** The object as the last update left it. */
  readonly last: KubeObject;
  /** Whether the stack applies an object that may be there already, instead of making one. */
  readonly patches: boolean;
  /** What the program leaves to others. */
  readonly ignored: readonly Path[];
  /** Places whose values are secret. */
  readonly secret: readonly Path[];
}

/** What an interrupted command left in the state. */
export interface Pending {
  readonly urn: string;
  readonly type: string;
  /** Such as `creating`. */
  readonly operation: string;
}

/** What a resource refers to, whether it is in a cluster or not. */
export interface References {
  /** URNs of resources that values of it come from, such as the name of a ConfigMap. */
  readonly values: readonly string[];
  /** URN of its provider. */
  readonly provider?: string;
}

/** A stack's state, as far as it is about a cluster. */
export interface StackState {
  readonly objects: readonly StackObject[];
  /** Of every resource, by its URN. */
  readonly references: ReadonlyMap<string, References>;
  readonly pending: readonly Pending[];
  /** Resources that no cluster has, by package, such as `github`. */
  readonly others: ReadonlyMap<string, number>;
}

/**
 * Reads what `pulumi stack export --show-secrets` prints. The values of secrets are needed to compare them;
 * they are in memory alone.
 * @throws UserError when it is no exported state
 */
export function readState(exportedText: string): StackState {
  let parsed: z.infer<typeof exported>;
  try {
    parsed = exported.parse(JSON.parse(exportedText));
  } catch {
    throw new UserError("What `pulumi stack export` printed cannot be read as a state.");
  }
  const { resources, pending_operations: operations } = parsed.deployment;
  const custom = (resources ?? []).filter(
    ({ custom: is, type }) => is === true && !type.startsWith("pulumi:"),
  );
  const others = new Map<string, number>();
  const objects: StackObject[] = [];
  const pending: Pending[] = (operations ?? []).map(({ type, resource: { urn, type: of } }) => ({
    urn,
    type: of,
    operation: type,
  }));
  for (const entry of custom) {
    const { urn, type } = entry;
    const [provider = ""] = type.split(":", 1);
    if (entry.delete || entry.pendingReplacement) pending.push({ urn, type, operation: "deleting" });
    else if (provider !== "kubernetes" || !isObject(entry))
      others.set(provider, (others.get(provider) ?? 0) + 1);
    else objects.push(toStackObject(entry));
  }
  const references = new Map(custom.map((entry) => [entry.urn, referencesOf(entry)]));
  return { objects, references, pending, others };
}

function referencesOf({ propertyDependencies, provider }: Resource): References {
  return {
    values: Object.values(propertyDependencies ?? {}).flatMap((urns) => urns ?? []),
    // Its ID follows its URN.
    provider: provider?.replace(/::[^:]*$/, ""),
  };
}

/** Not, for example, a Helm release. */
function isObject({ type, inputs, outputs }: Resource): boolean {
  return (
    !/^kubernetes:(helm\.sh|kustomize|yaml)\//.test(type) &&
    isPropertyMapOf(inputs) &&
    isPropertyMapOf(outputs)
  );
}

function isPropertyMapOf(value: unknown): value is PropertyMap {
  return isPropertyMap(value as PropertyValue);
}

function toStackObject({ urn, type, id = "", inputs, outputs, ignoreChanges }: Resource): StackObject {
  const secret: Path[] = [];
  const said = toObject(plain(inputs as PropertyMap, [], secret) as PropertyMap);
  const last = toObject(omit(plain(outputs as PropertyMap, [], secret) as PropertyMap, "__inputs"));
  const token = parseType(type);
  const { name, namespace } = parseId(id);
  const identity: [string[], string][] = [
    [["apiVersion"], apiVersionOf(said) || apiVersionOf(last) || token.apiVersion],
    [["kind"], kindOf(said) || kindOf(last) || token.kind.replace(/Patch$/, "")],
    [["metadata", "name"], text(last, "metadata", "name") || name],
    [["metadata", "namespace"], text(last, "metadata", "namespace") || namespace],
  ];
  const wanted = identity.reduce(
    (object, [path, value]) => withField(object, path, value || undefined),
    normalizeInputs(said),
  );
  return {
    urn,
    wanted,
    last,
    patches: isPatch(type, kindOf(wanted)),
    ignored: (ignoreChanges ?? []).map(parsePath),
    secret,
  };
}

const secretMark = "4dabf18193072939515e22adb298388d";
const secretValue = "1b47061264138c4ac30d75fd1eb44270";

/** The same value without the wrapping of secrets; where they were is noted. */
function plain(value: PropertyValue, path: Path, secret: Path[]): PropertyValue {
  if (Array.isArray(value)) return value.map((element, index) => plain(element, [...path, index], secret));
  if (!isPropertyMap(value)) return value;
  if (value[secretMark] !== secretValue)
    return mapValues(value, (element, key) => plain(element, [...path, key], secret));
  secret.push(path);
  if (typeof value.plaintext !== "string")
    throw new UserError(
      "The state's secrets are not readable: give the passphrase or sign in to its provider.",
    );
  return plain(JSON.parse(value.plaintext) as PropertyValue, path, secret);
}
