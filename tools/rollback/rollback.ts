import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { parseAgent } from "../engine/agent";
import { parseStackSettings, stackFile } from "../engine/project";
import { UserError } from "../engine/report";
import { isMapping } from "../history/differences";
import type { HistorySource } from "../history/source";
import type { Config, Update } from "../history/update";
import { carryOut, type Means } from "./carryOut";
import {
  alone,
  digestOf,
  forgetJournal,
  keepSettings,
  readJournal,
  rollbackFolder,
  writeJournal,
  writeWhole,
  type Journal,
} from "./journal";
import { makePlan, refuseLocked, type Known, type Plan, type Wanted } from "./plan";
import { layProgram, programProblem, removeProgram } from "./program";
import { renderChanges, renderPlan } from "./render";
import { projectDefaults, settingsText, standaloneSettings } from "./settings";
import { describeUpdate, stateDifferences } from "./states";

export interface RollbackOptions extends Wanted {
  readonly program: "today" | "then";
  readonly dryRun: boolean;
  /** Whether to ask nothing. */
  readonly yes: boolean;
  readonly immediate: boolean;
}

export interface Surroundings extends Means, Known {
  /** The history as it is by then; `history` is that of when the command began. */
  openHistory(): Promise<HistorySource>;
  /** @throws UserError where nobody can be asked */
  confirm(question: string): Promise<boolean>;
  /** What today's program does not understand of a configuration. */
  notUnderstood(config: Config): readonly string[];
}

/**
 * Brings an earlier state of the stack back: configuration, image and schema as one.
 * @throws UserError when it cannot be done, or has failed; the stack is then where it was before
 */
export function rollback(options: RollbackOptions, around: Surroundings): Promise<void> {
  return alone(around.root, options.stack, () => goBack(options, around));
}

async function goBack(options: RollbackOptions, around: Surroundings): Promise<void> {
  const { stack } = options;
  const { root } = around;
  const begun = readJournal(root, stack);
  if (begun !== undefined && !(await givenUp(begun, around))) return resume(options, begun, around);

  try {
    const journal = await prepare(options, around);
    if (journal === undefined) return;
    await finish(stack, writeJournal(root, stack, journal), around);
  } finally {
    // The preview's settings are of no use any more, unless there is something to go on with.
    if (readJournal(root, stack) === undefined) forgetJournal(root, stack);
  }
}

/** Everything that changes nothing; undefined when nothing is to be changed. */
async function prepare(options: RollbackOptions, around: Surroundings): Promise<Journal | undefined> {
  const { stack } = options;
  const { screen } = around;
  const plan = await makePlan(options, around);
  if (plan === undefined) {
    screen.print(`The stack ${stack} is in that state already: its settings and its image are the same.`);
    return undefined;
  }
  await refuseProgram(options, plan, around);
  screen.print(renderPlan(plan, programText(options, plan)));
  await refuseLoss(options, plan, around);
  screen.print(renderChanges(await preview(options, plan, around)));
  const wanted =
    options.yes || (!options.dryRun && (await around.confirm(`Bring ${stack} back to that state?`)));
  if (options.dryRun || !wanted) {
    screen.print("Nothing was changed.");
    return undefined;
  }
  await refuseChanged(stack, plan.newestKnown, [], around);
  return journalFor(options, plan, around);
}

async function journalFor(options: RollbackOptions, plan: Plan, around: Surroundings): Promise<Journal> {
  const whole = options.only === undefined;
  const { target, before } = plan;
  const releaseOf = async ({ update }: { readonly update: { readonly id: string } }) =>
    options.immediate ? (await around.history.leftBehind(update.id, true))?.release : undefined;
  return {
    startedAt: new Date().toISOString(),
    newestKnown: plan.newestKnown,
    stage: "applying",
    target: { id: target.update.id, number: target.update.number, text: textOf(plan, options) },
    before: { id: before.update.id, number: before.update.number, text: describeUpdate(before) },
    whole,
    immediate: options.immediate,
    program: options.program,
    commit: target.facts.commit,
    settings: newSettings(options, plan, around),
    settingsBefore: digestOf(readFileSync(stackFile(around.root, options.stack), "utf8")),
    apply: standaloneSettings(plan.apply, plan.provider),
    restore: plan.restore && standaloneSettings(plan.restore, plan.provider),
    // A part of a state is no release that there was.
    release: whole ? await releaseOf(target) : undefined,
    releaseBefore: await releaseOf(before),
    limits: plan.limits,
    fromVersion: before.facts.version ?? "unknown",
    toVersion: (options.only === "config" ? before : target).facts.version ?? "unknown",
  };
}

async function finish(stack: string, journal: Journal, around: Surroundings, resumed = false): Promise<void> {
  await carryOut(stack, journal, around, resumed);
  around.screen.print(`The stack ${stack} is back at ${journal.target.text}. Commit Pulumi.${stack}.yaml.`);
}

/**
 * The first update since a plan was made, whenever it began: when it ended is what counts.
 * @param own what the rollback's own updates say that they went back to
 */
async function madeSince(
  newestKnown: string,
  own: readonly string[],
  history: HistorySource,
): Promise<Update | undefined> {
  const updates = await history.updates();
  // Of a history that does not know it any more, everything is new.
  const known = updates.findIndex(({ id }) => id === newestKnown);
  return updates
    .slice(known + 1)
    .find(({ environment }) => !own.includes(parseAgent(environment["exec.agent"]).rolledBackTo ?? ""));
}

const ownUpdates = ({ whole, target, before }: Journal) => [whole ? target.id : "part", before.id];

