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
