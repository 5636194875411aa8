import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { runsCommand } from "../engine/locks";
import { report } from "../engine/report";
import { stateDirectory } from "../engine/state";
import type { Store } from "./store";

/*
 * A lock in a shared backend names a process and a host, and that is not enough to know whether the process is gone:
 * containers of different machines have the same names and numbers. So what this checkout locks by itself it also
 * notes here, with what no other machine has. A note outlives its process only when that was killed.
 */

const noteSchema = z.object({
  /** The backend as PULUMI_BACKEND_URL has it, and the lock in it. */
  backend: z.string(),
  path: z.string(),
  pid: z.number(),
  processes: z.string(),
});

export interface OwnLock {
  readonly id: string;
  readonly backend: string;
  readonly path: string;
}

const folder = (root: string): string => join(stateDirectory(root), "own-locks");

/** Notes a lock of this process, before it is written. */
export function noteLock(root: string, { id, backend, path }: OwnLock): void {
  const processes = processSpace();
  if (processes === undefined) return;
  mkdirSync(folder(root), { recursive: true, mode: 0o700 });
  const note: z.infer<typeof noteSchema> = { backend, path, pid: process.pid, processes };
  writeFileSync(join(folder(root), `${id}.json`), JSON.stringify(note), { mode: 0o600 });
}

/** After the lock is gone. */
export function forgetLock(root: string, id: string): void {
  rmSync(join(folder(root), `${id}.json`), { force: true });
}

/** Locks of this checkout whose processes are surely gone. */
export function abandonedLocks(root: string): OwnLock[] {
  return namesIn(folder(root)).flatMap((name) => {
    const note = readNote(join(folder(root), name));
    const gone = note !== undefined && note.processes === processSpace() && !runsCommand(note.pid);
    return gone ? [{ id: name.replace(/\.json$/, ""), backend: note.backend, path: note.path }] : [];
  });
}

/** Takes away what killed commands of this checkout have left locked in a backend, and says so. */
export async function removeAbandonedLocks(root: string, store: Store): Promise<void> {
  for (const { id, path } of abandonedLocks(root).filter(({ backend }) => backend === store.url)) {
    await store.remove(path);
    forgetLock(root, id);
    report(`removed the lock that an interrupted command of this checkout has left: ${store.locate(path)}`);
  }
}

/**
 * Among whose processes a number means one: a container has its own. Undefined where that cannot be told.
 */
function processSpace(): string | undefined {
  if (process.platform !== "linux") return hostname();
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return undefined;
  }
}

function readNote(path: string): z.infer<typeof noteSchema> | undefined {
  try {
    return noteSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path).filter((name) => name.endsWith(".json"));
  } catch {
    return [];
  }
}
