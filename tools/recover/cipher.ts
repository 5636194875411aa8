import { createDecipheriv, createHash, hkdfSync } from "node:crypto";
import { UserError } from "../engine/report";

/*
 * What the service's image encrypts backups with (`inventory.backups.cipher` describes the format), as far as it is
 * needed to read the small objects: whether the key at hand opens a backup has to be known before anything is begun.
 */

const magic = Buffer.from("TNVBAK1\n");
const [idBytes, saltBytes, prefixBytes, tagBytes] = [16, 32, 7, 16];
const chunkBytes = 2 ** 20;
const headerBytes = magic.length + idBytes + saltBytes + prefixBytes;

/** What tells keys apart and says nothing about them. */
export function keyId(key: string): string {
  return createHash("sha256").update(`technova backup key id\0${key}`).digest("hex").slice(0, idBytes);
}

/**
 * Opens an object.
 * @param name its path below the prefix, without `.enc`: it is authenticated with each chunk
 * @param keys any of which may have written it
 * @throws UserError when it is damaged, another object's, or was written with another key
 */
export function decrypt(object: Buffer, name: string, keys: readonly string[]): Buffer {
  const header = object.subarray(0, headerBytes);
  if (header.length < headerBytes || !header.subarray(0, magic.length).equals(magic))
    throw new UserError(`${name} is no backup of this service, or its beginning is damaged.`);
  const idEnd = magic.length + idBytes;
  const id = header.subarray(magic.length, idEnd).toString("latin1");
  const text = keys.find((each) => keyId(each) === id);
  if (text === undefined) {
    throw new UserError(
      `${name} was encrypted with key ${id}, which neither the state nor the settings have: another state archive ` +
        "has it, or put it into secrets.formerBackupKeys of the stack.",
    );
  }
  const salt = header.subarray(idEnd, idEnd + saltBytes);
  const prefix = header.subarray(idEnd + saltBytes);
  const info = Buffer.concat([Buffer.from("technova backup v1"), header]);
  const key = Buffer.from(hkdfSync("sha256", text, salt, info, 32));
  const pieces: Buffer[] = [];
  for (let at = headerBytes, number = 0; ; number += 1) {
    const chunk = object.subarray(at, at + chunkBytes + tagBytes);
    at += chunk.length;
    const last = at >= object.length;
    pieces.push(opened(chunk, name, key, nonce(prefix, number, last)));
    if (last) return Buffer.concat(pieces);
  }
}

function nonce(prefix: Buffer, number: number, last: boolean): Buffer {
  const counter = Buffer.alloc(5);
  counter.writeUInt32BE(number);
  counter[4] = last ? 1 : 0;
  return Buffer.concat([prefix, counter]);
}

function opened(chunk: Buffer, name: string, key: Buffer, iv: Buffer): Buffer {
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, iv, { authTagLength: tagBytes });
    decipher.setAAD(Buffer.from(name));
    decipher.setAuthTag(chunk.subarray(-tagBytes));
    return Buffer.concat([decipher.update(chunk.subarray(0, -tagBytes)), decipher.final()]);
  } catch {
    throw new UserError(`${name} is damaged, cut off or another one's.`);
  }
}
