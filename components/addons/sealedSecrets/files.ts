import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { sealedApiVersion, sealedFolder } from "./names";

const takes = (what: string) => ({ error: `it takes ${what}` });

const dnsName = z
  .string(takes("a name"))
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, takes("lower-case letters, digits, hyphens and dots"));
const texts = z.record(z.string(), z.string(takes("text")), takes("an object of texts")).optional();
/** A length, an RSA ciphertext of at least 256 bytes, and 16 bytes by which a change would be noticed. */
const sealedValue = z
  .string(takes("a sealed value"))
  .refine(
    (text) => /^[A-Za-z0-9+/]+={0,2}$/.test(text) && Buffer.from(text, "base64").length >= 274,
    takes("a sealed value, as npm run secrets -- seal writes it"),
  );

/** What `npm run secrets -- seal` writes: nothing in it is readable but names. */
export const sealedSecretSchema = z.strictObject({
  apiVersion: z.literal(sealedApiVersion, takes(sealedApiVersion)),
  kind: z.literal("SealedSecret", takes("SealedSecret")),
  metadata: z.strictObject(
    { name: dnsName, namespace: dnsName, labels: texts, annotations: texts },
    takes("an object with name and namespace"),
  ),
  spec: z.strictObject(
    {
      encryptedData: z.record(
        z.string().regex(/^[-._a-zA-Z0-9]{1,253}$/),
        sealedValue,
        takes("sealed values"),
      ),
      template: z
        .strictObject({
          type: z.string(takes("a type of Secrets")).optional(),
          immutable: z.boolean(takes("true or false")).optional(),
          metadata: z.strictObject({ labels: texts, annotations: texts }).optional(),
        })
        .optional(),
    },
    takes("an object with encryptedData"),
  ),
});

export type SealedSecretObject = z.infer<typeof sealedSecretSchema>;

export interface SealedFile {
  /** Relative to the checkout. */
  readonly path: string;
  readonly object: SealedSecretObject;
}

export interface SealedFiles {
  readonly files: readonly SealedFile[];
  /** What keeps files from being used, each as `secrets/staging/x.yaml: ...`. No value is in them. */
  readonly problems: readonly string[];
}

/**
 * The sealed Secrets of a stack, in the order of their names.
 * @param namespaces where the stack's controller makes Secrets; none where the stack has no controller
 */
export function readSealedFiles(root: string, stack: string, namespaces: readonly string[]): SealedFiles {
  const folder = sealedFolder(stack);
  const names = existsSync(join(root, folder)) ? readdirSync(join(root, folder)).sort() : [];
  const files: SealedFile[] = [];
  const problems: string[] = [];
  for (const path of names.filter((name) => /\.ya?ml$/.test(name)).map((name) => `${folder}/${name}`)) {
    const read = parseSealed(readFileSync(join(root, path), "utf8"));
    if ("problems" in read) {
      problems.push(...read.problems.map((problem) => `${path}: ${problem}`));
      continue;
    }
    const { name, namespace } = read.object.metadata;
    const earlier = files.find(({ object: { metadata } }) => same(metadata, { name, namespace }));
    if (namespaces.length === 0) problems.push(`${path}: technova:sealedSecrets is off, so nothing opens it`);
    else if (!namespaces.includes(namespace)) {
      const listed = namespaces.join(", ");
      problems.push(`${path}: is for ${namespace}; technova:sealedSecrets.namespaces has ${listed}`);
    } else if (earlier !== undefined) {
      problems.push(`${path}: is for ${namespace}/${name}, as ${earlier.path} is`);
    } else files.push({ path, object: read.object });
  }
  return { files, problems };
}

function parseSealed(text: string): { object: SealedSecretObject } | { problems: string[] } {
  let content: unknown;
  try {
    content = parse(text);
  } catch {
    // The parser's own words would show the line.
    return { problems: ["is not YAML of one object"] };
  }
  const parsed = sealedSecretSchema.safeParse(content);
  if (parsed.success) return { object: parsed.data };
  return {
    problems: parsed.error.issues.map((issue) => {
      const where = issue.path.map(String).join(".") || "the whole";
      if (issue.code !== "unrecognized_keys") return `${where}: ${issue.message}`;
      return `${where}: ${issue.keys.join(", ")} would be readable by everybody, or is unknown`;
    }),
  };
}

function same(
  a: SealedSecretObject["metadata"],
  b: Pick<SealedSecretObject["metadata"], "name" | "namespace">,
) {
  return a.name === b.name && a.namespace === b.namespace;
}
