import { projectName } from "./project";
import type { RunCli } from "./interrupted";
import type { State } from "./state";
import { stateFile, stateFolder, uncompressed } from "../history/names";
import { storeOf } from "../state/store";

/** A stack's state as its backend has it. */
export interface Stored {
  readonly text: string;
  /** Writes it back as it was, interrupted operations included; only where a backend keeps files that can be reached. */
  readonly putBack?: () => Promise<void>;
}

/** Undefined where there is none, or where it cannot be read: what runs next says why. */
export async function storedState(
  root: string,
  state: State,
  stack: string,
  env: NodeJS.ProcessEnv,
  run: RunCli,
): Promise<Stored | undefined> {
  const store = storeOf(state, env);
  if (store === undefined) {
    const { code, stdout } = await run(["stack", "export", "--stack", stack]);
    return code === 0 ? { text: stdout } : undefined;
  }
  const reference = { project: projectName(root), stack };
  const folder = stateFolder(reference);
  const name = stateFile(await store.list(folder), reference);
  if (name === undefined || name.endsWith(".zst")) return undefined;
  const path = `${folder}/${name}`;
  const content = await store.read(path);
  return { text: uncompressed(name, content), putBack: () => store.write(path, content) };
}
