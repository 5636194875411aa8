import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";

const content = z.record(z.string(), z.string());

/**
 * Entries of a history that is far away, in one file of this machine. An entry is written once, when its update has
 * ended, and never changes, so one that is here need not be asked for again. They are kept as the backend has them:
 * secrets as ciphertext. A file that is gone or torn costs time alone.
 */
export class EntryCache {
  private readonly entries: Map<string, string>;
  private saving: NodeJS.Timeout | undefined;

  constructor(private readonly path: string) {
    this.entries = new Map(Object.entries(read(path)));
  }

  /** @param get asks the backend for what is not here */
  async entry(id: string, get: () => Promise<string>): Promise<string> {
    const known = this.entries.get(id);
    if (known !== undefined) return known;
    const text = await get();
    this.entries.set(id, text);
    // Once for many that come together.
    this.saving ??= setTimeout(() => this.save(), 200);
    return text;
  }

  private save(): void {
    this.saving = undefined;
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
    const temporary = `${this.path}.${process.pid}.tmp`;
    writeFileSync(temporary, JSON.stringify(Object.fromEntries(this.entries)), { mode: 0o600 });
    renameSync(temporary, this.path);
  }
}

function read(path: string): Record<string, string> {
  if (!existsSync(path)) return {};
  try {
    return content.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return {};
  }
}
