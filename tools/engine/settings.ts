import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { isAlive } from "./processes";
import { parseStackSettings, type StackSettings } from "./project";
import { report, UserError } from "./report";
import { stateDirectory, type State } from "./state";

/*
 * The CLI records how a stack's secrets are encrypted (`encryptionsalt`) in the stack's settings file as soon as it
 * runs. With a passphrase that each checkout generates for itself that line differs from checkout to checkout, and
 * it would change a tracked file on every machine. So the CLI works on a copy of the settings, and afterwards:
 *
 * - what it changed in the copy (`config set`, `up --config`) goes into the tracked file, as everyone expects;
 * - the salt goes with it only once the settings hold a secret, which cannot be read without it.
 *
 * A stack whose settings name a secrets provider, or have their salt already, needs none of this: the CLI works on
 * the tracked file itself. So does one whose state lies in a Pulumi Cloud, which keeps the keys itself.
 */

/** The copy that one run of the CLI works on. */
export interface WorkingSettings {
  /** For `--config-file`. */
  readonly path: string;
  /** Takes changes over into the tracked file and removes the copy. */
  finish(): void;
}

/** @returns undefined where the CLI can work on the tracked file. */
export function workingSettings(root: string, state: State, tracked: string): WorkingSettings | undefined {
  const copies = join(stateDirectory(root), "settings");
  recoverLeftovers(copies);
  if (/^https?:/.test(state.url) || !existsSync(tracked)) return undefined;
  const text = readFileSync(tracked, "utf8");
  const settings = parseStackSettings(text, tracked);
  if (settings.secretsprovider ?? settings.encryptionsalt ?? settings.encryptedkey) return undefined;

  const folder = join(copies, `${process.pid}`);
  const path = join(folder, basename(tracked));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, "origin.json"), JSON.stringify({ tracked, text }));
  writeFileSync(path, text);
  return { path, finish: () => finish(folder) };
}

/** A run that was killed before it could take its changes over left its folder behind. */
function recoverLeftovers(copies: string): void {
  if (!existsSync(copies)) return;
  for (const owner of readdirSync(copies)) {
    if (isAlive(Number(owner))) continue;
    const folder = join(copies, owner);
    if (existsSync(join(folder, "origin.json"))) finish(folder);
    else rmSync(folder, { recursive: true, force: true });
  }
}

const origin = z.object({ tracked: z.string(), text: z.string() });

function finish(folder: string): void {
  const { tracked, text } = origin.parse(JSON.parse(readFileSync(join(folder, "origin.json"), "utf8")));
  const name = basename(tracked);
  const path = join(folder, name);
  // The CLI removes a stack's settings with the stack (`stack rm`, `destroy --remove`); the tracked file stays.
  const changed = existsSync(path) ? takeOver(text, readFileSync(path, "utf8"), path) : undefined;
  if (changed !== undefined) {
    if (readFileSync(tracked, "utf8") !== text) {
      throw new UserError(
        `${tracked} was edited while a command changed the same settings. The command's result is in ${path}; ` +
          `carry over what is needed, then delete ${folder}.`,
      );
    }
    const temporary = `${tracked}.${process.pid}.tmp`;
    writeFileSync(temporary, changed);
    renameSync(temporary, tracked);
    report(`${name}: settings changed`);
    if (/^encryptionsalt:/m.test(changed)) {
      report(`${name} now holds a secret; it can be read with the passphrase of this state only`);
    }
  }
  rmSync(folder, { recursive: true, force: true });
}

/** What the tracked file becomes after the CLI turned `before` into `after`; undefined when nothing is to change. */
export function takeOver(before: string, after: string, path: string): string | undefined {
  const old = parseStackSettings(before, path);
  const { encryptionsalt, ...settings } = parseStackSettings(after, path);
  const same: boolean = isDeepStrictEqual(old.config ?? {}, settings.config ?? {});
  if (
    same &&
    old.secretsprovider === settings.secretsprovider &&
    old.encryptedkey === settings.encryptedkey
  ) {
    return undefined;
  }
  if (encryptionsalt !== undefined && holdsSecret(settings.config)) return after;
  return after.replace(/^encryptionsalt:.*\n?/m, "");
}

/** Pulumi writes an encrypted value as a mapping with the one key `secure`. */
function holdsSecret(value: StackSettings["config"] | unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsSecret);
  if (typeof value !== "object" || value === null) return false;
  const entries = Object.entries(value);
  return entries.some(([key, inner]) => (key === "secure" && entries.length === 1) || holdsSecret(inner));
}
