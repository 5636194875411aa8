import { constants, createCipheriv, publicEncrypt, randomBytes, type KeyObject } from "node:crypto";

/** Where a sealed Secret can be opened: under its name, in its namespace, or anywhere. */
export const scopes = ["strict", "namespace-wide", "cluster-wide"] as const;
export type Scope = (typeof scopes)[number];

export interface Place {
  readonly namespace: string;
  readonly name: string;
}

/** What a value is bound to: with another label it does not open. */
export function labelOf({ namespace, name }: Place, scope: Scope): Buffer {
  const labels = { strict: `${namespace}/${name}`, "namespace-wide": namespace, "cluster-wide": "" };
  return Buffer.from(labels[scope]);
}

/**
 * Seals a value as the controller opens it: a key of its own, sealed with RSA-OAEP and SHA-256 under the label, then
 * the value under AES-256-GCM. The layout is upstream's (pkg/crypto/crypto.go): two bytes of length, the sealed key,
 * the ciphertext with its tag. The nonce may be zero because the key seals nothing else.
 */
export function sealValue(publicKey: KeyObject, value: Buffer, label: Buffer): string {
  const key = randomBytes(32);
  const sealedKey = publicEncrypt(
    { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256", oaepLabel: label },
    key,
  );
  const cipher = createCipheriv("aes-256-gcm", key, Buffer.alloc(12));
  const length = Buffer.alloc(2);
  length.writeUInt16BE(sealedKey.length);
  const sealed = [length, sealedKey, cipher.update(value), cipher.final(), cipher.getAuthTag()];
  return Buffer.concat(sealed).toString("base64");
}
