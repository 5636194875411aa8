import { UserError } from "../engine/report";
import { describeUpdate, type Entry } from "./states";

/*
 * A history grows with every rollback, too. So that two rollbacks in a row go two states back, an update that went back
 * to another one stands for that one: what was before it is what was before the one that it went back to.
 */

/** Kinds that leave the stack in a state of its own; a refresh or an import only writes down what is there. */
const decisive = new Set(["update", "destroy"]);

/** The update that says what runs: the newest one, whether it succeeded or not. */
export function running(history: readonly Entry[]): Entry | undefined {
  return history.findLast(({ update }) => decisive.has(update.kind));
}

/**
 * The state before the one that runs: of the updates that succeeded, the newest whose settings differ from those.
 * @param history oldest first
 * @param differs whether the state after an update is another than the one that runs
 */
export async function stateBefore(
  history: readonly Entry[],
  differs: (entry: Entry) => Promise<boolean>,
): Promise<Entry | undefined> {
  const places = new Map(history.map(({ update }, index) => [update.id, index]));
  const newest = running(history);
  if (newest === undefined) return undefined;
  const start = history.indexOf(newest);
  const from = isGood(newest) ? standsFor(history, places, start) : start;
  for (let index = from - 1; index >= 0; index -= 1) {
    const entry = history[index];
    if (entry === undefined || !isGood(entry)) continue;
    index = standsFor(history, places, index);
    const original = history[index];
    if (original !== undefined && (await differs(original))) return original;
  }
  return undefined;
}

export function isGood({ update }: Entry): boolean {
  return update.kind === "update" && update.succeeded;
}

/** Place of the update whose state an update has brought back; its own if it was no rollback. */
function standsFor(history: readonly Entry[], places: ReadonlyMap<string, number>, start: number): number {
  let index = start;
  for (;;) {
    const back = history[index]?.facts.rolledBackTo;
    const place = back === undefined ? undefined : places.get(back);
    // What went back went to something older; anything else was written by somebody else.
    if (place === undefined || place >= index) return index;
    index = place;
  }
}

/**
 * The update that somebody means by a number of the list, an ID, a point in time or a commit.
 * @throws UserError when there is none, or when it is none that can be gone back to
 */
export function named(history: readonly Entry[], text: string): Entry {
  const entry = /^#?\d{1,6}$/.test(text)
    ? history.find(({ update }) => update.number === Number(text.replace("#", "")))
    : (history.find(({ update }) => update.id === text) ?? atTime(history, text) ?? ofCommit(history, text));
  if (entry === undefined) {
    throw new UserError(
      `There is no update ${text} in the history. --to takes a number of npm run history, a point in time such as ` +
        "2026-01-31T12:00Z, a commit, or previous.",
    );
  }
  if (entry.update.kind !== "update") {
    throw new UserError(
      `${capital(describeUpdate(entry))} is a ${entry.update.kind}, which made no state to go back to.`,
    );
  }
  if (!entry.update.succeeded) {
    const before = history.slice(0, history.indexOf(entry)).findLast(isGood);
    const other = before === undefined ? "" : ` The one before that succeeded is ${before.update.number}.`;
    throw new UserError(`${capital(describeUpdate(entry))} failed: what it left is no whole state.${other}`);
  }
  return entry;
}

/** The state at a point in time: that of the newest update which had succeeded by then. */
function atTime(history: readonly Entry[], text: string): Entry | undefined {
  const [, day, clock, zone] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(text) ?? [];
  if (day === undefined) return undefined;
  // The list shows UTC, so what is copied from there means that.
  const time = Date.parse(`${day}T${clock ?? "23:59:59"}${zone ?? "Z"}`);
  // The list shows minutes: an update that is shown as ended in this one has ended by then.
  const until = clock?.length === 5 ? time + 59_999 : time;
  return history.findLast((entry) => isGood(entry) && entry.update.endedAt.getTime() <= until);
}

/** The newest update that succeeded with a commit's program. */
function ofCommit(history: readonly Entry[], text: string): Entry | undefined {
  if (!/^[0-9a-f]{7,40}$/.test(text)) return undefined;
  return history.findLast((entry) => isGood(entry) && entry.facts.commit?.startsWith(text));
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
