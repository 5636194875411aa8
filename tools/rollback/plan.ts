import { isDeepStrictEqual } from "node:util";
import { UserError } from "../engine/report";
import type { LeftBehind, SecretsProvider } from "../history/checkpoint";
import { holdsSecret, isMapping, type Difference } from "../history/differences";
import { applicationOf, digestOf, factsOf } from "../history/facts";
import type { SecretComparison } from "../history/secrets";
import type { HistorySource } from "../history/source";
import type { Config } from "../history/update";
import type { Limits } from "./health";
import { isGood, named, running, stateBefore } from "./pick";
import { configToApply, withDowngrade, type Part } from "./settings";
import { stateDifferences, type Entry, type StackState } from "./states";

/** Which state somebody wants back. */
export interface Wanted {
  readonly stack: string;
  /** A number of the list, an ID, a point in time, a commit, or `previous`. */
  readonly to: string;
  readonly only?: Part;
  readonly allowDataLoss: boolean;
  readonly watchSeconds: number;
}

/** What is to be done, and everything that has been found out for it. Nothing has been changed yet. */
export interface Plan {
  readonly target: Entry;
  readonly before: Entry;
  /** ID of the newest update that there was, of whatever kind. */
  readonly newestKnown: string;
  readonly targetState: StackState;
  readonly differences: readonly Difference[];
  /** What the stack's file will say. */
  readonly config: Config;
  /** The same, with how the schema is brought down. */
  readonly apply: Config;
  /** What leads back; undefined where the stack is in no whole state now. */
  readonly restore?: Config;
  readonly provider: SecretsProvider | undefined;
  readonly downgrade?: Downgrade;
  readonly limits: Limits;
}

export interface Downgrade {
  readonly from: string;
  readonly to: string;
  /** Reference of the build that made the newer schema. */
  readonly image: string;
}

/** What a plan is made from. */
export interface Known {
  readonly project: string;
  readonly history: HistorySource;
  /** The configuration in the stack's file, with what the project says of keys that it leaves out. */
  readonly settings: () => Config;
  /** @param provider what the stack's secrets are encrypted with now */
  readonly secrets: (provider: SecretsProvider | undefined) => SecretComparison;
}

/**
 * Works out what brings an earlier state back.
 * @returns undefined when the stack is in that state already
 * @throws UserError when it cannot be brought back, with the reason
 */
export async function makePlan(wanted: Wanted, known: Known): Promise<Plan | undefined> {
  const { project, history } = known;
  await refuseLocked(wanted.stack, history);
  const entries = (await history.updates()).map((update) => ({ update, facts: factsOf(update, project) }));
  const before = running(entries);
  if (before === undefined) throw new UserError(`The stack ${wanted.stack} has no history to go back in.`);
  const now = await history.current();
  const secrets = known.secrets(now?.secretsProvider);
  const runningState = await runningStateOf(before, known, now);
  const differs = async (entry: Entry) =>
    !isGood(before) ||
    stateDifferences(runningState, await stateOf(entry, history, project), project, secrets).length > 0;

  const target = wanted.to === "previous" ? await stateBefore(entries, differs) : named(entries, wanted.to);
  if (target === undefined) {
    throw new UserError(
      `The stack ${wanted.stack} has no earlier state: no update before differs from what runs.`,
    );
  }
  if (!(await differs(target))) return undefined;
  const targetState = await stateOf(target, history, project);
  if (wanted.only !== "image") await refuseOtherSecrets(target, history, now?.secretsProvider);
  const config = configToApply(targetState, runningState, project, wanted.only);
  // What was deleted has no schema; an external database keeps one that the older version works on, too.
  const deleted = before.update.kind === "destroy";
  const downgrade = deleted ? undefined : downgradeOf(config, runningState, project);
  return {
    target,
    before,
    newestKnown: entries.at(-1)?.update.id ?? before.update.id,
    targetState,
    differences: stateDifferences(
      runningState,
      { config, image: wanted.only === "config" ? runningState.image : targetState.image },
      project,
      secrets,
    ),
    config,
    apply: downgrade === undefined ? config : applyDowngrade(config, downgrade, project, wanted),
    restore: isGood(before) ? configToApply(runningState, runningState, project) : undefined,
    provider: now?.secretsProvider,
    downgrade,
    limits: limitsOf(config, project, wanted.watchSeconds),
  };
}

