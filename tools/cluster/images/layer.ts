import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, lstatSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pack, type Header, type Pack } from "tar-stream";

/** One path of a layer. Everything that a file system would add by itself (times, owners' names) is left out. */
export type LayerEntry = { readonly path: string; readonly uid?: number; readonly gid?: number } & (
  | { readonly type: "directory"; readonly mode?: number }
  | { readonly type: "file"; readonly mode?: number; readonly content: string | Buffer }
  | { readonly type: "copy"; readonly mode?: number; readonly source: string }
  | { readonly type: "symlink"; readonly target: string }
);

/** Writes a tar file whose bytes depend on the entries alone; returns its digest and size. */
export async function writeLayer(
  entries: readonly LayerEntry[],
  file: string,
): Promise<{ digest: string; size: number }> {
  const archive = pack();
  const hash = createHash("sha256");
  let size = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  const written = pipeline(archive, measure, createWriteStream(file));
  const filled = (async () => {
    for (const entry of sorted(entries)) await addEntry(archive, entry);
    archive.finalize();
  })();
  filled.catch((error: Error) => archive.destroy(error));
  await Promise.all([written, filled]);
  return { digest: `sha256:${hash.digest("hex")}`, size };
}

/** In the order of their paths, each once: a later entry replaces an earlier one of the same path. */
function sorted(entries: readonly LayerEntry[]): LayerEntry[] {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  return [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

async function addEntry(archive: Pack, entry: LayerEntry): Promise<void> {
  const base = { name: entry.path, uid: entry.uid ?? 0, gid: entry.gid ?? 0, mtime: new Date(0) };
  const put = (headers: Partial<Header> & Pick<Header, "name">, content?: Buffer) =>
    new Promise<void>((resolve, reject) => {
      const done = (error?: Error | null) => (error ? reject(error) : resolve());
      if (content === undefined) archive.entry(headers, done);
      else archive.entry(headers, content, done);
    });
  switch (entry.type) {
    case "directory":
      return put({ ...base, type: "directory", mode: entry.mode ?? 0o755 });
    case "symlink":
      return put({ ...base, type: "symlink", linkname: entry.target, mode: 0o777 });
    case "file": {
      const content = Buffer.from(entry.content);
      return put({ ...base, type: "file", mode: entry.mode ?? 0o644, size: content.length }, content);
    }
    case "copy": {
      const stat = lstatSync(entry.source);
      const mode = entry.mode ?? stat.mode & 0o777;
      if (stat.size === 0) return put({ ...base, type: "file", mode, size: 0 }, Buffer.alloc(0));
      const sink = archive.entry({ ...base, type: "file", mode, size: stat.size });
      await pipeline(createReadStream(entry.source), sink);
    }
  }
}

/** Every file of a folder as entries of a layer. Owners become root; set-user-id bits are dropped. */
export function folderEntries(folder: string, skip: (path: string) => boolean = () => false): LayerEntry[] {
  const entries: LayerEntry[] = [];
  const visit = (relative: string) => {
    for (const name of readdirSync(join(folder, relative)).sort()) {
      const path = relative === "" ? name : `${relative}/${name}`;
      if (skip(path)) continue;
      const source = join(folder, path);
      const stat = lstatSync(source);
      if (stat.isSymbolicLink()) entries.push({ path, type: "symlink", target: readlinkSync(source) });
      else if (stat.isDirectory()) {
        entries.push({ path, type: "directory", mode: stat.mode & 0o1777 });
        visit(path);
      } else if (stat.isFile()) entries.push({ path, type: "copy", source });
    }
  };
  visit("");
  return entries;
}
