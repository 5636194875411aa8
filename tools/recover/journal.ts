import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../engine/report";
import { stateDirectory } from "../engine/state";
import { writeWhole } from "../rollback/journal";

/*
 * A recovery writes down what it has done, beside the state. Killed at any moment and started again it goes on with the
 * step that it was at: each of them can be done twice.
 */

export const stepNames = ["state", "cluster", "settings", "up", "verify", "tidy"] as const;
export type StepName = (typeof stepNames)[number];

const journal = z.object({
  startedAt: z.iso.datetime(),
  /** The archive's copy beside the journal, and where it came from. */
  archive: z.object({ file: z.string(), from: z.string(), sha256: z.string() }),
  /** What was asked for, as the command line has it. */
  wanted: z.string().optional(),
  /** As the settings have it; left out where the database has its data. */
  recovery: z
    .union([
      z.object({ snapshot: z.string() }),
      z.object({ time: z.string(), orEnd: z.boolean().optional() }),
    ])
    .optional(),
  /** The backup that it starts from, and the moment up to which data is to come back. */
  backup: z.string().optional(),
  until: z.iso.datetime().optional(),
  /** Rows of each table that the backup says it has. */
  tables: z.record(z.string(), z.number()).optional(),
  /** Whether the repository's version, image and schema stay, for the data is newer than the archive's. */
  keepsImage: z.boolean().optional(),
  /** Whether the update that fills the database has begun. */
  filling: z.boolean().optional(),
  /** What was found when the service was looked at, in words. */
  found: z.string().optional(),
  done: z.array(z.enum(stepNames)),
  /** How long each step took in all, in seconds; attempts that failed are in it. */
  seconds: z.partialRecord(z.enum(["check", ...stepNames]), z.number()),
});
export type Journal = z.infer<typeof journal>;

/** The folder of everything that a stack's recovery writes. */
export function recoveryFolder(root: string, stack: string): string {
  return join(stateDirectory(root), "recover", stack);
}

function journalFile(root: string, stack: string): string {
  return join(recoveryFolder(root, stack), "journal.json");
}

export function readJournal(root: string, stack: string): Journal | undefined {
  const path = journalFile(root, stack);
  if (!existsSync(path)) return undefined;
  const found = journal.safeParse(JSON.parse(readFileSync(path, "utf8")));
  if (found.success) return found.data;
  throw new UserError(
    `${path} cannot be read: another version of this program has left it. Delete it, and begin anew.`,
  );
}

/** Written whole or not at all. */
export function writeJournal(root: string, stack: string, content: Journal): Journal {
  writeWhole(journalFile(root, stack), `${JSON.stringify(content, undefined, 2)}\n`);
  return content;
}

export function forgetJournal(root: string, stack: string): void {
  rmSync(recoveryFolder(root, stack), { recursive: true, force: true });
}
