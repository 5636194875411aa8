import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import type { PropertyMap } from "../rpc/values";
import { integer, text } from "../rpc/fields";
import type { Kind } from "../rpc/kind";
import { opensshPrivateKey, opensshPublicKey } from "./openssh";

export const ALGORITHMS = ["RSA", "ECDSA", "ED25519"] as const;
export type KeyAlgorithm = (typeof ALGORITHMS)[number];

const NODE_NAMES: Record<string, KeyAlgorithm> = { rsa: "RSA", ec: "ECDSA", ed25519: "ED25519" };

/** The names that OpenSSL has for the curves. */
const CURVES: Record<string, string> = {
  P224: "secp224r1",
  P256: "prime256v1",
  P384: "secp384r1",
  P521: "secp521r1",
};

export function keyAlgorithm(key: KeyObject): KeyAlgorithm {
  const algorithm = NODE_NAMES[key.asymmetricKeyType ?? ""];
  if (!algorithm)
    throw new Error(`a key of type ${key.asymmetricKeyType} is not supported; use ${ALGORITHMS.join(", ")}`);
  return algorithm;
}

export function readPrivateKey(pem: string, property: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // The reason that OpenSSL gives can quote the key.
    throw new Error(`${property} is not a private key in PEM format`);
  }
}

function generate(values: PropertyMap): KeyObject {
  switch (text(values, "algorithm") as KeyAlgorithm) {
    case "RSA":
      return generateKeyPairSync("rsa", { modulusLength: integer(values, "rsaBits") }).privateKey;
    case "ECDSA":
      return generateKeyPairSync("ec", { namedCurve: CURVES[text(values, "ecdsaCurve")] ?? "" }).privateKey;
    case "ED25519":
      return generateKeyPairSync("ed25519").privateKey;
  }
}

function publicOutputs(key: KeyObject): PropertyMap {
  const publicKey = createPublicKey(key);
  const ssh = opensshPublicKey(publicKey);
  return {
    publicKeyPem: publicKey.export({ type: "spki", format: "pem" }).toString(),
    publicKeyOpenssh: ssh?.line ?? "",
    publicKeyFingerprintMd5: ssh
      ? createHash("md5")
          .update(ssh.blob)
          .digest("hex")
          .replace(/(..)(?=.)/g, "$1:")
      : "",
    publicKeyFingerprintSha256: ssh
      ? `SHA256:${createHash("sha256").update(ssh.blob).digest("base64").replace(/=+$/, "")}`
      : "",
  };
}

function privatePem(key: KeyObject): string {
  const types = { RSA: "pkcs1", ECDSA: "sec1", ED25519: "pkcs8" } as const;
  return key
    .export({ type: types[keyAlgorithm(key)], format: "pem" } as { type: "pkcs8"; format: "pem" })
    .toString();
}

export const privateKey: Kind = {
  fields: {
    /** RSA, ECDSA or ED25519. */
    algorithm: { type: "string", required: true },
    /** P224, P256, P384 or P521. */
    ecdsaCurve: { type: "string", default: "P224" },
    rsaBits: { type: "integer", default: 2048, min: 1024 },
  },
  computed: [
    "privateKeyOpenssh",
    "privateKeyPem",
    "privateKeyPemPkcs8",
    "publicKeyFingerprintMd5",
    "publicKeyFingerprintSha256",
    "publicKeyOpenssh",
    "publicKeyPem",
  ],
  secrets: ["privateKeyOpenssh", "privateKeyPem", "privateKeyPemPkcs8"],
  schemaVersion: 1,
  failures: (values) => {
    const found = [];
    const [algorithm, curve] = [text(values, "algorithm"), text(values, "ecdsaCurve")];
    if (!(ALGORITHMS as readonly string[]).includes(algorithm)) {
      found.push({
        property: "algorithm",
        reason: `algorithm is "${algorithm}"; it takes ${ALGORITHMS.join(", ")}`,
      });
    }
    if (!(curve in CURVES)) {
      const reason = `ecdsaCurve is "${curve}"; it takes ${Object.keys(CURVES).join(", ")}`;
      found.push({ property: "ecdsaCurve", reason });
    }
    return found;
  },
  generate: (values) => {
    const key = generate(values);
    const spki = createPublicKey(key).export({ type: "spki", format: "der" });
    return {
      id: createHash("sha1").update(spki).digest("hex"),
      outputs: {
        privateKeyPem: privatePem(key),
        privateKeyPemPkcs8: key.export({ type: "pkcs8", format: "pem" }).toString(),
        privateKeyOpenssh: opensshPrivateKey(key),
        ...publicOutputs(key),
      },
    };
  },
};

/** The invoke that derives what is public from a private key. */
export function getPublicKey(args: PropertyMap): PropertyMap {
  const pem = text(args, "privateKeyPem");
  if (!pem)
    throw new Error(
      "getPublicKey takes privateKeyPem; a key in OpenSSH format is not supported by this plugin",
    );
  const key = readPrivateKey(pem, "privateKeyPem");
  const outputs = publicOutputs(key);
  const id = createHash("sha1")
    .update(createPublicKey(key).export({ type: "spki", format: "der" }))
    .digest("hex");
  return { id, algorithm: keyAlgorithm(key), privateKeyPem: pem, ...outputs };
}
