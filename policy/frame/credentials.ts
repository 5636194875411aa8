/**
 * Tells what looks like a credential. Pure, and careful about its answers: they say what was recognised, never the
 * text itself.
 */

const secretName =
  /(pass(word|wd|phrase)|(^|[_.\-\s])(pass|pwd|secrets?|tokens?|(api|private|access|auth|signing|encryption)[_.-]?keys?|credentials?|connection[_-]?string|dsn))$/i;
const secretUrlName = /(^|_)(database|db|postgres(ql)?|redis|amqp|broker|mongo(db)?)_ur[il]$/i;
/** `maxPasswordLength`, `apiKey`: words of a camel-case name count like those between underscores. */
const camelHump = /([a-z0-9])([A-Z])/g;

/** `configHash` as `config_Hash`. */
export function separated(name: string): string {
  return name.replace(camelHump, "$1_$2");
}

/** True for a name that promises a credential: DB_PASSWORD, apiKey; not for PASSWORD_FILE or TOKEN_TTL_SECONDS. */
export function namesCredential(name: string): boolean {
  const words = separated(name);
  return secretName.test(words) || secretUrlName.test(words);
}

/** Values that are no credential whatever their name is. */
const harmless: readonly RegExp[] = [
  /^(|true|false|yes|no|on|off|null|none|nil|undefined|string|optional|required)$/i,
  // A small number or a quantity, a path, a URL without a password, a placeholder, a reference, a redaction.
  /^(\d{1,3}|\d+\.\d+|\d+(\.\d+)?([nuµm]?s|[mhdwyb]|[kmgtpe]i?b?))$/i,
  /^((file|env|fd):|(\.{0,2}|~|[A-Za-z]:)[\\/])\S*$/,
  /^[a-z][a-z0-9+.-]*:\/\/([^\s:@/]*:?@)?[^\s@]*$/i,
  /^(\$\([^)]*\)|\$\{[^}]*\}|\{\{.*\}\}|<[^>]*>|%\([^)]*\)s)$/s,
  /^(\*+|x{3,}|\.{3}|redacted|\[\w+\])$/i,
];

/** Stands for a value that comes from somewhere else. */
const reference = /\$\([A-Za-z_]\w*\)|\$\{[^}]*\}|\{\{.*?\}\}/g;

/** True for a value that is no credential whatever its name: empty, a switch, a quantity, a path, a reference. */
export function isHarmlessValue(value: string): boolean {
  const text = value.trim();
  return harmless.some((pattern) => pattern.test(text) || pattern.test(text.replace(reference, "")));
}

/** `MAX_TOKENS`: a number says how many there are, or may be. */
const countedName = /(tokens|secrets|keys|credentials)$/i;
const passwordName = /pass(word|wd|phrase)$/i;

/** Whether the name promises a credential, and the value may be one. */
function isNamedCredential(name: string, value: string): boolean {
  if (!namesCredential(name)) return false;
  const isNumber = /^\d+$/.test(value.trim());
  if (isNumber && countedName.test(name)) return false;
  return !isHarmlessValue(value) || (isNumber && passwordName.test(name) && !/^[01]$/.test(value.trim()));
}

const basic = "a password of basic authentication";

