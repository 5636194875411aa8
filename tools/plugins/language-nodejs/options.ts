export const PACKAGE_MANAGERS = ["npm", "yarn", "pnpm", "bun"] as const;
export type PackageManager = (typeof PACKAGE_MANAGERS)[number];

/** The `runtime.options` of a Pulumi.yaml or PulumiPolicy.yaml. */
export interface RuntimeOptions {
  /** Compile TypeScript while loading. Default: true. */
  readonly typescript: boolean;
  /** Another tsconfig.json than the program folder's. */
  readonly tsconfig?: string;
  /** Arguments for the Node process, as typed in a shell. */
  readonly nodeargs: string[];
  /** Default: "auto", which looks at the lock file. */
  readonly packagemanager: PackageManager | "auto";
  /** Leave out devDependencies when installing. Default: false. */
  readonly production: boolean;
}

/** Throws an error that names the option, what it is and what it takes. */
export function parseRuntimeOptions(options: Record<string, unknown>): RuntimeOptions {
  const tsconfig = read(options, "tsconfig", "string");
  const manager = read(options, "packagemanager", "string") ?? "auto";
  if (manager !== "auto" && !isPackageManager(manager)) {
    throw new Error(
      `runtime option packagemanager is "${manager}"; it takes auto, ${PACKAGE_MANAGERS.join(", ")}`,
    );
  }
  return {
    typescript: read(options, "typescript", "boolean") ?? true,
    ...(tsconfig && { tsconfig }),
    nodeargs: splitArguments(read(options, "nodeargs", "string") ?? ""),
    packagemanager: manager,
    production: read(options, "production", "boolean") ?? false,
  };
}

function isPackageManager(name: string): name is PackageManager {
  return (PACKAGE_MANAGERS as readonly string[]).includes(name);
}

function read(options: Record<string, unknown>, key: string, type: "string"): string | undefined;
function read(options: Record<string, unknown>, key: string, type: "boolean"): boolean | undefined;
function read(options: Record<string, unknown>, key: string, type: "string" | "boolean") {
  const value = options[key];
  if (value === undefined || typeof value === type) return value;
  throw new Error(`runtime option ${key} is ${JSON.stringify(value)}; it takes a ${type}`);
}

/** Splits as a POSIX shell would, without expansions: blanks separate, quotes and backslashes protect. */
export function splitArguments(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (const [, blank, single, double, escaped, plain] of line.matchAll(
    /(\s+)|'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)|([^\s'"\\]+|["'\\])/gs,
  )) {
    if (plain && /^["'\\]$/.test(plain))
      throw new Error(`runtime option nodeargs has an unclosed ${plain} in: ${line}`);
    if (blank === undefined)
      word = (word ?? "") + (single ?? double?.replace(/\\(["\\$`])/g, "$1") ?? escaped ?? plain ?? "");
    else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  return word === undefined ? words : [...words, word];
}
