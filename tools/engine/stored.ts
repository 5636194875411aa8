import { stateFile, stateFolder, uncompressed } from "../history/names";
import type { StackReference } from "../history/source";
import { storeOf, writeState, type Store } from "../state/store";
import type { RunCli } from "./interrupted";
import { projectName } from "./project";
import { messageOf, report } from "./report";
import type { State } from "./state";

/** A stack's state as its backend has it. */
export interface Stored {
  readonly text: string;
  /** Writes it back as it was, interrupted operations included; only where a backend keeps files that can be reached. */
  readonly putBack?: () => Promise<void>;
}

/**
 * A file that cannot be had here is asked of the CLI, which knows more ways to a bucket.
 * @returns undefined where there is none, or where it cannot be read: what runs next says why
 */
export async function storedState(
  root: string,
  state: State,
  stack: string,
  env: NodeJS.ProcessEnv,
  run: RunCli,
): Promise<Stored | undefined> {
  try {
    const store = storeOf(state, env);
    if (store !== undefined) return await inFiles(store, { project: projectName(root), stack });
  } catch (error) {
    report(`the state of ${stack} is read by the CLI, for its file cannot be read here: ${messageOf(error)}`);
  }
  const { code, stdout } = await run(["stack", "export", "--stack", stack]);
  return code === 0 ? { text: stdout } : undefined;
}

async function inFiles(store: Store, reference: StackReference): Promise<Stored | undefined> {
  const folder = stateFolder(reference);
  const name = stateFile(await store.list(folder), reference);
  if (name === undefined) return undefined;
  const content = await store.read(`${folder}/${name}`);
  return { text: uncompressed(name, content), putBack: () => writeState(store, reference, name, content) };
}