/** What each issuer's credentials look like; prefixes as their owners document them for secret scanning. */
const shapes: readonly (readonly [shape: RegExp, what: string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY( BLOCK)?-----/, "a private key"],
  [/\bPuTTY-User-Key-File-\d:/, "a private key"],
  [/\bAGE-SECRET-KEY-1[0-9A-Z]{50,}/, "an age key"],
  [/\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:(?!\$[({]|\{\{|<)[^\s/@]+@/i, "a URL with a password"],
  [/\b[\w.-]+:(?!\$[({])[^\s/@:]+@(tcp|unix)\(/, "a data source with a password"],
  [/\bjdbc:[^\s"']*[?&;](password|pwd)=(?!\$[({])[^\s&;"']+/i, "a URL with a password"],
  [/\b(AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{40,}={0,2}/, "an Azure key"],
  [/[?&]sig=[A-Za-z0-9%+/]{40,}/, "a signed URL"],
  [/\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*/, "a JSON web token"],
  [/\b(AKIA|ASIA)[0-9A-Z]{16}\b/, "an AWS access key"],
  [/\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,})/, "a GitHub token"],
  [/\bgl(pat|dt|rt|cbt|ptt|soat)-[A-Za-z0-9_-]{20,}/, "a GitLab token"],
  [/\bxox[abeprs]-[A-Za-z0-9-]{10,}/, "a Slack token"],
  [/\bxapp-\d-[A-Z0-9]+-\d+-[a-z0-9]+/, "a Slack token"],
  [/\bhooks\.slack\.com\/(services|workflows)\/T[A-Z0-9]+\/[AB][A-Z0-9]+\/[A-Za-z0-9]+/, "a Slack webhook"],
  [/\bdiscord(app)?\.com\/api\/webhooks\/\d+\/[\w-]{20,}/, "a Discord webhook"],
  [/\b\d{8,10}:AA[A-Za-z0-9_-]{33}/, "a Telegram token"],
  [/\b[rs]k_(live|test)_[A-Za-z0-9]{16,}/, "a Stripe key"],
  [/\bwhsec_[A-Za-z0-9+/=]{20,}/, "a webhook secret"],
  [/\bAIza[0-9A-Za-z_-]{35}\b/, "a Google API key"],
  [/\bGOCSPX-[A-Za-z0-9_-]{28}/, "a Google client secret"],
  [/\bya29\.[A-Za-z0-9_-]{20,}/, "a Google access token"],
  [/\bnpm_[A-Za-z0-9]{36}\b/, "an npm token"],
  [/\bpypi-AgEI[A-Za-z0-9_-]{20,}/, "a PyPI token"],
  [/\bdckr_(pat|oat)_[A-Za-z0-9_-]{20,}/, "a Docker token"],
  [/\bpul-[0-9a-f]{40}\b/, "a Pulumi access token"],
  [/\b[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,}/, "a Terraform token"],
  [/\bhv[sbr]\.[A-Za-z0-9_-]{20,}/, "a Vault token"],
  [/\bdo[opr]_v1_[0-9a-f]{64}\b/, "a DigitalOcean token"],
  [/\bATATT3[A-Za-z0-9_=-]{50,}/, "an Atlassian token"],
  [/\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{32,}/, "a SendGrid key"],
  [/\bSK[0-9a-f]{32}\b/, "a Twilio key"],
  [/\bsk-(ant-|proj-|svcacct-)?[A-Za-z0-9_-]{32,}/, "an API key"],
  [/\bhf_[A-Za-z0-9]{30,}/, "a Hugging Face token"],
  [/\bdapi[0-9a-f]{32}\b/, "a Databricks token"],
  [/\bgl(sa|c)_[A-Za-z0-9_]{32,}/, "a Grafana token"],
  [/\bNRAK-[A-Z0-9]{27}\b/, "a New Relic key"],
  [/\bshp(at|ca|pa|ss)_[0-9a-f]{32}\b/, "a Shopify token"],
  [/\bsq0(atp|csp)-[A-Za-z0-9_-]{22,}/, "a Square token"],
  [/\blin_api_[A-Za-z0-9]{32,}/, "a Linear key"],
  [/\bPMAK-[0-9a-f]{24}-[0-9a-f]{34}\b/, "a Postman key"],
  [/\bsntry[su]_[A-Za-z0-9_=+/-]{20,}/, "a Sentry token"],
  [/\$(2[aby]\$\d\d|apr1|[156y])\$[A-Za-z0-9./$]{20,}/, "a password hash"],
  [/\bBearer\s+[A-Za-z0-9._~+/-]{20,}/i, "a bearer token"],
  [/\bBasic\s+[A-Za-z0-9+/]{12,}={0,2}/, basic],
  [
    /\bcurl\s(?:[^\n|;&]{0,300}\s)?(?:-u|-[A-Za-z]+u\s|--(?:proxy-)?user[\s=])\s*["']?[\w.@-]+:(?![$<{%*"'\s]|pass(word)?\b)[^\s"']/,
    basic,
  ],
];

/** What credential is in the text by its shape, as its issuer made it. */
export function credentialShapeIn(text: string): string | undefined {
  const shape = shapes.find(([pattern]) => pattern.test(text));
  if (shape !== undefined) return shape[1];
  const decoded = decodedText(text);
  return decoded === undefined ? undefined : credentialShapeIn(decoded);
}

const byName = "a plain value under the name of a secret";

/** What credential the text holds, or `undefined`. */
export function credentialIn(text: string): string | undefined {
  const shape = credentialShapeIn(text);
  if (shape !== undefined) return shape;
  if (assignsCredential(text) || passesCredential(text, isWord)) return byName;
  const decoded = decodedText(text);
  if (decoded !== undefined) return credentialIn(decoded);
  return looksRandom(text) ? "a long random string" : undefined;
}

/** The same of a command line, in which what follows `--password` is a password and no prose. */
export function credentialInCommand(text: string): string | undefined {
  const what = credentialIn(text);
  if (what !== undefined) return what;
  return passesCredential(text, (value, name) => isWord(value) && !passwordName.test(name))
    ? byName
    : undefined;
}

/** What an identifier or a word looks like: it may as well be code or prose. */
function isWord(text: string): boolean {
  return /^[A-Za-z_]+([._-][A-Za-z_]+)*:?$/.test(text);
}

/** `--password ...` and `-token ...`, the value in quotes or not. */
const option =
  /(?:^|\s)--?([A-Za-z][\w.-]{1,60})[ \t]+(?:"([^"\n]*)"|'([^'\n]*)'|([^\s"'|;&<>(){}[\]-][^\s"'|;&<>(){}[\]]*))/g;

function passesCredential(text: string, isHarmless: (value: string, name: string) => boolean): boolean {
  return [...text.matchAll(option)].some(([, name = "", double, single, bare]) => {
    const value = double ?? single ?? bare ?? "";
    // What a shell puts in, unless it is in single quotes, a format's, and what a build calls its secret.
    if ((single === undefined && /[$`]/.test(value)) || value === "%" || /^(id|type)=/.test(value))
      return false;
    return isNamedCredential(name, value) && !isHarmless(value, name);
  });
}

/**
 * What credential an option for a user has that takes `user:password`. Where the program may be another one than curl,
 * that may as well be `user:group`, or an address: then only what no word and no number looks like counts.
 */
export function credentialOfUser(text: string, isCurl: boolean): string | undefined {
  const [, password] = /^[A-Za-z][\w.@-]*:(?!\/\/)([^\s$`<{%]+)$/.exec(text) ?? [];
  if (password === undefined || isHarmlessValue(password)) return undefined;
  return isCurl || !(isWord(password) || /^\d+$/.test(password)) ? basic : undefined;
}

/** `password: ...`, `"apiKey": "..."`, `--token=...`, `PASSWORD=...` in files and command lines. */
const assignment =
  /(?:^|[\s,;{&?"'-])([A-Za-z][\w.-]{1,60}?)["']?\s{0,4}(?::=?|=(?!=))\s{0,4}(?:"([^"\n]*)"|'([^'\n]*)'|(\$\([^)]*\)|\$\{[^}]*\}|\{\{.*?\}\}|<[^>]*>|%\([^)]*\)s|[^\s"',;&(){}[\]]+))/gm;

function assignsCredential(text: string): boolean {
  for (const [whole, name = "", double, single, bare] of text.matchAll(assignment)) {
    // PostgreSQL's `PASSWORD :'variable'`.
    if (/\s:'\w+'$/.test(whole)) continue;
    const value = double ?? single ?? bare ?? "";
    // `Password: 8 characters or more`, and a variable of a shell.
    if (bare !== undefined && (/^\d{1,3}$/.test(bare) || /=\$[A-Za-z_]\w*$/.test(whole))) continue;
    if (!isNamedCredential(name, value)) continue;
    if (double !== undefined || single !== undefined || !isWord(value)) return true;
  }
  return false;
}

/** What base64 hides, if that is text. */
function decodedText(text: string): string | undefined {
  if (!/^[A-Za-z0-9+/\s]{24,}={0,2}\s*$/.test(text)) return undefined;
  const decoded = Buffer.from(text, "base64").toString("latin1");
  return /^[\t\n\r\x20-\x7e]+$/.test(decoded) ? decoded : undefined;
}

/** Digests that say which algorithm made them. */
const digest = /^(sha(1|256|384|512)[-:]|h1:)/i;

/** 4 bits of entropy a character over 32 characters or more, of three kinds: hashes and identifiers have fewer. */
function looksRandom(text: string): boolean {
  const trimmed = text.trim();
  if (digest.test(trimmed) || !/^[A-Za-z0-9+/_=-]{32,}$/.test(trimmed)) return false;
  // Words between separators make names, however long.
  if (trimmed.split(/[-_/]/).every((word) => /^([A-Z]?[a-z]+|[A-Z]+|\d+)*$/.test(word) && word.length < 24))
    return false;
  if (!/[a-z]/.test(trimmed) || !/[A-Z]/.test(trimmed) || !/[0-9]/.test(trimmed)) return false;
  return entropyBits(trimmed) >= 4;
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
export function credentialFor(name: string, value: string, find = credentialIn): string | undefined {
  return find(value) ?? (isNamedCredential(name, value) ? byName : undefined);
}
