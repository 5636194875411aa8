import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { UserError } from "../engine/report";
import type { State } from "../engine/state";
import { stateFile, stateFolder } from "../history/names";
import type { StackReference } from "../history/source";

// The client for S3 alone takes a third of a second to load.
const load = createRequire(__filename);

/** A backend that keeps files: those below its folder `.pulumi`, by names with slashes. */
export interface Store {
  readonly kind: "file" | "s3";
  /** As PULUMI_BACKEND_URL has it. */
  readonly url: string;
  /** Names of the files in a folder. */
  list(folder: string): Promise<string[]>;
  read(path: string): Promise<Buffer>;
  /** Writes a file whole: nobody ever sees a part of it. */
  write(path: string, content: Buffer): Promise<void>;
  remove(path: string): Promise<void>;
  /** Where a file lies, for people. */
  locate(path: string): string;
}

/**
 * The files of a backend; undefined for a Pulumi Cloud, which has none.
 * @throws UserError for a backend that cannot be copied
 */
export function openStore(state: State, env: NodeJS.ProcessEnv): Store | undefined {
  const store = storeOf(state, env);
  const { protocol } = new URL(state.url);
  if (store !== undefined || protocol === "https:" || protocol === "http:") return store;
  throw new UserError(
    `A state in ${protocol}// cannot be copied here; it can in file://, s3:// and a Pulumi Cloud.`,
  );
}

/** The files of a backend, where it has any and they can be reached from here. */
export function storeOf(state: State, env: NodeJS.ProcessEnv): Store | undefined {
  if (state.directory !== undefined) return new FolderStore(state.url, join(state.directory, ".pulumi"));
  if (!state.url.startsWith("s3:")) return undefined;
  const { BucketStore } = load("./bucket") as typeof import("./bucket");
  return BucketStore.open(state.url, env);
}

/** Writes a stack's state, and takes it away in any other form: that would be read in its place. */
export async function writeState(
  store: Store,
  reference: StackReference,
  name: string,
  content: Buffer,
): Promise<void> {
  const folder = stateFolder(reference);
  await store.write(`${folder}/${name}`, content);
  for (;;) {
    const others = (await store.list(folder)).filter((each) => each !== name);
    const other = stateFile(others, reference);
    if (other === undefined) return;
    await store.remove(`${folder}/${other}`);
  }
}

class FolderStore implements Store {
  readonly kind = "file";

  constructor(
    readonly url: string,
    private readonly folder: string,
  ) {}

  async list(folder: string): Promise<string[]> {
    const path = join(this.folder, folder);
    if (!existsSync(path)) return [];
    const entries = await readdir(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  }

  read(path: string): Promise<Buffer> {
    return readFile(join(this.folder, path));
  }

  async write(path: string, content: Buffer): Promise<void> {
    const file = join(this.folder, path);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const temporary = `${file}.${process.pid}.tmp`;
    await writeFile(temporary, content, { mode: 0o600, flush: true });
    await rename(temporary, file);
    // What the backend has noted about the file before.
    await rm(`${file}.attrs`, { force: true });
  }

  async remove(path: string): Promise<void> {
    await rm(join(this.folder, path), { force: true });
    await rm(join(this.folder, `${path}.attrs`), { force: true });
  }

  locate(path: string): string {
    return join(this.folder, path);
  }
}
