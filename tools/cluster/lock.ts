import { linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readJson } from "./files";
import { identify, isAlive, type ProcessIdentity } from "./proc";

/**
 * Runs `work` while no other process runs work under the same lock file. The lock of a process that was killed
 * is taken over. `onWait` is called once if there is somebody to wait for.
 */
export async function withLock<T>(
  path: string,
  onWait: (holder: number) => void,
  work: () => Promise<T>,
): Promise<T> {
  const self = identify(process.pid);
  if (self === undefined) throw new Error("/proc is not readable");
  let announced = false;
  while (!tryLock(path, self)) {
    const holder = readJson<ProcessIdentity>(path);
    if (holder !== undefined && isAlive(holder)) {
      if (!announced) onWait(holder.pid);
      announced = true;
      await sleep(500);
    } else {
      dropStale(path);
    }
  }
  try {
    return await work();
  } finally {
    if (readJson<ProcessIdentity>(path)?.pid === process.pid) rmSync(path, { force: true });
  }
}

function tryLock(path: string, self: ProcessIdentity): boolean {
  mkdirSync(dirname(path), { recursive: true });
  const own = `${path}.${self.pid}`;
  writeFileSync(own, JSON.stringify(self));
  try {
    linkSync(own, path); // the lock appears with its content, or not at all
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

/** Of several that find the same stale lock, the rename lets one through. */
function dropStale(path: string): void {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
    rmSync(aside, { force: true });
  } catch {
    // another one was faster
  }
}
