<<<<<<< HEAD
import { createCipheriv, hkdfSync, randomBytes } from "node:crypto";
import { keyId } from "../../tools/recover/cipher";

/** A key as the platform makes them. */
export const backupKey = "k".repeat(43);

/** One object of a bucket, encrypted as the service's image does it; of one chunk. */
export function sealed(name: string, text: string, key = backupKey): Buffer {
  const [salt, prefix] = [randomBytes(32), randomBytes(7)];
  const header = Buffer.concat([Buffer.from(`TNVBAK1\n${keyId(key)}`), salt, prefix]);
  const info = Buffer.concat([Buffer.from("technova backup v1"), header]);
  const derived = Buffer.from(hkdfSync("sha256", key, salt, info, 32));
  const nonce = Buffer.concat([prefix, Buffer.from([0, 0, 0, 0, 1])]);
  const cipher = createCipheriv("aes-256-gcm", derived, nonce);
  cipher.setAAD(Buffer.from(name));
  return Buffer.concat([header, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
}

/** The objects of a dump that is whole, by their names in the bucket. */
export function dump(name: string, tables: Record<string, number>, key = backupKey): Map<string, Buffer> {
  const path = `dumps/${name}`;
  const data = sealed(`${path}/database.dump`, "PGDMP", key);
  const file = { bytes: 5, sha256: "", storedBytes: data.length, storedSha256: "" };
  const manifest = {
    format: 1,
    kind: "dump",
    name,
    takenAt: "2026-01-02T03:04:05Z",
    schemaRevision: "0004",
    version: "1.0.0",
    tables,
    files: { "database.dump": file },
  };
  return new Map([
    [`${path}/database.dump.enc`, data],
    [`${path}/manifest.json.enc`, sealed(`${path}/manifest.json`, JSON.stringify(manifest), key)],
  ]);
}
=======
import type { Application } from "../../components/delivery/application";
import { application as applicationWith } from "./application";
import { at, types } from "./components";
import type { JsonObject, Recording } from "./mocks";

export const store: JsonObject = {
  bucket: "backups",
  prefix: "a/b",
  region: "eu-1",
  endpoint: "https://s3.example.com:9000",
  existingSecret: "keys",
  cidrs: ["10.41.0.0/24"],
  temporaryStorage: "9Gi",
};
export const inCluster: JsonObject = { type: "inCluster", storage: "8Gi" };
export const external: JsonObject = { type: "external", cidrs: ["10.40.0.0/24"] };

export const application = (
  database: JsonObject,
  backup: JsonObject | undefined,
  others: JsonObject = {},
): Promise<Recording<Application>> =>
  applicationWith({ database, backup: backup ?? { enabled: false }, ...others });

interface Container {
  readonly name: string;
  readonly image: string;
  readonly command: string[];
  readonly env?: { name: string; value?: string }[];
  readonly volumeMounts: { name: string; mountPath: string }[];
}

export const podOf = ({ one }: Recording<Application>, type: string, name: string): JsonObject =>
  at(
    one(type, name).inputs,
    "spec",
    ...(type === types.cronJob ? ["jobTemplate", "spec"] : []),
    "template",
    "spec",
  ) as JsonObject;

export function steps(found: Recording<Application>, type: string, name: string): Container[] {
  const pod = podOf(found, type, name);
  return [
    ...((pod.initContainers ?? []) as unknown as Container[]),
    ...(pod.containers as unknown as Container[]),
  ];
}

export const wal = { store, walArchiving: {} };
>>>>>>> backup
