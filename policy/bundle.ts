import { createHash, randomUUID } from "node:crypto";
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Plugin } from "esbuild";

const SOURCES = __dirname;
const ROOT = resolve(SOURCES, "..");
const OUTPUT = join(ROOT, ".build/policy");

/**
 * What `@pulumi/pulumi` loads only to serialize functions: the TypeScript compiler and npm's dependency resolver.
 * A policy pack serializes none, and without them it starts in 0.3 s instead of 1.2 s.
 */
const NEVER_NEEDED = ["typescript", "ts-node", "@npmcli/arborist"];

/**
 * The engine looks for a plugin of this name to run a pack whose `runtime` is `technova`. Being started that way, and
 * not through a language host that compiles the pack and passes every call on, saves 1 s and half of each call.
 */
const RUNTIME = "technova";
const EXECUTABLE = `pulumi-analyzer-policy-${RUNTIME}`;

export interface PolicyPackBundle {
  /** For `--policy-pack`. */
  readonly folder: string;
  /** Name of the plugin that runs it, as in Pulumi's plugin folder. */
  readonly plugin: string;
  readonly executable: string;
  /** The folder with the executable. */
  readonly path: string;
}

/** Bundles the pack into one file, unless that has been done since it last changed. It runs from its sources too. */
export async function bundlePolicyPack(): Promise<PolicyPackBundle> {
  const manifest = JSON.parse(await readFile(join(SOURCES, "package.json"), "utf8")) as { version: string };
  const bundled = {
    folder: OUTPUT,
    plugin: `analyzer-policy-${RUNTIME}-v${manifest.version}`,
    executable: EXECUTABLE,
    path: join(OUTPUT, "bin"),
  };
  const main = `index.${await digestOfSources()}.cjs`;
  if (await isComplete(main)) return bundled;
  await mkdir(join(OUTPUT, "bin"), { recursive: true });
  const command = [process.execPath, join(OUTPUT, main)].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  await inPlace(main, bundle);
  await inPlace(`bin/${EXECUTABLE}`, (file) =>
    writeFile(file, `#!/bin/sh\nexec ${command.join(" ")}\n`, { mode: 0o755 }),
  );
  await inPlace("PulumiPolicy.yaml", (file) => writeFile(file, `runtime: ${RUNTIME}\n`));
  // Last, because it says which bundle is the current one.
  await inPlace("package.json", (file) => writeFile(file, JSON.stringify({ ...manifest, main })));
  await removeOthers(main);
  return bundled;
}

async function removeOthers(main: string): Promise<void> {
  const old = (await readdir(OUTPUT)).filter((name) => /^index\.[0-9a-f]+\.cjs$/.test(name) && name !== main);
  await Promise.all(old.map((name) => rm(join(OUTPUT, name), { force: true })));
}

async function isComplete(main: string): Promise<boolean> {
  try {
    await access(join(OUTPUT, main));
    const { main: current } = JSON.parse(await readFile(join(OUTPUT, "package.json"), "utf8")) as {
      main: string;
    };
    return current === main;
  } catch {
    return false;
  }
}

/** A file appears under its name only when it is whole, so that runs at the same time do not disturb each other. */
async function inPlace(name: string, write: (file: string) => Promise<void>): Promise<void> {
  const temporary = join(OUTPUT, `${name}.${randomUUID()}.tmp`);
  try {
    await write(temporary);
    await rename(temporary, join(OUTPUT, name));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function bundle(file: string): Promise<void> {
  const { build } = await import("esbuild");
  await build({
    entryPoints: [join(SOURCES, "index.ts")],
    outfile: file,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    minify: true,
    keepNames: true,
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
 * CustomResourceDefinition. Policies of this pack change nothing, so they share one copy.
 */
const sharedProperties: Plugin = {
  name: "shared-properties",
  setup(pluginBuild) {
    pluginBuild.onLoad({ filter: /@pulumi[\\/]policy[\\/]deserialize\.js$/ }, async ({ path }) => ({
      contents: `${await readFile(path, "utf8")}
        const unpack = exports.deserializeProperties;
        const unpacked = new WeakMap();
        exports.deserializeProperties = (packed, keepSecrets) => {
          if (keepSecrets) return unpack(packed, keepSecrets);
          if (!unpacked.has(packed)) unpacked.set(packed, unpack(packed, keepSecrets));
          return unpacked.get(packed);
        };`,
    }));
  },
};

async function digestOfSources(): Promise<string> {
  const everything = await readdir(SOURCES, { recursive: true });
  const names = everything.filter((name) => /\.(ts|yaml|json)$/.test(name)).sort();
  const files = [...names.map((name) => join(SOURCES, name)), join(ROOT, "package-lock.json")];
  const hash = createHash("sha256").update(process.execPath);
  for (const file of files) hash.update(`${file}\0`).update(await readFile(file));
  return hash.digest("hex").slice(0, 16);
}
