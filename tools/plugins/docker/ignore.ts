import { posix } from "node:path";

interface Pattern {
  readonly expression: RegExp;
  /** A line with "!" takes back what lines before it ignore. */
  readonly negated: boolean;
}

/** What a .dockerignore file leaves out of a build context. */
export interface IgnoreRules {
  /** `path` is relative to the context, with slashes. */
  readonly ignores: (path: string) => boolean;
  /** Whether nothing below this folder can be wanted, so that it need not be read. */
  readonly ignoresAllOf: (folder: string) => boolean;
}

export function ignoreRules(file: string): IgnoreRules {
  const patterns = file
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .filter((line) => !line.startsWith("#"))
    .map((line) => line.trim())
    .filter((line) => line !== "" && line !== "!")
    .map(parsePattern);
  // A pattern that matches a folder matches everything in it; the last pattern that matches decides.
  const ignores = (path: string) => {
    const parts = path.split("/");
    const prefixes = parts.map((_, index) => parts.slice(0, index + 1).join("/"));
    return patterns.reduce(
      (ignored, { expression, negated }) =>
        prefixes.some((prefix) => expression.test(prefix)) ? !negated : ignored,
      false,
    );
  };
  const hasExceptions = patterns.some(({ negated }) => negated);
  return { ignores, ignoresAllOf: (folder) => !hasExceptions && ignores(folder) };
}

function parsePattern(line: string): Pattern {
  const negated = line.startsWith("!");
  const cleaned = posix.normalize(line.slice(negated ? 1 : 0).trim()).replace(/^\/+(?=.)|(?<=.)\/+$/g, "");
  return { expression: new RegExp(`^${translate(cleaned)}$`), negated };
}

/** Go's file patterns and "**", which stands for any number of folders, as a regular expression. */
function translate(pattern: string): string {
  return pattern.replace(/\*\*\/?|\*|\?|\[[^\]]*\]|\\.|[.$^+(){}|\\]/g, (token) => {
    if (token === "**/") return "(.*/)?";
    if (token === "**") return ".*";
    if (token === "*") return "[^/]*";
    if (token === "?") return "[^/]";
    if (token.startsWith("[") || (token.startsWith("\\") && token.length > 1)) return token;
    return `\\${token}`;
  });
}
