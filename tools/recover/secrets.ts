import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import { sealedFolder } from "../../components/addons/sealedSecrets/names";
import { UserError } from "../engine/report";
import { fingerprintOf, type SealingKey } from "../secrets/keys";
import { listSealed, type Listed } from "../secrets/list";
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

/** What a Secret is known by. */
type Place = Pick<OutsideSecret, "namespace" | "name">;

/**
 * The Secrets that lie encrypted in the repository, of which the cluster's controller makes its own.
 * @throws UserError with every file that cannot be used: `up` would refuse it
 */
export function sealedSecrets(root: string, stack: string, namespaces: readonly string[]): readonly Listed[] {
  const { listed, problems } = listSealed(root, stack, namespaces);
  if (problems.length === 0) return listed;
  throw new UserError(
    `What is sealed for the stack ${stack} has to be put right:\n${problems.map((each) => `  ${each}`).join("\n")}`,
  );
}

/**
 * What there is to say of the keys that open what is sealed.
 * @throws UserError when the keys at hand are of no use, or not all that there have to be
 */
export function sealingNotes(
  stack: string,
  sealed: readonly Listed[],
  namespaces: readonly string[],
  keys: readonly SealingKey[] | undefined,
): readonly string[] {
  if (keys === undefined) {
    return sealed.length === 0
      ? []
      : [
          `warning: what is sealed in ${sealedFolder(stack)} only the old cluster's keys open, and without it the update ` +
            `does not end: give them with --sealing-keys <file of npm run secrets -- backup-key>, or while it waits ` +
            `by npm run secrets -- restore-key <file> --stack ${stack}`,
        ];
  }
  if (namespaces.length === 0) {
    throw new UserError(
      `The stack ${stack} has no controller for sealed Secrets (technova:sealedSecrets), so --sealing-keys is of no use.`,
    );
  }
  const known = keys.map(fingerprintOf);
  const others = sealed.filter(({ sealedWith }) => sealedWith !== undefined && !known.includes(sealedWith));
  if (others.length === 0) return [];
  throw new UserError(
    "--sealing-keys has not the keys that these were sealed with:\n" +
      others.map(({ path, sealedWith }) => `  ${path} (${sealedWith})\n`).join("") +
      "Give a later backup of the keys; or take these files out, and give what is in them with --secrets.",
  );
}

/**
 * The Secrets to bring into the new cluster: those given, and for the backups' bucket the keys at hand. Those that are
 * sealed in the repository come from there: beside one that somebody else has made, its controller makes none.
 * @throws UserError naming those that nobody has
 */
export function secretsToBring(
  needed: readonly OutsideSecret[],
  given: readonly Secret[],
  keys: StoreKeys | undefined,
  sealed: readonly Place[] = [],
): Secret[] {
  const isSealed = ({ namespace, name }: Place) =>
    sealed.some((each) => each.namespace === namespace && each.name === name);
  const unsealed = needed.filter((each) => !isSealed(each));
  const mine = given.filter(({ metadata }) => !isSealed(metadata));
  const isIn = (secrets: readonly Secret[], { name, namespace }: Place) =>
    secrets.some(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
  const made = unsealed.flatMap((wanted): Secret[] =>
    wanted.opensBackups && keys !== undefined && !isIn(mine, wanted)
      ? [{ metadata: { name: wanted.name, namespace: wanted.namespace }, stringData: { ...keys } }]
      : [],
  );
  const missing = unsealed.filter((wanted) => !isIn(mine, wanted) && !isIn(made, wanted));
  if (missing.length > 0) {
    throw new UserError(
      "No state has these Secrets, for people have put them into the old cluster:\n" +
        missing.map(({ namespace, name, setting }) => `  ${namespace}/${name} (${setting})\n`).join("") +
        "Give them with --secrets <file or folder>, as kubectl get secret -o yaml writes them.",
    );
  }
  return [...mine, ...made];
}
