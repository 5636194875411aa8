import { createInterface } from "node:readline/promises";
import { UserError } from "./report";

/** Whether somebody is there who can be asked. */
export const canBeAsked = (): boolean => process.stdin.isTTY;

/** Asks whoever sits at the terminal; anything but yes is no. */
export async function ask(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

/**
 * As `ask`, for commands with `--yes` and `--dry-run`.
 * @throws UserError where nobody can be asked
 */
export async function confirm(question: string): Promise<boolean> {
  if (canBeAsked()) return ask(question);
  throw new UserError("Nobody can be asked here: say --yes, or --dry-run to see what would be done.");
}
