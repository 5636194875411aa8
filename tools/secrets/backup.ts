import { constants, copyFileSync, existsSync, linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { UserError } from "../engine/report";
import type { FullApi } from "../release/api";
import { close, open, type Opened } from "./envelope";
import { keysFromBytes, keysToBytes, readKeys, type SealingKey } from "./keys";

/**
 * Writes a cluster's keys into a file that only the passphrase opens and only its owner can read; opens it again
 * before it says so.
 * @throws UserError when the file is there already, or a key is none
 */
export async function backupKeys(
  api: Pick<FullApi, "get">,
  file: string,
  passphrase: string,
  about: { readonly stack: string; readonly createdAt: Date },
): Promise<readonly SealingKey[]> {
  refuseExisting(file);
  const keys = await readKeys(api);
  const text = close(keysToBytes(keys), passphrase, about);
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text, { mode: 0o600, flag: "wx" });
    keysFromBytes(open(readFileSync(temporary, "utf8"), passphrase, file).content, file);
    put(temporary, file);
  } finally {
    rmSync(temporary, { force: true });
  }
  return keys;
}

/** Unlike a rename, this takes nothing's place. */
function put(temporary: string, file: string): void {
  try {
    linkSync(temporary, file);
  } catch (error) {
    // As on a USB stick: FAT has no links.
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP"].includes((error as NodeJS.ErrnoException).code ?? ""))
      throw error;
    copyFileSync(temporary, file, constants.COPYFILE_EXCL);
  }
}

/** @throws UserError: a backup is no reason to lose another */
export function refuseExisting(file: string): void {
  if (existsSync(file)) throw new UserError(`${file} is there already: name another file in --out.`);
}

export interface Backup extends Opened {
  readonly keys: readonly SealingKey[];
}

/** @throws UserError when the file cannot be read, does not open, or holds no keys */
export function readBackup(file: string, passphrase: string): Backup {
  const opened = open(readBackupFile(file), passphrase, file);
  return { ...opened, keys: keysFromBytes(opened.content, file) };
}

/** @throws UserError when it cannot be read */
export function readBackupFile(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new UserError(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? "unknown"}.`);
  }
}
