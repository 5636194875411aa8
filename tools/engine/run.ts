import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { z } from "zod";
import { ensureOptionalImages, optionalImages } from "../cluster/images/optional";
import { ensureManifests } from "../manifests/ensure";
import { abandonedLocks, removeAbandonedLocks } from "../state/ownLocks";
import { storeOf } from "../state/store";
import { executionAgent, runBy } from "./agent";
import { describeCli, findCli } from "./cli";
import { changesEmbeddedCluster, requireCluster } from "./cluster";
import { pulumiEnvironment } from "./environment";
import { hasInterrupted, settleInterrupted } from "./interrupted";
import {
  changesResources,
  givesFlag,
  insertFlags,
  parseInvocation,
  readsSettings,
  runsProgram,
  startsPlugins,
  withPolicyPack,
  type Invocation,
} from "./invocation";
import { clearStaleLocks } from "./locks";
import { embeddedCluster, followCluster } from "./newCluster";
import { choosePlugins } from "./plugins";
import { runCaptured, runForeground, type Captured } from "./processes";
import { parseStackSettings, readStackSettings, stackFile, type StackSettings } from "./project";
import { report } from "./report";
import { workingSettings } from "./settings";
import { ensureStack, openState, stateDirectory, type State } from "./state";
import { prepareStateBefore, stateVariable } from "./stateBefore";
import { storedState } from "./stored";
import { Unread } from "./unread";
import { ensureWheels } from "./wheels";

// The trail is loaded when there is something to write into it.
const load = createRequire(__filename);

/** One call of the CLI, with everything around it in place. */
export interface Prepared {
  readonly cli: string;
  readonly args: readonly string[];
  /** What was added to the arguments, for those who call the CLI in another way. */
  readonly settingsFile?: string;
  readonly policies: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  finish(): void;
}

/** Runs the CLI on this terminal, with policies, plugins and state; returns its exit code. */
export async function runPulumi(root: string, args: readonly string[], env = process.env): Promise<number> {
  const prepared = await prepare(root, args, env);
  let code: number;
  try {
    code = await runForeground(prepared.cli, prepared.args, { cwd: root, env: prepared.env });
  } finally {
    prepared.finish();
  }
  await writeDown(root, parseInvocation(args, env), code, env);
  return code;
}

/** What was done to a stack belongs into its audit trail, whatever came of it. */
async function writeDown(
  root: string,
  call: Invocation,
  code: number,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  if (!changesResources(call) || call.help) return;
  const { bringUpdates } = load("../audit/updates") as typeof import("../audit/updates");
  const { stack, settingsFile, command } = call;
  await bringUpdates(root, { stack, settingsFile, removed: command === "destroy" && code === 0 }, env);
}

/** Runs the CLI and returns what it prints, for callers that use the answer. */
export async function capturePulumi(
  root: string,
  args: readonly string[],
  env = process.env,
): Promise<Captured> {
  const prepared = await prepare(root, args, env);
  try {
    return await runCaptured(prepared.cli, prepared.args, { cwd: root, env: prepared.env });
  } finally {
    prepared.finish();
  }
}

