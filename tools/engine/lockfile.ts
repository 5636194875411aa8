import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive } from "./processes";
import { formatSeconds, report } from "./report";

/**
 * Creates a file with its whole content, or does nothing when it exists: of two processes at once one wins and
 * the other sees the winner's content, never a part of it.
 * @returns whether this call created it.
 */
export function createOnce(path: string, content: string, mode: number): boolean {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, content, { mode });
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Runs `work` while holding `path`; waits for a living holder, takes the lock of a dead one. */
export async function withLock<T>(path: string, what: string, work: () => Promise<T>): Promise<T> {
  const started = Date.now();
  let said = 0;
  while (!createOnce(path, String(process.pid), 0o600)) {
    const holder = readHolder(path);
    if (holder !== undefined && !isAlive(holder)) {
      rmSync(path, { force: true });
      continue;
    }
    if (Date.now() - said > 10_000) {
      said = Date.now();
      report(
        `waiting for process ${holder ?? "?"}, which is ${what} (${formatSeconds(Date.now() - started)})`,
      );
    }
    await sleep(500);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function readHolder(path: string): number | undefined {
  try {
    return Number(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}
