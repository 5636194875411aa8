import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { UserError } from "../engine/report";
import type { Secret } from "./cluster";
import type { OutsideSecret } from "./settings";

const texts = z.record(z.string(), z.string());
const secretObject = z.looseObject({
  kind: z.literal("Secret"),
  metadata: z.looseObject({ name: z.string(), namespace: z.string() }),
  type: z.string().optional(),
  data: texts.optional(),
  stringData: texts.optional(),
});
const listObject = z.looseObject({ kind: z.string(), items: z.array(z.unknown()) });

/** Keys of a bucket, as the Secrets of the platform name them. */
export interface StoreKeys {
  readonly access_key_id: string;
  readonly secret_access_key: string;
}

/**
 * Reads Secrets as `kubectl get secret -o yaml` writes them. No value of them is in any message.
 * @param path a file, or a folder of files
 */
export function readSecrets(path: string): Secret[] {
  if (!existsSync(path)) throw new UserError(`--secrets: there is no ${path}.`);
  const files = statSync(path).isDirectory()
    ? readdirSync(path)
        .filter((name) => /\.(ya?ml|json)$/.test(name))
        .sort()
        .map((name) => join(path, name))
    : [path];
  return files.flatMap((file) => {
    const documents = parseAllDocuments(readFileSync(file, "utf8"));
    if (!Array.isArray(documents) || documents.some(({ errors }) => errors.length > 0))
      throw new UserError(`--secrets: ${file} is not YAML.`);
    return documents.flatMap((document) => secretsIn(document.toJS(), file));
  });
}

function secretsIn(value: unknown, file: string): Secret[] {
  if (value === null || value === undefined) return [];
  const list = listObject.safeParse(value);
  if (list.success) return list.data.items.flatMap((item) => secretsIn(item, file));
  const secret = secretObject.safeParse(value);
  if (!secret.success)
    throw new UserError(
      `--secrets: ${file} has something that is no Secret with metadata.name and .namespace.`,
    );
  return [secret.data];
}

/** The keys of the backups' bucket: in the Secret that the settings name, else in the environment. */
export function storeKeys(
  needed: readonly OutsideSecret[],
  given: readonly Secret[],
  env: NodeJS.ProcessEnv,
): StoreKeys | undefined {
  const outside = needed.find(({ opensBackups }) => opensBackups);
  const secret = given.find(
    ({ metadata }) => metadata.name === outside?.name && metadata.namespace === outside.namespace,
  );
  if (secret !== undefined) return keysIn(secret);
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: key } = env;
  return id && key ? { access_key_id: id, secret_access_key: key } : undefined;
}

function keysIn({ data, stringData, metadata }: Secret): StoreKeys {
  const value = (name: keyof StoreKeys) => {
    const encoded = data?.[name];
    const text = stringData?.[name] ?? (encoded && Buffer.from(encoded, "base64").toString("utf8"));
    if (!text) throw new UserError(`The Secret ${metadata.namespace}/${metadata.name} has no ${name}.`);
    return text;
  };
  return { access_key_id: value("access_key_id"), secret_access_key: value("secret_access_key") };
}

/**
 * The Secrets to bring into the new cluster: those given, and for the backups' bucket the keys at hand.
 * @throws UserError naming those that nobody has
 */
export function secretsToBring(
  needed: readonly OutsideSecret[],
  given: readonly Secret[],
  keys: StoreKeys | undefined,
): Secret[] {
  const isIn = (secrets: readonly Secret[], { name, namespace }: OutsideSecret) =>
    secrets.some(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
  const made = needed.flatMap((wanted): Secret[] =>
    wanted.opensBackups && keys !== undefined && !isIn(given, wanted)
      ? [{ metadata: { name: wanted.name, namespace: wanted.namespace }, stringData: { ...keys } }]
      : [],
  );
  const missing = needed.filter((wanted) => !isIn(given, wanted) && !isIn(made, wanted));
  if (missing.length > 0) {
    throw new UserError(
      "No state has these Secrets, for people have put them into the old cluster:\n" +
        missing.map(({ namespace, name, setting }) => `  ${namespace}/${name} (${setting})\n`).join("") +
        "Give them with --secrets <file or folder>, as kubectl get secret -o yaml writes them.",
    );
  }
  return [...given, ...made];
}