/** What was looked at may have changed while things were checked and somebody was asked. */
async function refuseChanged(
  stack: string,
  newestKnown: string,
  own: readonly string[],
  around: Surroundings,
): Promise<void> {
  const history = await around.openHistory();
  await refuseLocked(stack, history);
  const update = await madeSince(newestKnown, own, history);
  if (update === undefined) return;
  throw new UserError(
    `Update ${update.number} of the stack ${stack} was made meanwhile. Nothing was done. Run this again: it begins with ` +
      "what is there now.",
  );
}

/** Whether somebody has updated the stack since: what was begun before leads away from a state that is gone. */
async function givenUp(begun: Journal, { history, screen }: Surroundings): Promise<boolean> {
  const { newestKnown, target } = begun;
  const first = await madeSince(newestKnown, ownUpdates(begun), history);
  if (first === undefined) return false;
  screen.note(
    `note: an interrupted rollback to ${target.text} is given up, for update ${first.number} was made since`,
  );
  return true;
}

/** Goes on with one that was killed, whatever state is asked for now: only from a whole state others can be reached. */
async function resume(
  { stack, dryRun, yes }: RollbackOptions,
  begun: Journal,
  around: Surroundings,
): Promise<void> {
  const { screen } = around;
  await refuseLocked(stack, around.history);
  const goal = begun.stage === "returning" ? begun.before.text : begun.target.text;
  screen.print(`A rollback of ${begun.startedAt} was interrupted on its way to ${goal}.`);
  if (dryRun) return;
  if (!yes && !(await around.confirm("Go on with it?"))) return;
  await refuseChanged(stack, begun.newestKnown, ownUpdates(begun), around);
  await finish(stack, begun, around, true);
}

async function refuseProgram(options: RollbackOptions, plan: Plan, around: Surroundings): Promise<void> {
  const { commit, dirty } = plan.target.facts;
  if (options.program === "then") {
    const problem = await programProblem(around.root, commit);
    if (problem !== undefined) throw new UserError(problem);
    if (dirty) {
      around.screen.note("note: the program of then had changes that are in no commit; they are left out");
    }
    return;
  }
  const problems = around.notUnderstood(plan.apply);
  if (problems.length === 0) return;
  throw new UserError(
    `Today's program does not understand the settings of update ${plan.target.update.number}:\n` +
      `${problems.map((problem) => `  ${problem}`).join("\n")}\nTake the program of then: --program then`,
  );
}

async function refuseLoss(options: RollbackOptions, plan: Plan, around: Surroundings): Promise<void> {
  const { downgrade } = plan;
  if (downgrade === undefined) return;
  const problem = await around.platform.downgradeProblem(downgrade.image, downgrade.to);
  if (problem === undefined) around.screen.note("the downgrade loses no data");
  else if (options.allowDataLoss) around.screen.note(`may be lost, as you said: ${problem}`);
  else {
    throw new UserError(
      `${problem}\nNothing was changed. If that may be lost: --allow-data-loss; a snapshot is kept in any case that ` +
        "the stack's settings keep one.",
    );
  }
}

async function preview(options: RollbackOptions, plan: Plan, around: Surroundings) {
  const { root, engine } = around;
  const { stack } = options;
  const { commit } = plan.target.facts;
  const then = options.program === "then" && commit !== undefined;
  try {
    const program = then ? await layProgram(root, stack, commit) : root;
    const settingsFile = join(rollbackFolder(root, stack), `Pulumi.${stack}.yaml`);
    writeWhole(settingsFile, standaloneSettings(plan.apply, plan.provider));
    return await engine.preview({ stack, program, settingsFile });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`The preview fails, and nothing was changed:\n${error.message}`);
  } finally {
    if (then) await removeProgram(root, stack);
  }
}

function programText({ program }: RollbackOptions, { target }: Plan): string {
  const { commit = "" } = target.facts;
  return program === "then" ? `of then, commit ${commit.slice(0, 12)}` : "today's";
}

function textOf({ target, targetState }: Plan, { only }: RollbackOptions): string {
  const text = describeUpdate(target, targetState.image);
  if (only === undefined) return text;
  return `the ${only === "config" ? "configuration" : "image"} of ${text}`;
}

/** The stack's file as it will be. What nobody has applied yet would be lost with it, so that is kept. */
function newSettings({ stack }: RollbackOptions, plan: Plan, around: Surroundings): string {
  const { root, project, screen } = around;
  const path = stackFile(root, stack);
  const text = readFileSync(path, "utf8");
  const inFile = { config: around.settings() };
  const applied = { config: plan.before.update.config };
  const unapplied = stateDifferences(applied, inFile, project, around.secrets(plan.provider));
  if (unapplied.length > 0) {
    const copy = keepSettings(root, stack, text);
    screen.note(`Pulumi.${stack}.yaml has settings that no update has applied; it is kept as ${copy}`);
  }
  return settingsText(text, plan.config, plan.provider, defaultsOf(root, project));
}

/** The configuration in a stack's file, as a history has it. */
export function fileSettings(root: string, stack: string, project: string): Config {
  const path = stackFile(root, stack);
  const { config } = parseStackSettings(readFileSync(path, "utf8"), path);
  return { ...defaultsOf(root, project), ...config };
}

function defaultsOf(root: string, project: string): Config {
  const declared = parse(readFileSync(join(root, "Pulumi.yaml"), "utf8")) as unknown;
  return projectDefaults(project, isMapping(declared) ? declared.config : undefined);
}
