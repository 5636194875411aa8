import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** Where the lock lies, relative to the checkout. */
export const manifestLockPath = "components/manifests.lock.json";

/** Where verified files are kept, relative to the checkout; git-ignored. */
export const manifestCachePath = ".manifests";

const relativePath = z
  .string()
  .regex(
    /^[A-Za-z0-9_@-][A-Za-z0-9._@-]*(\/[A-Za-z0-9_@-][A-Za-z0-9._@-]*)*$/,
    "a relative path without dots in front of a part",
  );

const manifestEntrySchema = z.strictObject({
  /** Name by which the program asks for the files; unique in the lock. */
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
  /** Go module that holds the same files, the source where `url` cannot be reached. */
  module: z.string().min(1),
  /** Upstream's release without the leading `v`, such as `1.4.0`. */
  version: z.string().regex(/^\d+\.\d+\.\d+([-+.][0-9A-Za-z.-]+)?$/),
  /** Address of one file of the release; `{version}` and `{path}` are filled in. */
  url: z.url({ protocol: /^https$/ }).refine((url) => url.includes("{version}") && url.includes("{path}"), {
    message: "needs {version} and {path}",
  }),
  /** Every file that is used, with its SHA-256 in lower-case hex. */
  files: z.array(z.strictObject({ path: relativePath, sha256: z.string().regex(/^[0-9a-f]{64}$/) })).min(1),
});

/** The lock: one entry per upstream release that the platform takes objects from. */
export const manifestLockSchema = z
  .array(manifestEntrySchema)
  .refine((entries) => new Set(entries.map((entry) => entry.name)).size === entries.length, {
    message: "two entries have the same name",
  });

export type ManifestEntry = z.infer<typeof manifestEntrySchema>;

/**
 * Reads the lock of a checkout.
 * @throws Error naming the file and every field that is wrong.
 */
export function loadManifestLock(root: string): ManifestEntry[] {
  const path = join(root, manifestLockPath);
  const parsed = manifestLockSchema.safeParse(JSON.parse(readFileSync(path, "utf8")));
  if (!parsed.success)
    throw new Error(`${manifestLockPath} is not a manifest lock:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** Absolute path of one file in the cache, whether it is there or not. */
export function manifestFile(root: string, entry: ManifestEntry, path: string): string {
  return join(root, manifestCachePath, `${entry.name}@${entry.version}`, path);
}