/** Gets everything in place that a call of the CLI needs; `finish` has to be called when that has ended. */
export async function prepare(
  root: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Prepared> {
  const call = parseInvocation(args, env);
  const state = openState(root, env);
  const works = !call.help && call.command !== undefined;
  if (works && readsSettings(call)) readStackSettings(root, call.stack);
  if (works && changesResources(call)) {
    requireCluster(root, call, env);
    await giveUpAbandonedLocks(root, state, env);
    clearStaleLocks(root, state, call.stack);
  }
  if (works && runsProgram(call) && changesEmbeddedCluster(root, call, env)) {
    await ensureOptionalImages(optionalImages(settingsOf(root, call).config));
  }
  if (works && runsProgram(call)) await ensureManifests(root, { log: report });
  if (works && call.command === "up" && buildsImage(root, call)) await ensureWheels(root, env);

  const cli = await findCli(root, env);
  const plugins = works && startsPlugins(call) ? await choosePlugins(root, cli, env) : undefined;
  if (plugins !== undefined) report(`${describeCli(cli)}; ${plugins.description}`);
  const runEnv = pulumiEnvironment(env, { cli, state, stack: call.stack, plugins });
  if (works && readsSettings(call))
    await ensureStack(root, state, call.stack, { cli: cli.path, env: runEnv });

  const file = call.settingsFile ?? stackFile(root, call.stack);
  const settings = works && readsSettings(call) ? workingSettings(root, state, file) : undefined;
  const configFile = (settings ?? call.settingsFile) ? ["--config-file", settings?.path ?? file] : [];
  try {
    const run = (cliArgs: readonly string[], input?: string): Promise<Captured> =>
      runCaptured(cli.path, cliArgs, { cwd: root, env: runEnv, input });
    if (works && changesEmbeddedCluster(root, call, env)) {
      await followCluster(root, call.stack, await embeddedCluster(env), run);
    }
    if (works && changesResources(call)) {
      const unread = new Unread(root, state.url, call.stack);
      const stored = await storedState(root, state, call.stack, runEnv, run);
      const isSettled = stored === undefined || (!hasInterrupted(stored.text) && unread.urns.length === 0);
      // Those of a command that still runs are its own; the CLI says who holds the lock.
      if (!isSettled && !(await isLocked(root, call.stack, env)))
        await settleInterrupted(call.stack, run, stored, configFile, unread);
    }
    const before =
      works && runsProgram(call) ? await prepareStateBefore(root, state, call.stack, run) : undefined;
    const policies = withPolicyPack(root, call, emptyPolicyConfiguration(root), plugins?.policyPack);
    return {
      cli: cli.path,
      args: insertFlags(call, [...configFile, ...policies, ...agentFlags(call, env)]),
      settingsFile: configFile[1],
      policies,
      env: before === undefined ? runEnv : { ...runEnv, [stateVariable]: before.path },
      finish: () => {
        before?.finish();
        settings?.finish();
      },
    };
  } catch (error) {
    settings?.finish();
    throw error;
  }
}

/** Where the backend cannot be reached from here, the CLI says who holds the lock. */
async function giveUpAbandonedLocks(root: string, state: State, env: NodeJS.ProcessEnv): Promise<void> {
  if (abandonedLocks(root).length === 0) return;
  try {
    const store = storeOf(state, env);
    if (store !== undefined) await removeAbandonedLocks(root, store);
  } catch {
    return;
  }
}

/** Where that cannot be found out, nobody does: the CLI, which writes the state, looks for itself. */
async function isLocked(root: string, stack: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const { openHistory } = load("../history/source") as typeof import("../history/source");
  try {
    return (await (await openHistory(root, stack, env)).lockedBy()) !== undefined;
  } catch {
    return false;
  }
}

/** The commands that leave an entry in the history, and take this; the CLI does not list the flag in its help. */
const recorded = new Set(["up", "destroy", "refresh", "import"]);

function agentFlags(call: Invocation, env: NodeJS.ProcessEnv): string[] {
  const { command, args } = call;
  if (command === undefined || call.help || !recorded.has(command) || givesFlag(args, "--exec-agent"))
    return [];
  return [`--exec-agent=${executionAgent({ user: runBy(env) })}`];
}

const builtImage = z.looseObject({ image: z.looseObject({ build: z.looseObject({}) }) });

/** The settings that a command is to use. */
function settingsOf(root: string, { stack, settingsFile }: Invocation): StackSettings {
  if (settingsFile === undefined) return readStackSettings(root, stack);
  return parseStackSettings(readFileSync(settingsFile, "utf8"), settingsFile);
}

/** Whether the stack builds the application's image instead of taking one by digest. */
function buildsImage(root: string, call: Invocation): boolean {
  return builtImage.safeParse(readStackSettings(root, call.stack).config?.["technova:application"]).success;
}

function emptyPolicyConfiguration(root: string): string {
  const path = join(stateDirectory(root), "policy-config.json");
  mkdirSync(stateDirectory(root), { recursive: true, mode: 0o700 });
  writeFileSync(path, "{}\n");
  return path;
}
