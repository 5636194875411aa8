import { createDecipheriv, pbkdf2Sync } from "node:crypto";
import { readFileSync } from "node:fs";
import type { State } from "../engine/state";
import type { SecretsProvider } from "./checkpoint";

/** Tells whether two ciphertexts mean the same; their values are never handed out. */
export interface SecretComparison {
  /** Undefined when one of them cannot be read here. */
  same(one: string, other: string): boolean | undefined;
}

/** For states whose secrets cannot be read here: the same text means the same, another one may. */
export const byCiphertext: SecretComparison = {
  same: (one, other) => (one === other ? true : undefined),
};

/**
 * Compares what a passphrase encrypts. The same value has another ciphertext each time, so they are decrypted, in
 * memory. Other providers have their keys elsewhere.
 */
export function comparisonFor(
  provider: SecretsProvider | undefined,
  state: State,
  env: NodeJS.ProcessEnv,
): SecretComparison {
  const salt = provider?.type === "passphrase" ? provider.state?.salt : undefined;
  const passphrase = passphraseOf(state, env);
  if (typeof salt !== "string" || passphrase === undefined) return byCiphertext;
  let key: Buffer | undefined;
  const decrypted = (ciphertext: string): string | undefined => {
    key ??= keyOf(salt, passphrase);
    return decrypt(key, ciphertext);
  };
  return {
    same(one, other) {
      if (one === other) return true;
      const [a, b] = [decrypted(one), decrypted(other)];
      return a === undefined || b === undefined ? undefined : a === b;
    },
  };
}

/**
 * Tells whether a ciphertext can be opened with the passphrase at hand; undefined for providers that have their keys
 * elsewhere.
 */
export function openerFor(
  provider: SecretsProvider | undefined,
  state: State,
  env: NodeJS.ProcessEnv,
): ((ciphertext: string) => boolean) | undefined {
  const salt = provider?.type === "passphrase" ? provider.state?.salt : undefined;
  if (typeof salt !== "string") return undefined;
  const passphrase = passphraseOf(state, env);
  const key = passphrase === undefined ? undefined : keyOf(salt, passphrase);
  return (ciphertext) => decrypt(key, ciphertext) !== undefined;
}

/** As the CLI looks for it. */
function passphraseOf(state: State, env: NodeJS.ProcessEnv): string | undefined {
  if (env.PULUMI_CONFIG_PASSPHRASE !== undefined) return env.PULUMI_CONFIG_PASSPHRASE;
  const file = env.PULUMI_CONFIG_PASSPHRASE_FILE ?? state.passphraseFile;
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** `v1:<salt>:<something encrypted, to check the passphrase by>`; the numbers are those of Pulumi's own format. */
function keyOf(salt: string, passphrase: string): Buffer | undefined {
  const [version, bytes = ""] = salt.split(":");
  if (version !== "v1") return undefined;
  return pbkdf2Sync(passphrase, Buffer.from(bytes, "base64"), 1_000_000, 32, "sha256");
}

/** `v1:<nonce>:<ciphertext with its tag>`, AES-256-GCM. */
function decrypt(key: Buffer | undefined, text: string): string | undefined {
  const [version, nonce = "", sealed = ""] = text.split(":");
  if (version !== "v1" || key === undefined) return undefined;
  const bytes = Buffer.from(sealed, "base64");
  const tagLength = 16;
  if (bytes.length < tagLength) return undefined;
  try {
    const options = { authTagLength: tagLength };
    const decipher = createDecipheriv("aes-256-gcm", key, Buffer.from(nonce, "base64"), options);
    decipher.setAuthTag(bytes.subarray(-tagLength));
    return Buffer.concat([decipher.update(bytes.subarray(0, -tagLength)), decipher.final()]).toString("utf8");
  } catch {
    return undefined;
  }
}
