import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from "node:crypto";
import { z } from "zod";
import { UserError } from "../engine/report";

const format = "technova-sealing-keys";
const base64 = z.base64();

/** A file that only its passphrase opens. Everything beside the ciphertext is readable, and sealed with it. */
const envelope = z.strictObject({
  format: z.literal(format),
  version: z.literal(1),
  stack: z.string(),
  createdAt: z.iso.datetime(),
  /** Bounds, so that a file that somebody made cannot take all of a machine's memory. */
  scrypt: z.strictObject({
    cost: z.literal([2 ** 14, 2 ** 15, 2 ** 16, 2 ** 17, 2 ** 18]),
    blockSize: z.literal(8),
    parallelization: z.literal(1),
    salt: base64,
  }),
  nonce: base64,
  ciphertext: base64,
});
type Envelope = z.infer<typeof envelope>;
type Header = Omit<Envelope, "ciphertext">;

/** 128 MiB and about half a second for each try (OWASP's cheat sheet on password storage takes no less). */
const cost = 2 ** 17;
const tagBytes = 16;

/** Encrypts with a key that scrypt makes of the passphrase, under AES-256-GCM. */
export function close(
  content: Buffer,
  passphrase: string,
  { stack, createdAt }: { readonly stack: string; readonly createdAt: Date },
): string {
  const scrypt = {
    cost: cost,
    blockSize: 8,
    parallelization: 1,
    salt: randomBytes(16).toString("base64"),
  } as const;
  const nonce = randomBytes(12);
  const header: Header = {
    format,
    version: 1,
    stack,
    createdAt: createdAt.toISOString(),
    scrypt,
    nonce: nonce.toString("base64"),
  };
  const cipher = createCipheriv("aes-256-gcm", keyOf(passphrase, header), nonce);
  cipher.setAAD(authenticated(header));
  const ciphertext = Buffer.concat([cipher.update(content), cipher.final(), cipher.getAuthTag()]);
  return `${JSON.stringify({ ...header, ciphertext: ciphertext.toString("base64") }, undefined, 2)}\n`;
}

export interface Opened {
  readonly stack: string;
  readonly createdAt: Date;
  readonly content: Buffer;
}

/** @throws UserError when the file is none of these, the passphrase is another, or a byte was changed */
export function open(text: string, passphrase: string, file: string): Opened {
  const parsed = envelope.safeParse(fromJson(text));
  if (!parsed.success)
    throw new UserError(`${file} is no backup of sealing keys, or one of a later version.`);
  const { ciphertext, ...header } = parsed.data;
  const bytes = Buffer.from(ciphertext, "base64");
  try {
    const decipher = createDecipheriv(
      "aes-256-gcm",
      keyOf(passphrase, header),
      Buffer.from(header.nonce, "base64"),
      { authTagLength: tagBytes },
    );
    decipher.setAAD(authenticated(header));
    decipher.setAuthTag(bytes.subarray(-tagBytes));
    const content = Buffer.concat([decipher.update(bytes.subarray(0, -tagBytes)), decipher.final()]);
    return { stack: header.stack, createdAt: new Date(header.createdAt), content };
  } catch {
    throw new UserError(`${file} does not open: the passphrase is another one, or the file was changed.`);
  }
}

function keyOf(passphrase: string, { scrypt: { salt, ...parameters } }: Header): Buffer {
  // Half as much again as it takes.
  const maxmem = 192 * parameters.cost * parameters.blockSize;
  return scryptSync(passphrase.normalize("NFC"), Buffer.from(salt, "base64"), 32, { ...parameters, maxmem });
}

/** In an order of its own, whatever order the file has. */
function authenticated({ stack, createdAt, scrypt, nonce, version }: Header): Buffer {
  const { cost: steps, blockSize, parallelization, salt } = scrypt;
  const parts = [format, version, stack, createdAt, steps, blockSize, parallelization, salt, nonce];
  return Buffer.from(JSON.stringify(parts));
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
