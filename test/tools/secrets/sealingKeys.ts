import "reflect-metadata";
import { constants, createDecipheriv, KeyObject, privateDecrypt, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import type { SealingKey } from "../../../tools/secrets/keys";

/** A key with its certificate, as the controller makes them; shorter, to be made in a moment. */
export async function sealingKey(
  name = "sealed-secrets-key1",
  { from = "2026-01-01", to = "2036-01-01", bits = 2048 } = {},
): Promise<SealingKey> {
  const signingAlgorithm = {
    name: "RSASSA-PKCS1-v1_5",
    hash: "SHA-256",
    publicExponent: new Uint8Array([1, 0, 1]),
    modulusLength: bits,
  };
  const keys = await webcrypto.subtle.generateKey(signingAlgorithm, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    notBefore: new Date(from),
    notAfter: new Date(to),
    signingAlgorithm,
    keys,
  });
  const privateKey = KeyObject.from(keys.privateKey).export({ type: "pkcs1", format: "pem" }).toString();
  return { name, state: "active", certificate: certificate.toString("pem"), privateKey };
}

/** Opens a sealed value as the controller does, written from its description and not from what seals. */
export function unseal(sealed: string, privateKey: string, label: string): string {
  const bytes = Buffer.from(sealed, "base64");
  const keyEnd = 2 + bytes.readUInt16BE(0);
  const sessionKey = privateDecrypt(
    {
      key: privateKey,
      padding: constants.RSA_PKCS1_OAEP_PADDING,
      oaepHash: "sha256",
      oaepLabel: Buffer.from(label),
    },
    bytes.subarray(2, keyEnd),
  );
  const decipher = createDecipheriv("aes-256-gcm", sessionKey, Buffer.alloc(12, 0));
  decipher.setAuthTag(bytes.subarray(bytes.length - 16));
  return (
    decipher.update(bytes.subarray(keyEnd, bytes.length - 16), undefined, "utf8") + decipher.final("utf8")
  );
}
