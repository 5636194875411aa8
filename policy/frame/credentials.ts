/**
 * Tells what looks like a credential. Pure, and careful about its answers: they say what was recognised, never the
 * text itself.
 */

const secretName =
  /(pass(word|wd|phrase)|(^|[_.\-\s])(pass|pwd|secrets?|tokens?|(api|private|access|auth|signing|encryption)[_.-]?keys?|credentials?|connection[_-]?string|dsn))$/i;
const secretUrlName = /(^|_)(database|db|postgres(ql)?|redis|amqp|broker|mongo(db)?)_ur[il]$/i;
/** `maxPasswordLength`, `apiKey`: words of a camel-case name count like those between underscores. */
const camelHump = /([a-z0-9])([A-Z])/g;

/** True for a name that promises a credential: DB_PASSWORD, apiKey; not for PASSWORD_FILE or TOKEN_TTL_SECONDS. */
export function namesCredential(name: string): boolean {
  const words = name.replace(camelHump, "$1_$2");
  return secretName.test(words) || secretUrlName.test(words);
}

/** True for a value that is no credential whatever its name: empty, a switch, a number, a path, a reference. */
export function isHarmlessValue(value: string): boolean {
  return /^(|true|false|\d+(\.\d+)?[a-z]{0,2}|\.{0,2}\/\S*|\$\([A-Za-z_][A-Za-z0-9_]*\))$/.test(value.trim());
}

const shapes: readonly (readonly [shape: RegExp, what: string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----/, "a private key"],
  [/\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:(?!\$\()[^\s/@]+@/i, "a URL with a password"],
  [/\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*/, "a JSON web token"],
  [/\b(AKIA|ASIA)[0-9A-Z]{16}\b/, "an AWS access key"],
  [/\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,})/, "a GitHub token"],
  [/\bglpat-[A-Za-z0-9_-]{20,}/, "a GitLab token"],
  [/\bxox[abprs]-[A-Za-z0-9-]{10,}/, "a Slack token"],
  [/\bhooks\.slack\.com\/services\/T[A-Z0-9]+\/B[A-Z0-9]+\/[A-Za-z0-9]+/, "a Slack webhook"],
  [/\b[rs]k_live_[A-Za-z0-9]{16,}/, "a Stripe key"],
  [/\bAIza[0-9A-Za-z_-]{35}\b/, "a Google API key"],
  [/\bnpm_[A-Za-z0-9]{36}\b/, "an npm token"],
  [/\bpul-[0-9a-f]{40}\b/, "a Pulumi access token"],
  [/\bBearer\s+[A-Za-z0-9._~+/-]{20,}/i, "a bearer token"],
];

/** What credential the text holds, or `undefined`. */
export function credentialIn(text: string): string | undefined {
  const shape = shapes.find(([pattern]) => pattern.test(text));
  if (shape !== undefined) return shape[1];
  return looksRandom(text) ? "a long random string" : undefined;
}

/** 4 bits of entropy a character over 32 characters or more, of three kinds: hashes and identifiers have fewer. */
function looksRandom(text: string): boolean {
  if (!/^[A-Za-z0-9+/_=-]{32,}$/.test(text)) return false;
  if (!/[a-z]/.test(text) || !/[A-Z]/.test(text) || !/[0-9]/.test(text)) return false;
  return entropyBits(text) >= 4;
}

/** Shannon entropy in bits a character. */
export function entropyBits(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

/** Why a named value is taken for a credential, or `undefined` if it is not. */
export function credentialFor(name: string, value: string): string | undefined {
  const what = credentialIn(value);
  if (what !== undefined) return what;
  if (namesCredential(name) && !isHarmlessValue(value)) return "a plain value under the name of a secret";
  return undefined;
}
