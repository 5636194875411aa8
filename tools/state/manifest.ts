import { z } from "zod";

/** The newest form of archives; every older one stays readable. */
export const formatVersion = 1;

/** What an archive says of itself, in its first file. */
export const manifestSchema = z.strictObject({
  format: z.literal("technova-state"),
  version: z.number().int().positive(),
  /** When it was made, as `2026-11-25T08:00:00.000Z`. */
  created: z.iso.datetime(),
  project: z.string().regex(/^[\w.-]+$/),
  stack: z.string().regex(/^[\w.-]+$/),
  /** What kind of backend it was taken from. */
  backend: z.enum(["file", "s3", "cloud"]),
  /** Versions of what made it, and of the CLI that has written the state last. */
  versions: z.strictObject({ platform: z.string(), node: z.string(), pulumi: z.string().optional() }),
  /** How the secrets are encrypted: what the state itself says of it, which opens nothing. */
  secretsProvider: z
    .strictObject({ type: z.string(), state: z.record(z.string(), z.unknown()).optional() })
    .optional(),
  resources: z.number().int().nonnegative(),
  updates: z.number().int().nonnegative(),
  parts: z.array(
    z.strictObject({
      name: z.string(),
      bytes: z.number().int().nonnegative(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});
export type Manifest = z.infer<typeof manifestSchema>;

export const manifestName = "manifest.json";

/** Folder of what is copied from below `.pulumi` of a backend that keeps files. */
export const backendFolder = "backend/";
/** What a Pulumi Cloud answers. */
export const cloudState = "cloud/export.json";
export const cloudHistory = "cloud/history.json";
export const settingsPart = (stack: string): string => `settings/Pulumi.${stack}.yaml`;

/** Whether a part may be in an archive of the stack: nothing else is ever read or written. */
export function mayContain({ project, stack, backend }: Manifest, name: string): boolean {
  if (name === settingsPart(stack)) return true;
  if (backend === "cloud") return name === cloudState || name === cloudHistory;
  const end = "(\\.gz|\\.zst)?";
  const [p, s] = [project, stack].map((part) => part.replaceAll(".", "\\."));
  return [
    new RegExp(`^backend/stacks/${p}/${s}\\.json${end}$`),
    new RegExp(`^backend/history/${p}/${s}/${s}-\\d{10,20}\\.(history|checkpoint)\\.json${end}$`),
  ].some((pattern) => pattern.test(name));
}
