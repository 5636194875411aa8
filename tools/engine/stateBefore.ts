import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Captured } from "./processes";
import { checkpointFile, stateDirectory, type State } from "./state";

/** Variable that tells the policy pack which file has the state before the update; see policy/frame/state.ts. */
export const stateVariable = "TECHNOVA_STATE_BEFORE";

/** A file with the stack's state, for as long as a command runs. */
export interface StateBefore {
  /** Empty where nobody could tell: the pack then says that it cannot decide. */
  readonly path: string;
  finish(): void;
}

/**
 * The state as it is before a command: the file in which a file backend keeps it, or what any other backend exports.
 * A stack that is not there yet has no resources.
 */
export async function prepareStateBefore(
  root: string,
  state: State,
  stack: string,
  run: (args: readonly string[]) => Promise<Captured>,
): Promise<StateBefore> {
  const checkpoint = checkpointFile(root, state, stack);
  if (checkpoint !== undefined) return { path: checkpoint, finish: () => undefined };
  mkdirSync(stateDirectory(root), { recursive: true, mode: 0o700 });
  const folder = mkdtempSync(join(stateDirectory(root), "state-before-"));
  const finish = () => rmSync(folder, { recursive: true, force: true });
  const path = join(folder, "state.json");
  const { code, stderr } = await run(["stack", "export", "--stack", stack, "--file", path]);
  if (code === 0) return { path, finish };
  if (!/no stack named/.test(stderr)) return { path: "", finish };
  writeFileSync(path, JSON.stringify({ version: 3, deployment: { resources: [] } }), { mode: 0o600 });
  return { path, finish };
}
