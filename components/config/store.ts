import { z } from "zod";
import { cidrs, dnsLabel, storage, strings, text } from "./values";

/** What is said of an S3-compatible store, whatever is kept there. */
export const storeShape = {
  bucket: text(
    "a bucket's name: 3 to 63 lower-case letters, digits, dots and hyphens",
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
  ),
  /** Folder in the bucket. */
  prefix: text(
    'a path without slashes at its ends, such as "inventory/production"',
    /^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)*$/,
    200,
  ).optional(),
  region: text('a region such as "eu-central-1"', /^[a-z0-9]+(-[a-z0-9]+)*$/, 63),
  /** Address of a store that is not Amazon's. */
  endpoint: text(
    'an address such as "https://s3.example.com", without a path',
    /^https?:\/\/[a-z0-9.-]*[a-z0-9](:\d{1,5})?$/,
  ).optional(),
  /** Secret in the application's namespace with access_key_id and secret_access_key. */
  existingSecret: dnsLabel().optional(),
  /** Annotations of the Pods' own account, by which a cloud knows it where there is no `existingSecret`. */
  accountAnnotations: strings("an object of strings").optional(),
  /** Where the store is, and what gives out identities; nothing else may be reached. */
  cidrs: cidrs(),
  /** Room for what is on its way. */
  temporaryStorage: storage().default("5Gi"),
};

export type StoreSettings = z.infer<z.ZodObject<typeof storeShape>>;

/** A Pod shows who it is in one way. */
export const oneIdentity = [
  ({ existingSecret, accountAnnotations }: Pick<StoreSettings, "existingSecret" | "accountAnnotations">) =>
    existingSecret === undefined || accountAnnotations === undefined,
  { error: "existingSecret or accountAnnotations, not both", path: ["accountAnnotations"] },
] as const satisfies readonly [unknown, { error: string; path: string[] }];
