import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { isAlive } from "./processes";
import { projectName } from "./project";
import { report, UserError } from "./report";
import type { State } from "./state";

const lockContent = z.object({
  pid: z.number(),
  username: z.string(),
  hostname: z.string(),
  timestamp: z.string(),
});
export type LockContent = z.infer<typeof lockContent>;

/**
 * Clears the way for a command that locks a stack. A lock whose process is dead on this machine is taken away and
 * said so: the command had no chance to remove it. Any other lock stops with who holds it and what to do.
 * Other backends than files explain their locks themselves.
 */
export function clearStaleLocks(root: string, state: State, stack: string): void {
  if (state.directory === undefined) return;
  const folder = join(state.directory, ".pulumi/locks/organization", projectName(root), stack);
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder).filter((file) => file.endsWith(".json"))) {
    const path = join(folder, name);
    const lock = readLock(path);
    const who = holderOf(lock);
    if (isStale(lock, hostname())) {
      rmSync(path, { force: true });
      // The backend keeps the attributes of each of its files beside it.
      rmSync(`${path}.attrs`, { force: true });
      report(`removed the lock of an interrupted command (${who}): its process is gone`);
      continue;
    }
    throw new UserError(
      `The stack ${stack} is locked: ${who}.\n` +
        `  lock file: ${path}\n` +
        `Wait for that command to end. If it is certain that it runs nowhere any more, remove the lock with\n` +
        `  npm run pulumi -- cancel --stack ${stack}`,
    );
  }
}

/** Who holds a lock, in words; undefined when that is nobody any more. */
export function lockHolder(path: string, machine: string): string | undefined {
  const lock = readLock(path);
  return isStale(lock, machine) ? undefined : holderOf(lock);
}

/** The same of a lock that is kept somewhere else, where no process can be looked for. */
export function describeLock(text: string): string {
  return holderOf(parseLock(text));
}

function holderOf(lock: LockContent | undefined): string {
  if (lock === undefined) return "a file that cannot be read";
  return `${lock.username}@${lock.hostname}, process ${lock.pid}, since ${lock.timestamp}`;
}

function isStale(lock: LockContent | undefined, machine: string): boolean {
  return lock !== undefined && lock.hostname === machine && !runsCommand(lock.pid);
}

function readLock(path: string): LockContent | undefined {
  try {
    return parseLock(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

function parseLock(text: string): LockContent | undefined {
  try {
    return lockContent.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * A process id is used again some time; where the kernel tells, only a pulumi counts, or one of this project's own
 * commands, and no zombie.
 */
export function runsCommand(pid: number): boolean {
  if (!isAlive(pid)) return false;
  try {
    const [, name, status] = /\((.*)\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
    return /^(pulumi|node)/.test(name ?? "") && status !== "Z";
  } catch {
    return true;
  }
}
