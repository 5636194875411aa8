import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { runBy } from "../engine/agent";
import { stackFile } from "../engine/project";
import { UserError } from "../engine/report";
import type { Screen } from "../release/screen";
import { Interrupted, NotBegun, type Engine } from "./automation";
import {
  digestOf,
  forgetJournal,
  keepSettings,
  rollbackFolder,
  writeJournal,
  writeWhole,
  type Journal,
} from "./journal";
import { reasonOf, type Platform } from "./platform";
import { layProgram, removeProgram } from "./program";
import type { AuditTrail, Happened } from "./record";

/** What a rollback is carried out with. */
export interface Means {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly screen: Screen;
  readonly engine: Engine;
  readonly platform: Platform;
  readonly trail: AuditTrail;
}

/**
 * Carries out what the journal says, from wherever it stands, until the stack is in the wanted state with everything
 * written down, or where it was before.
 * @param resumed whether an earlier run may have changed something already
 * @throws UserError in the second case, with the reason, and when it was stopped
 */
export async function carryOut(stack: string, begun: Journal, means: Means, resumed = false): Promise<void> {
  let journal = begun;
  const stage = (change: Partial<Journal>): void => {
    journal = writeJournal(means.root, stack, { ...journal, ...change });
  };
  if (journal.stage === "applying") {
    try {
      await apply(stack, journal, means);
      stage({ stage: "applied" });
    } catch (error) {
      if (error instanceof Interrupted) throw interrupted(stack, journal);
      if (error instanceof NotBegun) throw await notBegun(stack, journal, error, means, resumed);
      stage({ stage: "returning", failure: reasonOf(error) });
    }
  }
  if (journal.stage === "returning") {
    const failure = await goBack(stack, journal, means);
    await writeDown(stack, journal, "failed", means);
    await forget(stack, means);
    throw failure;
  }
  const path = stackFile(means.root, stack);
  keepEdits(stack, path, journal, means);
  writeWhole(path, journal.settings, existsSync(path) ? statSync(path).mode & 0o777 : 0o644);
  await writeDown(stack, journal, "succeeded", means);
  await forget(stack, means);
}

/** What somebody has written into the stack's file meanwhile is not lost with it. */
function keepEdits(stack: string, path: string, { settings, settingsBefore }: Journal, means: Means): void {
  if (settingsBefore === undefined || !existsSync(path)) return;
  const text = readFileSync(path, "utf8");
  if (text === settings || digestOf(text) === settingsBefore) return;
  const copy = keepSettings(means.root, stack, text);
  means.screen.note(`Pulumi.${stack}.yaml was edited meanwhile; it is kept as ${copy}`);
}

async function apply(stack: string, journal: Journal, means: Means): Promise<void> {
  const { engine, platform, screen, root } = means;
  const { target, commit } = journal;
  const program =
    journal.program === "then" && commit !== undefined ? await layProgram(root, stack, commit) : root;
  if (journal.immediate && journal.release !== undefined) {
    const had = await platform.switchTo(journal.release);
    screen.note(
      had
        ? `version ${journal.toVersion} serves; bringing the rest of the stack to ${target.text}`
        : `the cluster does not have version ${journal.toVersion} any more: it is released anew`,
    );
  }
  const up = () =>
    engine.up({
      stack,
      program,
      settingsFile: settingsFile(root, stack, journal.apply),
      message: `Back to ${target.text}`,
      rolledBackTo: journal.whole ? target.id : "part",
    });
  await (journal.immediate ? platform.hurrying(up) : up());
  screen.note(await platform.check(journal.limits));
}

/** @returns what to tell; the stack is where it was before, unless it says otherwise */
async function goBack(stack: string, journal: Journal, means: Means): Promise<UserError> {
  const { before, target, restore } = journal;
  const failed = `The rollback to ${target.text} failed: ${journal.failure ?? "no reason is known"}`;
  if (restore === undefined) {
    return new UserError(
      `${failed}\nThe stack was in no whole state before, so it is not brought back to one: look at it with ` +
        `npm run history -- --stack ${stack}, and go back to an update that succeeded.`,
    );
  }
  means.screen.note(`${failed}\nbringing the stack back to where it was: ${before.text}`);
  if (journal.immediate && journal.releaseBefore !== undefined) {
    // The engine does not know what was switched beside it, and would leave it as it is.
    try {
      await means.platform.switchTo(journal.releaseBefore);
    } catch (error) {
      if (error instanceof Interrupted) throw interrupted(stack, journal);
      throw neither(failed, stack, error);
    }
  }
  const up = () =>
    means.engine.up({
      stack,
      program: means.root,
      settingsFile: settingsFile(means.root, stack, restore),
      message: `Where it was before: ${before.text}, for the rollback to update ${target.number} failed`,
      rolledBackTo: before.id,
    });
  try {
    await (journal.immediate ? means.platform.hurrying(up) : up());
  } catch (error) {
    if (error instanceof Interrupted) throw interrupted(stack, journal);
    throw neither(failed, stack, error);
  }
  return new UserError(`${failed}\nThe stack is where it was: ${before.text}.`);
}

function neither(failed: string, stack: string, error: unknown): UserError {
  return new UserError(
    `${failed}\nThe stack could not be brought back either: ${reasonOf(error)}\n` +
      `It is in neither state. Put right what the second error says, then: npm run rollback -- --stack ${stack}`,
  );
}

function interrupted(stack: string, { target, stage, before }: Journal): UserError {
  const where = stage === "returning" ? `on its way back to ${before.text}` : `on its way to ${target.text}`;
  return new UserError(`Stopped: the stack is ${where}. To go on: npm run rollback -- --stack ${stack}`);
}

/** There is nothing to bring back, and somebody else may be changing the stack. @returns what to tell */
async function notBegun(
  stack: string,
  journal: Journal,
  { message }: NotBegun,
  means: Means,
  resumed: boolean,
): Promise<UserError> {
  const switched = journal.immediate && journal.release !== undefined;
  if (resumed || switched) return new UserError(`${message}\n${interrupted(stack, journal).message}`);
  await forget(stack, means);
  return new UserError(`${message}\nNothing was changed. Once that is put right, run the rollback again.`);
}

function settingsFile(root: string, stack: string, text: string): string {
  const path = join(rollbackFolder(root, stack), `Pulumi.${stack}.yaml`);
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeWhole(path, text);
  return path;
}

/** That it cannot be written down is told, and is no reason to say that the rollback has failed. */
async function writeDown(
  stack: string,
  journal: Journal,
  outcome: Happened["outcome"],
  { env, platform, trail, screen }: Means,
): Promise<void> {
  const { target, before, failure } = journal;
  const happened: Happened = {
    stack,
    outcome,
    from: journal.fromVersion,
    version: journal.toVersion,
    update: target.number,
    at: new Date(),
    by: runBy(env),
    message:
      outcome === "succeeded" ? `from ${before.text} back to ${target.text}` : `${target.text}: ${failure}`,
  };
  const attempts = [
    ["the dashboards", () => platform.announce(happened)],
    ["the audit trail", () => trail.record(happened)],
  ] as const;
  for (const [where, write] of attempts) {
    try {
      await write();
    } catch (error) {
      screen.note(`note: ${where} could not be told of it: ${reasonOf(error)}`);
    }
  }
}

async function forget(stack: string, { root }: Means): Promise<void> {
  await removeProgram(root, stack);
  forgetJournal(root, stack);
}
