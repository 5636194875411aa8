import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { PackageManager, RuntimeOptions } from "./options";

const LOCK_FILES: [string, PackageManager][] = [
  ["yarn.lock", "yarn"],
  ["pnpm-lock.yaml", "pnpm"],
  ["bun.lock", "bun"],
  ["bun.lockb", "bun"],
  ["package-lock.json", "npm"],
];

/** The package manager that the options name, else the one whose lock file is nearest, else npm. */
export function packageManager(options: RuntimeOptions, folder: string): PackageManager {
  if (options.packagemanager !== "auto") return options.packagemanager;
  const lock = LOCK_FILES.find(([file]) => existsSync(join(folder, file)));
  if (lock) return lock[1];
  const parent = dirname(folder);
  return parent === folder ? "npm" : packageManager(options, parent);
}

export function installArguments(manager: PackageManager, production: boolean): string[] {
  if (!production) return ["install"];
  return {
    npm: ["install", "--omit=dev"],
    yarn: ["install", "--production"],
    pnpm: ["install", "--prod"],
    bun: ["install", "--production"],
  }[manager];
}

/** Facts for `pulumi about`. A version that cannot be found out is left out. */
export async function installationFacts(
  options: RuntimeOptions,
  folder: string,
): Promise<Record<string, string>> {
  const manager = packageManager(options, folder);
  // Every update waits for this before it begins, and npm takes a quarter of a second to answer.
  const managerVersion =
    runningVersion(manager, process.env.npm_config_user_agent) ?? (await askVersion(manager, folder));
  const typescript = typescriptVersion(folder);
  return {
    packagemanager: manager,
    ...(managerVersion && { packagemanagerVersion: managerVersion }),
    ...(typescript && { typescriptVersion: typescript }),
  };
}

/** As it names itself to the processes that it starts, such as scripts and their children. */
export function runningVersion(manager: PackageManager, userAgent = ""): string | undefined {
  return new RegExp(`^${manager}/(\\S+)`).exec(userAgent)?.[1];
}

function askVersion(manager: PackageManager, folder: string): Promise<string | undefined> {
  return promisify(execFile)(manager, ["--version"], { cwd: folder }).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
}

function typescriptVersion(folder: string): string | undefined {
  try {
    const manifest = createRequire(join(folder, "package.json"))("typescript/package.json") as {
      version: string;
    };
    return manifest.version;
  } catch {
    return undefined;
  }
}
