import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative, resolve } from "node:path";

const SOURCES = __dirname;
const ROOT = resolve(SOURCES, "../..");
const OUTPUT = join(ROOT, ".build/plugins");
const LANGUAGE_HOST = "language-nodejs";
const GENERIC = "generic";
/** Bundles and launchers that nobody asked for in this time are of older sources. */
const KEEP_MILLISECONDS = 24 * 60 * 60 * 1000;

export interface PluginOptions {
  /** Packages without an official plugin on this machine, such as `kubernetes`. */
  readonly packages: string[];
  /** Whether the Node language host is needed too. */
  readonly languageHost: boolean;
}

/**
 * Makes the plugins ready to be started by the Pulumi CLI and returns the folder to put in front of PATH. It holds
 * exactly the plugins that were asked for, so an official one is never hidden.
 *
 * Bundles are named by the digest of their sources, launcher folders by the digest of their launchers, and both
 * appear at once and complete: processes that prepare at the same time do not disturb each other.
 */
export async function preparePlugins({ packages, languageHost }: PluginOptions): Promise<string> {
  const launchers: Record<string, string> = {};
  const wanted: [launcher: string, source: string, args: string[]][] = packages.map((name) =>
    existsSync(join(SOURCES, name, "main.ts")) && name !== GENERIC && name !== LANGUAGE_HOST
      ? [`pulumi-resource-${name}`, name, []]
      : [`pulumi-resource-${name}`, GENERIC, [name, installedVersion(name)]],
  );
  if (languageHost) wanted.push(["pulumi-language-nodejs", LANGUAGE_HOST, []]);

  const sources = [...new Set(wanted.map(([, source]) => source))];
  const bundled = await Promise.all(sources.map(async (source) => [source, await bundle(source)] as const));
  const bundles = new Map(bundled);
  for (const [launcher, source, args] of wanted) {
    const command = [process.execPath, bundles.get(source) ?? "", ...args].map(quote).join(" ");
    launchers[launcher] = `#!/bin/sh\nexec ${command} "$@"\n`;
  }
  const folder = join(OUTPUT, "bin", digest(JSON.stringify(launchers)));
  await once(folder, async (temporary) => {
    await mkdir(temporary, { recursive: true });
    for (const [name, script] of Object.entries(launchers)) {
      await writeFile(join(temporary, name), script, { mode: 0o755 });
    }
  });
  await prune(OUTPUT);
  await prune(join(OUTPUT, "bin"));
  return folder;
}

/**
 * Bundles one plugin, so that it starts by loading one file instead of hundreds, and returns that file. A
 * `preload.ts` beside the entry point is bundled to `preload.cjs` beside it.
 */
async function bundle(name: string): Promise<string> {
  const sources = await Promise.all([name, "rpc"].map((folder) => contents(join(SOURCES, folder))));
  const lock = await readFile(join(ROOT, "package-lock.json"), "utf8");
  const folder = join(OUTPUT, `${name}.${digest(JSON.stringify([sources, lock]))}`);
  await once(folder, async (temporary) => {
    const { build } = await import("esbuild");
    const entryPoints = ["main.ts", "preload.ts"].map((file) => join(SOURCES, name, file)).filter(existsSync);
    const { metafile } = await build({
      entryPoints,
      outdir: temporary,
      outExtension: { ".js": ".cjs" },
      bundle: true,
      platform: "node",
      format: "cjs",
      target: "node20",
      minify: true,
      keepNames: true,
      legalComments: "none",
      metafile: true,
      absWorkingDir: ROOT,
      logLevel: "warning",
    });
    assertOwnSources(name, Object.keys(metafile.inputs));
  });
  return join(folder, "main.cjs");
}

/** A bundle is rebuilt when its folder or rpc/ changes, so it must not take anything from elsewhere. */
function assertOwnSources(name: string, inputs: string[]): void {
  const own = [name, "rpc"].map((folder) => `${relative(ROOT, join(SOURCES, folder))}/`);
  const foreign = inputs.filter(
    (input) => !input.startsWith("node_modules/") && !own.some((folder) => input.startsWith(folder)),
  );
  if (foreign.length)
    throw new Error(`the plugin ${name} may only import from its folder and rpc/: ${foreign.join(", ")}`);
}

/** Creates `path` through `make`, unless it exists. Whoever finishes first wins; the result is the same. */
async function once(path: string, make: (temporary: string) => Promise<void>): Promise<void> {
  if (existsSync(path)) {
    const now = new Date();
    return utimes(path, now, now);
  }
  const temporary = `${path}.${process.pid}.tmp`;
  await mkdir(join(path, ".."), { recursive: true });
  try {
    await make(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    if (!existsSync(path)) throw error;
  }
}

async function prune(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
    if (name !== "bin" && mtimeMs < Date.now() - KEEP_MILLISECONDS)
      await rm(path, { recursive: true, force: true });
  }
}

async function contents(folder: string): Promise<[string, string][]> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  return Promise.all(
    paths
      .sort()
      .map(async (path) => [relative(SOURCES, path), await readFile(path, "utf8")] as [string, string]),
  );
}

/** The version of the package's SDK, which is the one of its official plugin too; empty where it has none here. */
function installedVersion(name: string): string {
  try {
    return (createRequire(__filename)(`@pulumi/${name}/package.json`) as { version: string }).version;
  } catch {
    return "";
  }
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
