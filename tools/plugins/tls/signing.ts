import { createPublicKey, webcrypto, type KeyObject } from "node:crypto";
import { keyAlgorithm } from "./keys";

interface Signing {
  readonly importAlgorithm: RsaHashedImportParams | EcKeyImportParams | Algorithm;
  readonly signingAlgorithm: Algorithm | EcdsaParams;
}

type RsaHashedImportParams = webcrypto.RsaHashedImportParams;
type EcKeyImportParams = webcrypto.EcKeyImportParams;
type EcdsaParams = webcrypto.EcdsaParams;
type Algorithm = webcrypto.Algorithm;

/** The hash has the strength of the curve. */
const CURVES: Record<string, { namedCurve: string; hash: string }> = {
  prime256v1: { namedCurve: "P-256", hash: "SHA-256" },
  secp384r1: { namedCurve: "P-384", hash: "SHA-384" },
  secp521r1: { namedCurve: "P-521", hash: "SHA-512" },
};

function signing(key: KeyObject): Signing {
  switch (keyAlgorithm(key)) {
    case "RSA": {
      const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
      return { importAlgorithm: algorithm, signingAlgorithm: algorithm };
    }
    case "ED25519":
      return { importAlgorithm: { name: "Ed25519" }, signingAlgorithm: { name: "Ed25519" } };
    case "ECDSA": {
      const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ""];
      if (!curve) {
        throw new Error(
          `certificates cannot be made with a key on the curve ${key.asymmetricKeyDetails?.namedCurve}; ` +
            "use P256, P384 or P521",
        );
      }
      return {
        importAlgorithm: { name: "ECDSA", namedCurve: curve.namedCurve },
        signingAlgorithm: { name: "ECDSA", hash: curve.hash },
      };
    }
  }
}

export interface SigningKeys {
  readonly privateKey: webcrypto.CryptoKey;
  readonly publicKey: webcrypto.CryptoKey;
  readonly algorithm: Algorithm | EcdsaParams;
}

/** The key in the form that certificates are signed with. */
export async function signingKeys(key: KeyObject): Promise<SigningKeys> {
  const { importAlgorithm, signingAlgorithm } = signing(key);
  const pkcs8 = key.export({ type: "pkcs8", format: "der" });
  const spki = createPublicKey(key).export({ type: "spki", format: "der" });
  return {
    privateKey: await webcrypto.subtle.importKey("pkcs8", pkcs8, importAlgorithm, false, ["sign"]),
    publicKey: await webcrypto.subtle.importKey("spki", spki, importAlgorithm, true, ["verify"]),
    algorithm: signingAlgorithm,
  };
}
