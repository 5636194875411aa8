import { open, readdir, readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { lockHolder } from "../engine/locks";
import { headBytes, readHead, readWhole, type LeftBehind } from "./checkpoint";
import {
  checkpointsById,
  historyFiles,
  historyFolder,
  isCompressed,
  lockFolder,
  stateFile,
  stateFolder,
  uncompressed,
  type HistoryFile,
} from "./names";
import { inParallel } from "./parallel";
import type { HistorySource, StackReference } from "./source";
import { parseUpdate, type Update } from "./update";

/** Files that are open at the same time. */
const atOnce = 32;

/** The history of a state that lies in a folder. */
export class FileHistory implements HistorySource {
  private readonly folder: string;
  private readonly states: string;
  private readonly locks: string;
  private listed: Promise<string[]> | undefined;
  private left: Promise<ReadonlyMap<string, HistoryFile>> | undefined;

  /** @param bookkeeping the backend's folder `.pulumi` */
  constructor(
    bookkeeping: string,
    private readonly stack: StackReference,
  ) {
    this.states = join(bookkeeping, stateFolder(stack));
    this.folder = join(bookkeeping, historyFolder(stack));
    this.locks = join(bookkeeping, lockFolder(stack));
  }

  async updates(limit = Infinity): Promise<readonly Update[]> {
    const files = historyFiles(await this.names(), "history");
    const first = Math.max(0, files.length - limit);
    return inParallel(files.slice(first), atOnce, async ({ name, id }, index) =>
      parseUpdate(id, first + index + 1, uncompressed(name, await readFile(join(this.folder, name)))),
    );
  }

  async leftBehind(id: string, whole = false): Promise<LeftBehind | undefined> {
    const file = (await (this.left ??= this.names().then(checkpointsById))).get(id);
    return file === undefined ? undefined : readCheckpoint(this.folder, file.name, whole);
  }

  async current(): Promise<LeftBehind | undefined> {
    const name = stateFile(await namesIn(this.states), this.stack);
    return name === undefined ? undefined : readCheckpoint(this.states, name);
  }

  /** Listed once: what is added to a history meanwhile is of no matter to whoever reads it. */
  private names(): Promise<string[]> {
    return (this.listed ??= namesIn(this.folder));
  }

  async lockedBy(): Promise<string | undefined> {
    const names = (await namesIn(this.locks)).filter((name) => name.endsWith(".json"));
    const holders = names.map((name) => {
      const path = join(this.locks, name);
      const holder = lockHolder(path, hostname());
      return holder && `${holder} (${path})`;
    });
    // A lock whose process is gone is no lock: the next command that changes the stack takes it away.
    return holders.find((holder) => holder !== undefined);
  }
}

async function readCheckpoint(folder: string, name: string, whole = false): Promise<LeftBehind> {
  const path = join(folder, name);
  const head = whole || isCompressed(name) ? undefined : readHead(await beginningOf(path));
  return head ?? readWhole(uncompressed(name, await readFile(path)));
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

async function beginningOf(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}
