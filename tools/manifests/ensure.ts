import { createHash } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { loadManifestLock, manifestFile, manifestLockPath, type ManifestEntry } from "./lock";
import { fileAddress, moduleSource, releaseReachable, releaseSource, type ManifestSource } from "./sources";

export interface EnsureOptions {
  /** Receives one line per release that has to be fetched. */
  readonly log: (line: string) => void;
  /** The sources to try for an entry, in order; by default its release, then the Go module registry. */
  readonly sources?: (entry: ManifestEntry) => Promise<ManifestSource[]>;
}

/**
 * Makes every file of the lock present in the cache, with the sum that the lock gives.
 * Files already cached are verified too, so that an edited or torn one cannot be used.
 * @throws Error with both sums when a file differs from the lock, or with what each source said when none had it.
 */
export async function ensureManifests(root: string, options: EnsureOptions): Promise<void> {
  const choose = options.sources ?? defaultSources();
  for (const entry of loadManifestLock(root)) {
    const missing = await missingFiles(root, entry);
    if (missing.length === 0) continue;
    const { contents, source } = await fetchFiles(
      entry,
      missing.map((file) => file.path),
      await choose(entry),
    );
    options.log(`manifests: ${entry.name} ${entry.version} from ${source.name}`);
    // Every sum is checked before the first file is written: a release is taken whole or not at all.
    for (const file of missing) {
      const content = contents.get(file.path);
      if (content === undefined) throw new Error(`${source.name} gave no ${file.path}`);
      verify(entry, file, sha256(content), `what ${source.name} gave`);
    }
    for (const [path, content] of contents) await writeAtomically(manifestFile(root, entry, path), content);
  }
}

/** Fetches the named files from the first source that has them all. */
export async function fetchFiles(
  entry: ManifestEntry,
  paths: string[],
  sources: ManifestSource[],
): Promise<{ contents: Map<string, Buffer>; source: ManifestSource }> {
  const failures: string[] = [];
  for (const source of sources) {
    try {
      const contents = new Map<string, Buffer>();
      for (const path of paths) contents.set(path, await source.read(entry, path));
      return { contents, source };
    } catch (error) {
      failures.push(`  ${source.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(
    `${entry.name} ${entry.version} could not be fetched:\n${failures.join("\n")}\n` +
      `Open the way to ${fileAddress(entry, "...")}, or install Go and let it reach its module registry ` +
      `(${entry.module}@v${entry.version}).`,
  );
}

/** Probes each host once: an unreachable one is left out instead of being waited for per file. */
export function defaultSources(): (entry: ManifestEntry) => Promise<ManifestSource[]> {
  const reachable = new Map<string, Promise<boolean>>();
  return async (entry) => {
    const host = new URL(entry.url.replaceAll(/[{}]/g, "")).host;
    const probe = reachable.get(host) ?? releaseReachable(entry);
    reachable.set(host, probe);
    return (await probe) ? [releaseSource, moduleSource] : [moduleSource];
  };
}

async function missingFiles(root: string, entry: ManifestEntry): Promise<ManifestEntry["files"]> {
  const missing: ManifestEntry["files"] = [];
  for (const file of entry.files) {
    const path = manifestFile(root, entry, file.path);
    const content = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined;
      throw error;
    });
    if (content === undefined) missing.push(file);
    else verify(entry, file, sha256(content), `the cached file ${path} (delete it to fetch it again)`);
  }
  return missing;
}

function verify(
  entry: ManifestEntry,
  file: ManifestEntry["files"][number],
  actual: string,
  what: string,
): void {
  if (actual === file.sha256) return;
  throw new Error(
    `${entry.name} ${entry.version}: ${file.path} is not the file that ${manifestLockPath} names.\n` +
      `  expected SHA-256 ${file.sha256}\n` +
      `  actual   SHA-256 ${actual}, of ${what}\n` +
      `Nothing was written. If the release is to be changed on purpose: npm run manifests -- update ${entry.name} <version>`,
  );
}

export function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

/** A reader sees the whole file or none, also when this process is killed. */
export async function writeAtomically(path: string, content: Buffer | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, content);
  await rename(temporary, path);
}
