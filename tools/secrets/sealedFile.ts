import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse, stringify } from "yaml";
import { sealedSecretSchema, type SealedSecretObject } from "../../components/addons/sealedSecrets/files";
import { sealedApiVersion, sealedFolder, wideScopes } from "../../components/addons/sealedSecrets/names";
import { UserError } from "../engine/report";
import { labelOf, sealValue, type Place, type Scope } from "./seal";
import type { SealingCertificate } from "./certificate";

export interface Sealing extends Place {
  /** Key in the Secret. */
  readonly key: string;
  readonly value: Buffer;
  readonly scope: Scope;
  /** Type of the Secret; that of the file where it is there already, `Opaque` otherwise. */
  readonly type?: string;
}

/** Says which certificate each key was sealed with, so that people see what to seal anew. */
export const sealedWith = "technova.io/sealed-with";

/** Where a sealed Secret of a stack lies, relative to the checkout: a namespace has no dot in it. */
export const sealedPath = (stack: string, { namespace, name }: Place): string =>
  `${sealedFolder(stack)}/${namespace}.${name}.yaml`;

/**
 * Seals one value into the file of its Secret; the file's other keys stay as they are.
 * @throws UserError when the file is there and is another's, or was sealed in another scope or for another type
 */
export function sealInto(
  root: string,
  stack: string,
  sealing: Sealing,
  certificate: SealingCertificate,
): string {
  const path = sealedPath(stack, sealing);
  const file = join(root, path);
  const { key, value, scope, name, namespace } = sealing;
  const before = existsSync(file) ? readExisting(file, path, sealing) : undefined;
  const type = sealing.type ?? before?.spec.template?.type ?? "Opaque";
  if (before !== undefined) refuseChange(path, before, type, scope);
  const annotations = {
    ...before?.metadata.annotations,
    ...(scope === "strict" ? {} : { [`sealedsecrets.bitnami.com/${scope}`]: "true" }),
    [sealedWith]: certificate.fingerprint,
  };
  const object: SealedSecretObject = {
    apiVersion: sealedApiVersion,
    kind: "SealedSecret",
    metadata: { name, namespace, annotations },
    spec: {
      encryptedData: {
        ...before?.spec.encryptedData,
        [key]: sealValue(certificate.publicKey, value, labelOf(sealing, scope)),
      },
      template: { ...before?.spec.template, type },
    },
  };
  write(
    file,
    `# Written by npm run secrets -- seal. What is in it, only the cluster can read.\n${yamlOf(object)}`,
  );
  return path;
}

const yamlOf = (object: SealedSecretObject): string =>
  stringify(object, { lineWidth: 0, sortMapEntries: false });

function readExisting(file: string, path: string, place: Place): SealedSecretObject {
  const parsed = sealedSecretSchema.safeParse(quietly(() => parse(readFileSync(file, "utf8")) as unknown));
  if (!parsed.success) throw new UserError(`${path} is there and is no sealed Secret; nothing was changed.`);
  const { name, namespace } = parsed.data.metadata;
  if (name === place.name && namespace === place.namespace) return parsed.data;
  throw new UserError(`${path} is there and is for ${namespace}/${name}; nothing was changed.`);
}

/** A parser's own words would show the line. */
function quietly(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** The keys that are there already are bound to their scope, and a Secret's type cannot change. */
function refuseChange(path: string, before: SealedSecretObject, type: string, scope: Scope): void {
  const was = scopeOf(before);
  if (was !== scope) {
    throw new UserError(
      `${path} was sealed with the scope ${was}, not ${scope}. Delete it and seal all of its keys anew.`,
    );
  }
  const typeBefore = before.spec.template?.type ?? "Opaque";
  if (typeBefore !== type) {
    throw new UserError(
      `${path} is of type ${typeBefore}, not ${type}. Delete it and seal all of its keys anew.`,
    );
  }
}

export function scopeOf({ metadata: { annotations = {} } }: SealedSecretObject): Scope {
  const wide = wideScopes.filter((annotation) => annotations[annotation] === "true");
  if (wide.includes("sealedsecrets.bitnami.com/cluster-wide")) return "cluster-wide";
  return wide.length > 0 ? "namespace-wide" : "strict";
}

/** A reader sees the whole file or none, also when this process is killed. */
function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}
