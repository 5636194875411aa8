import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import type { ManifestEntry } from "./lock";

const run = promisify(execFile);

/** Where files of a release come from; exchanged in tests. */
export interface ManifestSource {
  /** Said in progress lines. */
  readonly name: string;
  read(entry: ManifestEntry, path: string): Promise<Buffer>;
}

/** A request that gets no first byte in this time means a closed network, not a slow one. */
const probeTimeoutMs = 3_000;
const downloadTimeoutMs = 30_000;

export function fileAddress(entry: ManifestEntry, path: string): string {
  return entry.url.replaceAll("{version}", entry.version).replaceAll("{path}", path);
}

/** The release's own address. */
export const releaseSource: ManifestSource = {
  name: "its release",
  async read(entry, path) {
    const response = await fetch(fileAddress(entry, path), {
      signal: AbortSignal.timeout(downloadTimeoutMs),
    });
    if (!response.ok) throw new Error(`${fileAddress(entry, path)} answered ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  },
};

/** Whether the release's address answers at all, found out in at most 3 seconds. */
export async function releaseReachable(entry: ManifestEntry): Promise<boolean> {
  const [file] = entry.files;
  if (file === undefined) return false;
  try {
    await fetch(fileAddress(entry, file.path), {
      method: "HEAD",
      signal: AbortSignal.timeout(probeTimeoutMs),
    });
    return true;
  } catch {
    return false;
  }
}

const downloadAnswer = z.object({ Dir: z.string().optional(), Error: z.string().optional() });

/** The same version in the Go module registry, through the `go` command. */
export const moduleSource: ManifestSource = {
  name: "the Go module registry",
  async read(entry, path) {
    const directory = await moduleDirectory(entry.module, entry.version);
    return readFile(join(directory, path));
  },
};

/** Unpacked folder of a module in Go's own cache; `go` downloads it when it is not there. */
async function moduleDirectory(module: string, version: string): Promise<string> {
  // Outside of any module or workspace, so that nothing on this machine replaces the module.
  const options = { cwd: "/", env: { ...process.env, GOFLAGS: "", GOWORK: "off" }, maxBuffer: 1 << 20 };
  const { stdout } = await run("go", ["mod", "download", "-json", `${module}@v${version}`], options).catch(
    (error: NodeJS.ErrnoException & { stdout?: string }) => {
      if (error.code === "ENOENT") throw new Error("the `go` command is not installed");
      if (error.stdout) return { stdout: error.stdout };
      throw error;
    },
  );
  const answer = downloadAnswer.parse(JSON.parse(stdout));
  if (answer.Dir === undefined)
    throw new Error(answer.Error ?? `go mod download gave no folder for ${module}`);
  return answer.Dir;
}
