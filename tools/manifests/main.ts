import { Command } from "commander";
import { join } from "node:path";
import {
  defaultSources,
  ensureManifests,
  fetchFiles,
  sha256,
  writeAtomically,
  type EnsureOptions,
} from "./ensure";
import { loadManifestLock, manifestFile, manifestLockPath, manifestLockSchema } from "./lock";

/**
 * Moves one entry of the lock to another version: fetches the same files, takes their sums, writes the lock.
 * @throws Error when the entry is unknown, the version malformed, or a file does not exist in that version.
 */
export async function updateManifest(
  root: string,
  name: string,
  version: string,
  options: EnsureOptions,
): Promise<void> {
  const entries = loadManifestLock(root);
  const index = entries.findIndex((entry) => entry.name === name);
  const current = entries[index];
  if (current === undefined) {
    throw new Error(
      `${manifestLockPath} has no "${name}"; it has ${entries.map((entry) => entry.name).join(", ")}.`,
    );
  }
  const wanted = { ...current, version: version.replace(/^v/, "") };
  manifestLockSchema.parse([wanted]);
  const paths = wanted.files.map((file) => file.path);
  const { contents, source } = await fetchFiles(
    wanted,
    paths,
    await (options.sources ?? defaultSources())(wanted),
  );
  wanted.files = [...contents].map(([path, content]) => ({ path, sha256: sha256(content) }));
  entries[index] = wanted;
  await writeAtomically(join(root, manifestLockPath), `${JSON.stringify(entries, null, 2)}\n`);
  for (const [path, content] of contents) await writeAtomically(manifestFile(root, wanted, path), content);
  options.log(
    `manifests: ${name} ${current.version} -> ${wanted.version}, ${paths.length} files from ${source.name}`,
  );
}

export function manifestsCommand(root: string): Command {
  const command = new Command("manifests")
    .description("fetch the pinned upstream manifests and verify their SHA-256")
    .action(async () => {
      await ensureManifests(root, { log: console.log });
      console.log(
        `manifests: ${loadManifestLock(root).length} releases are cached and match ${manifestLockPath}`,
      );
    });
  command
    .command("update <name> <version>")
    .description("move one release of the lock to another version and take its sums")
    .action((name: string, version: string) => updateManifest(root, name, version, { log: console.log }));
  return command;
}
