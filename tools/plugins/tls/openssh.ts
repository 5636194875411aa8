import { randomBytes, type KeyObject } from "node:crypto";

/** OpenSSH's names for the curves it knows. P-224 is not among them. */
const CURVES: Record<string, string> = { "P-256": "nistp256", "P-384": "nistp384", "P-521": "nistp521" };

interface SshKey {
  readonly type: string;
  /** What follows the type in a public key. */
  readonly publicParts: Buffer[];
  /** What follows the type in a private key. */
  readonly privateParts: Buffer[];
}

/** The key as a line of `authorized_keys` and as the bytes in it; nothing for a key that OpenSSH does not take. */
export function opensshPublicKey(key: KeyObject): { line: string; blob: Buffer } | undefined {
  const ssh = parts(key);
  if (!ssh) return undefined;
  const blob = publicBlob(ssh);
  return { line: `${ssh.type} ${blob.toString("base64")}\n`, blob };
}

/** The key in OpenSSH's own format, unencrypted; empty for a key that OpenSSH does not take. */
export function opensshPrivateKey(key: KeyObject): string {
  const ssh = parts(key);
  if (!ssh) return "";
  const check = randomBytes(4); // twice the same, which is how a reader knows that decryption worked
  const comment = Buffer.alloc(0);
  let secret = Buffer.concat([check, check, field(ssh.type), ...ssh.privateParts, field(comment)]);
  for (let pad = 1; secret.length % 8; pad++) secret = Buffer.concat([secret, Buffer.from([pad])]);
  const bytes = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    field("none"), // cipher
    field("none"), // key derivation
    field(""),
    uint32(1), // number of keys
    field(publicBlob(ssh)),
    field(secret),
  ]);
  const lines = bytes.toString("base64").match(/.{1,70}/g) ?? [];
  return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join(
    "\n",
  );
}

function publicBlob(ssh: SshKey): Buffer {
  return Buffer.concat([field(ssh.type), ...ssh.publicParts]);
}

function parts(key: KeyObject): SshKey | undefined {
  if (key.asymmetricKeyDetails?.namedCurve === "secp224r1") return undefined;
  const jwk = key.export({ format: "jwk" });
  const part = (name: "n" | "e" | "d" | "p" | "q" | "qi" | "x" | "y") =>
    Buffer.from(jwk[name] ?? "", "base64url");
  switch (jwk.kty) {
    case "RSA": {
      const [n, e] = [integer(part("n")), integer(part("e"))];
      const secret = [integer(part("d")), integer(part("qi")), integer(part("p")), integer(part("q"))];
      return { type: "ssh-rsa", publicParts: [e, n], privateParts: [n, e, ...secret] };
    }
    case "EC": {
      const curve = CURVES[jwk.crv ?? ""];
      if (!curve) return undefined;
      const point = Buffer.concat([Buffer.from([4]), part("x"), part("y")]); // 4: not compressed
      const publicParts = [field(curve), field(point)];
      return { type: `ecdsa-sha2-${curve}`, publicParts, privateParts: [...publicParts, integer(part("d"))] };
    }
    case "OKP": {
      const publicParts = [field(part("x"))];
      const pair = field(Buffer.concat([part("d"), part("x")]));
      return { type: "ssh-ed25519", publicParts, privateParts: [...publicParts, pair] };
    }
    default:
      return undefined;
  }
}

function field(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

/** A positive number: no leading zeros, but one where the first bit would make it negative. */
function integer(bytes: Buffer): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  const digits = start < 0 ? Buffer.alloc(0) : bytes.subarray(start);
  return field(
    digits.length && digits.readUInt8(0) & 0x80 ? Buffer.concat([Buffer.from([0]), digits]) : digits,
  );
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