/** @throws UserError while another command changes the stack, with what to do */
export async function refuseLocked(stack: string, history: HistorySource): Promise<void> {
  const holder = await history.lockedBy();
  if (holder === undefined) return;
  throw new UserError(
    `The stack ${stack} is locked: ${holder}. Nothing was done. Wait for that command to end, and run this again. If ` +
      `it is certain that it runs nowhere any more: npm run pulumi -- cancel --stack ${stack}`,
  );
}

/** @param image the one that runs, for what an update that failed did not write down */
async function stateOf(
  { update, facts }: Entry,
  history: HistorySource,
  project: string,
  image?: string,
): Promise<StackState> {
  const { config } = update;
  if (facts.built) return { config, image: (await history.leftBehind(update.id))?.image ?? image };
  const application = applicationOf(config, project);
  const registry = config[`${project}:registry`];
  if (facts.digest === undefined || !isMapping(application.image)) return { config };
  const server = isMapping(registry) ? `${String(registry.server)}/` : "";
  return { config, image: `${server}${String(application.image.repository)}@${facts.digest}` };
}

/**
 * The state that runs. Where the stack's secrets were encrypted anew since its last update, the history has them for a
 * key that is gone, and the stack's file for the one that counts.
 */
async function runningStateOf(
  before: Entry,
  { history, project, settings }: Known,
  now: LeftBehind | undefined,
): Promise<StackState> {
  const state = await stateOf(before, history, project, now?.image);
  if (!holdsSecret(state.config)) return state;
  const then = (await history.leftBehind(before.update.id))?.secretsProvider;
  const anew = then !== undefined && !isDeepStrictEqual(then, now?.secretsProvider);
  return anew ? { ...state, config: settings() } : state;
}

/** Ciphertexts of another key would be put into the settings, where nobody could read them. */
async function refuseOtherSecrets(
  { update }: Entry,
  history: HistorySource,
  provider: SecretsProvider | undefined,
): Promise<void> {
  if (!holdsSecret(update.config)) return;
  const then = (await history.leftBehind(update.id))?.secretsProvider;
  if (then !== undefined && isDeepStrictEqual(then, provider)) return;
  const reason =
    then === undefined
      ? "What its secrets were encrypted with is not kept any more"
      : then.type === provider?.type
        ? `Its secrets were encrypted with another ${then.type === "passphrase" ? "passphrase" : "key"} than the stack has now`
        : `Its secrets were encrypted by the provider ${then.type}, and the stack has ${provider?.type ?? "none"} now`;
  throw new UserError(
    `Update ${update.number} cannot be gone back to as a whole: ${reason}, and the history is never encrypted anew. ` +
      "Its image can come back by itself: --only image. Or put its settings into the stack's file by hand, and its " +
      "secrets with npm run pulumi -- config set --secret.",
  );
}

function downgradeOf(config: Config, now: StackState, project: string): Downgrade | undefined {
  const to = applicationOf(config, project).schemaRevision;
  const from = applicationOf(now.config, project).schemaRevision;
  if (typeof to !== "string" || typeof from !== "string" || to >= from) return undefined;
  if (digestOf(now.image) === undefined || now.image === undefined) {
    throw new UserError(
      `The schema would have to go from ${from} down to ${to}, and which image made the newer one is not known.`,
    );
  }
  return { from, to, image: now.image };
}

function applyDowngrade(
  config: Config,
  { to, image }: Downgrade,
  project: string,
  { allowDataLoss }: Wanted,
): Config {
  const registry = config[`${project}:registry`];
  const server = isMapping(registry) ? `${String(registry.server)}/` : "";
  const [name = "", digest = ""] = image.split("@");
  const repository = name.startsWith(server) ? name.slice(server.length) : name;
  return withDowngrade(config, project, { to, image: { repository, digest }, allowDataLoss });
}

/** Releases are held against the same limits, where the settings have some. */
function limitsOf(config: Config, project: string, seconds: number): Limits {
  const { strategy } = applicationOf(config, project);
  const analysis = isMapping(strategy) && isMapping(strategy.analysis) ? strategy.analysis : {};
  const { limit } = isMapping(analysis.errorPercent) ? analysis.errorPercent : {};
  const number = (value: unknown, otherwise: number) => (typeof value === "number" ? value : otherwise);
  return {
    errorPercent: number(limit, 5),
    minimumRequests: number(analysis.minimumRequests, 20),
    seconds,
  };
}
