import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { createOnce } from "../engine/lockfile";
import { runsCommand } from "../engine/locks";
import { UserError } from "../engine/report";
import { stateDirectory } from "../engine/state";

/*
 * A rollback writes down what it is about to do before it does it, beside the state. Killed at any step and started
 * again, it goes on where it was: forward, unless it was on its way back already. Applying the same settings once more
 * changes nothing, so that it does not matter how far the step had come.
 */

const place = z.object({ id: z.string(), number: z.int(), text: z.string() });

const journal = z.object({
  startedAt: z.string(),
  /** ID of the newest update that its plan knew of: any that comes later is its own, or somebody else's. */
  newestKnown: z.string(),
  /** applying: the target's settings; returning: those of before; applied: only the notes are missing. */
  stage: z.enum(["applying", "returning", "applied"]),
  /** The update that is gone back to. */
  target: place,
  /** The update that is left behind. */
  before: place,
  /** Whether the target is that update's state as a whole. */
  whole: z.boolean(),
  immediate: z.boolean(),
  program: z.enum(["today", "then"]),
  commit: z.string().optional(),
  /** Text of the stack's file once it has worked. */
  settings: z.string(),
  /** SHA-256 of that file when it began. */
  settingsBefore: z.string().optional(),
  /** Settings of the update that brings it. */
  apply: z.string(),
  /** Those of the one that leads back; left out where the stack was in no whole state before. */
  restore: z.string().optional(),
  /** The release that the cluster may still have, by its annotation. */
  release: z.string().optional(),
  /** The one that served when it began. */
  releaseBefore: z.string().optional(),
  limits: z.object({ errorPercent: z.number(), minimumRequests: z.number(), seconds: z.number() }),
  /** Versions, for the dashboards. */
  fromVersion: z.string(),
  toVersion: z.string(),
  /** Why it is on its way back. */
  failure: z.string().optional(),
});
export type Journal = z.infer<typeof journal>;

/** The folder of everything that a stack's rollback writes; nothing of it stays. */
export function rollbackFolder(root: string, stack: string): string {
  return join(stateDirectory(root), "rollback", stack);
}

function journalFile(root: string, stack: string): string {
  return join(rollbackFolder(root, stack), "journal.json");
}

/**
 * Lets one process at a time work on a stack; the claim of one that is gone counts for nothing.
 * @throws UserError while another process is at it
 */
export async function alone<T>(root: string, stack: string, work: () => Promise<T>): Promise<T> {
  const path = `${rollbackFolder(root, stack)}.lock`;
  while (!createOnce(path, String(process.pid), 0o600)) {
    const holder = holderOf(path);
    if (holder !== undefined && runsCommand(holder)) {
      throw new UserError(
        `Process ${holder} is rolling the stack ${stack} back at the moment; wait for it. (Its lock is ${path}.)`,
      );
    }
    rmSync(path, { force: true });
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/** Undefined where it has just ended. */
function holderOf(path: string): number | undefined {
  try {
    return Number(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** What an interrupted rollback has left. */
export function readJournal(root: string, stack: string): Journal | undefined {
  const path = journalFile(root, stack);
  if (!existsSync(path)) return undefined;
  const found = journal.safeParse(JSON.parse(readFileSync(path, "utf8")));
  if (found.success) return found.data;
  throw new UserError(
    `${path} cannot be read: another version of this program has left it. Run npm run up to bring the stack to its ` +
      "settings, and delete the file.",
  );
}

/** Written whole or not at all. */
export function writeJournal(root: string, stack: string, content: Journal): Journal {
  writeWhole(journalFile(root, stack), `${JSON.stringify(content, undefined, 2)}\n`);
  return content;
}

export function forgetJournal(root: string, stack: string): void {
  rmSync(rollbackFolder(root, stack), { recursive: true, force: true });
}

/** What a file has, to see later whether it is still that. */
export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Keeps the text of a stack's file that a rollback replaces. @returns the copy's path */
export function keepSettings(root: string, stack: string, text: string): string {
  const time = new Date().toISOString().replace(/[:.]/g, "-");
  const copy = join(stateDirectory(root), "settings-before-rollback", `Pulumi.${stack}.${time}.yaml`);
  writeWhole(copy, text);
  return copy;
}

/** Replaces a file at once: whoever reads it sees the old text or the new one. */
export function writeWhole(path: string, text: string | Buffer, mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { mode });
  renameSync(temporary, path);
}
