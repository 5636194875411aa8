import { readFileSync, statSync } from "node:fs";
import { UserError } from "../engine/report";

/** Where values and passphrases come from: never from the command line, which others on the machine can read. */
export interface Input {
  /** Whether a person types. */
  readonly interactive: boolean;
  /** Everything that standard input has, to its end. */
  readonly all: () => Promise<Buffer>;
  /** Asks a person for a line that is not shown. */
  readonly ask: (question: string) => Promise<string>;
}

/** The API server takes no larger Secret. */
const mostBytes = 1024 * 1024;

/**
 * The value to seal, from a file as it is, or from standard input without one line break at its end.
 * @throws UserError when there is none, or more than a Secret can hold
 */
export async function readValue(input: Input, file: string | undefined): Promise<Buffer> {
  const value = file === undefined ? await typed(input) : fromFile(file);
  if (value.length === 0) throw new UserError("The value is empty; nothing was sealed.");
  if (value.length > mostBytes) {
    throw new UserError(`The value has ${value.length} bytes; a Secret can hold ${mostBytes}.`);
  }
  return value;
}

async function typed(input: Input): Promise<Buffer> {
  if (input.interactive) return Buffer.from(await input.ask("Value (not shown): "));
  const all = await input.all();
  const end = all.subarray(-2).toString("latin1") === "\r\n" ? 2 : all.at(-1) === 0x0a ? 1 : 0;
  return all.subarray(0, all.length - end);
}

function fromFile(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UserError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? "unknown"}.`);
  }
}

export const shortestPassphrase = 12;

/**
 * The passphrase of a backup: a file's first line, or asked for.
 * @param confirm asks twice, for a passphrase that nothing could correct later
 * @throws UserError when it is too short, typed in two ways, or lies where others can read it
 */
export async function readPassphrase(
  input: Input,
  file: string | undefined,
  confirm: boolean,
): Promise<string> {
  if (file !== undefined) {
    const passphrase = fromFile(file).toString("utf8").split(/\r?\n/, 1).join();
    if ((statSync(file).mode & 0o077) !== 0) {
      throw new UserError(`${file} can be read by others on this machine: chmod 600 ${file}`);
    }
    return longEnough(passphrase);
  }
  if (!input.interactive) {
    throw new UserError("There is no terminal to ask for the passphrase: name a file in --passphrase-file.");
  }
  const passphrase = longEnough(await input.ask("Passphrase of the backup (not shown): "));
  if (confirm && (await input.ask("Once more: ")) !== passphrase) {
    throw new UserError("The two passphrases differ; nothing was written.");
  }
  return passphrase;
}

function longEnough(passphrase: string): string {
  if (passphrase.length >= shortestPassphrase) return passphrase;
  throw new UserError(`The passphrase has to have ${shortestPassphrase} characters or more.`);
}
