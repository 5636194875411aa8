import { createHash, randomUUID } from "node:crypto";
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Plugin } from "esbuild";
import manifest from "./package.json";

const ROOT = resolve(__dirname, "..");

/**
 * What `@pulumi/pulumi` loads only to serialize functions: the TypeScript compiler and npm's dependency resolver.
 * A policy pack serializes none, and without them it starts in 0.3 s instead of 1.2 s.
 */
const NEVER_NEEDED = ["typescript", "ts-node", "@npmcli/arborist"];

/** A pack to be bundled. */
export interface PackSources {
  /** The folder with `index.ts`; everything in it belongs to the pack. */
  readonly folder: string;
  /**
   * The engine looks for a plugin of this name to run a pack of this `runtime`. Being started that way, and not
   * through a language host that compiles the pack and passes every call on, saves 1 s and half of each call.
   */
  readonly runtime: string;
  readonly version: string;
}

const platformPack: PackSources = { folder: __dirname, runtime: "technova", version: manifest.version };

export interface PolicyPackBundle {
  /** For `--policy-pack`. */
  readonly folder: string;
  /** Name of the plugin that runs it, as in Pulumi's plugin folder. */
  readonly plugin: string;
  readonly executable: string;
  /** The folder with the executable. */
  readonly path: string;
}

/** Bundles a pack into one file, unless that has been done since it last changed. It runs from its sources too. */
export async function bundlePolicyPack(pack: PackSources = platformPack): Promise<PolicyPackBundle> {
  const { runtime, version } = pack;
  const output = join(ROOT, ".build", runtime === platformPack.runtime ? "policy" : `policy-${runtime}`);
  const executable = `pulumi-analyzer-policy-${runtime}`;
  const bundled = {
    folder: output,
    plugin: `analyzer-policy-${runtime}-v${version}`,
    executable,
    path: join(output, "bin"),
  };
  const main = `index.${await digestOfSources(pack)}.cjs`;
  if (await isComplete(output, main)) return bundled;
  await mkdir(join(output, "bin"), { recursive: true });
  const command = [process.execPath, join(output, main)].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  const put = (name: string, write: (file: string) => Promise<void>) => inPlace(join(output, name), write);
  await put(main, (file) => bundle(pack.folder, file));
  await put(`bin/${executable}`, (file) =>
    writeFile(file, `#!/bin/sh\nexec ${command.join(" ")}\n`, { mode: 0o755 }),
  );
  await put("PulumiPolicy.yaml", (file) => writeFile(file, `runtime: ${runtime}\n`));
  // Last, because it says which bundle is the current one. The policy server reads the version from it.
  const described = { name: `${runtime}-policies`, version, private: true, main };
  await put("package.json", (file) => writeFile(file, JSON.stringify(described)));
  await removeOthers(output, main);
  return bundled;
}

async function removeOthers(output: string, main: string): Promise<void> {
  const old = (await readdir(output)).filter((name) => /^index\.[0-9a-f]+\.cjs$/.test(name) && name !== main);
  await Promise.all(old.map((name) => rm(join(output, name), { force: true })));
}

async function isComplete(output: string, main: string): Promise<boolean> {
  try {
    await access(join(output, main));
    const { main: current } = JSON.parse(await readFile(join(output, "package.json"), "utf8")) as {
      main: string;
    };
    return current === main;
  } catch {
    return false;
  }
}

/** A file appears under its name only when it is whole, so that runs at the same time do not disturb each other. */
async function inPlace(path: string, write: (file: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await write(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function bundle(sources: string, file: string): Promise<void> {
  const { build } = await import("esbuild");
  await build({
    entryPoints: [join(sources, "index.ts")],
    outfile: file,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    // Names stay as they are: restoring them is done anew for every function that a call makes.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "none",
    logLevel: "error",
    absWorkingDir: ROOT,
    plugins: [neverNeeded, sharedProperties],
  });
}

const neverNeeded: Plugin = {
  name: "never-needed",
  setup(pluginBuild) {
    const filter = new RegExp(`^(${NEVER_NEEDED.join("|")})$`);
    pluginBuild.onResolve({ filter }, ({ path }) => ({ path, namespace: "never-needed" }));
    pluginBuild.onLoad({ filter: /.*/, namespace: "never-needed" }, () => ({ contents: "" }));
  },
};

/**
 * The policy server unpacks a resource anew for every policy, as one could change it: 20 ms each for a large
 * CustomResourceDefinition. Policies of this pack change nothing, so they share one copy, and what they have made of
 * it (`frame/objects.ts`).
 */
const sharedProperties: Plugin = {
  name: "shared-properties",
  setup(pluginBuild) {
    const shared = (name: string, unless: string) => `
      const make = exports.${name};
      const made = new WeakMap();
      exports.${name} = (given, ...more) => {
        if (${unless}) return make(given, ...more);
        if (!made.has(given)) made.set(given, make(given, ...more));
        return made.get(given);
      };`;
    const append = (filter: RegExp, code: string) =>
      pluginBuild.onLoad({ filter }, async ({ path }) => ({
        contents: `${await readFile(path, "utf8")}${code}`,
      }));
    append(/@pulumi[\\/]policy[\\/]deserialize\.js$/, shared("deserializeProperties", "more[0]"));
    // Of each request, its options and its provider are read anew for every policy as well.
    append(
      /@pulumi[\\/]policy[\\/]server\.js$/,
      `
      const once = (make) => {
        const made = new WeakMap();
        return (given) => {
          if (!made.has(given)) made.set(given, make(given));
          return made.get(given);
        };
      };
      getResourceOptions = once(getResourceOptions);
      getProviderResource = once(getProviderResource);`,
    );
    append(
      /@pulumi[\\/]policy[\\/]proxy\.js$/,
      shared("unknownCheckingProxy", 'typeof given !== "object" || given === null'),
    );
  },
};

async function digestOfSources({ folder }: PackSources): Promise<string> {
  const everything = await readdir(folder, { recursive: true });
  const names = everything.filter((name) => /\.(ts|yaml|json)$/.test(name)).sort();
  const files = [...names.map((name) => join(folder, name)), __filename, join(ROOT, "package-lock.json")];
  const hash = createHash("sha256").update(process.execPath);
  for (const file of files) hash.update(`${file}\0`).update(await readFile(file));
  return hash.digest("hex").slice(0, 16);
}
