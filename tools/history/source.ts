import { createRequire } from "node:module";
import { join } from "node:path";
import { projectName } from "../engine/project";
import { UserError } from "../engine/report";
import { openState, stateDirectory, type State } from "../engine/state";
import { abandonedLocks } from "../state/ownLocks";
import type { LeftBehind } from "./checkpoint";
import type { Update } from "./update";

// What reads one kind of backend is loaded where that is used: the client for S3 alone takes a third of a second.
const load = createRequire(__filename);

/** A stack's history, wherever its backend keeps it. Reading it neither locks the stack nor changes anything. */
export interface HistorySource {
  /**
   * The newest updates, oldest first; all of them without a limit.
   * @throws UserError when the backend does not answer, or an entry cannot be read
   */
  updates(limit?: number): Promise<readonly Update[]>;
  /**
   * What an update left behind; undefined where that was not kept.
   * @param whole also what stands far behind in a state, which may have megabytes
   */
  leftBehind(id: string, whole?: boolean): Promise<LeftBehind | undefined>;
  /** The stack as it is now: later than the newest update when its secrets were encrypted anew. */
  current(): Promise<LeftBehind | undefined>;
  /** Who holds the stack's lock, in words; undefined while nobody does. Asked anew each time. */
  lockedBy(): Promise<string | undefined>;
}

/** What a source is opened with. */
export interface StackReference {
  readonly project: string;
  readonly stack: string;
}

/**
 * The history of a stack in the backend that its commands use: a picture of the moment in which it is first asked for.
 * What is added meanwhile need not be seen by the same source: whoever waits, or acts on what is newest, opens another
 * one. `lockedBy` alone is sure to ask anew.
 * @throws UserError for a backend whose history cannot be read
 */
export async function openHistory(
  root: string,
  stack: string,
  env: NodeJS.ProcessEnv,
  state: State = openState(root, env),
): Promise<HistorySource> {
  const reference = { project: projectName(root), stack };
  if (state.directory !== undefined) {
    const { FileHistory } = load("./files") as typeof import("./files");
    return new FileHistory(join(state.directory, ".pulumi"), reference);
  }
  const { protocol } = new URL(state.url);
  if (protocol === "s3:") {
    const { S3History } = load("./s3") as typeof import("./s3");
    const abandoned = (id: string) => abandonedLocks(root).some((lock) => lock.id === id);
    return S3History.open(state.url, reference, env, join(stateDirectory(root), "history"), abandoned);
  }
  if (protocol === "https:" || protocol === "http:") {
    const { CloudHistory } = load("./cloud") as typeof import("./cloud");
    return CloudHistory.open(state.url, reference, env);
  }
  throw new UserError(
    `The history of a state in ${protocol}// cannot be read; it can in file://, s3:// and a Pulumi Cloud.`,
  );
}
