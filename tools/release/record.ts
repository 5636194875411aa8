import { messageOf } from "../engine/report";
import { isConflict, isNotFound, type FullApi } from "./api";
import { isInProgress, strategyOf } from "./facts";
import { readHistory, recordsWith, type Entry } from "./history";
import { configMapSchema, type Release } from "./objects";
import { publish } from "./prometheus";
import { application, parsed, paths } from "./read";
import type { Screen } from "./screen";
import type { Plan } from "./undoPlan";

const tries = 10;

export interface Happened {
  readonly stack: string;
  readonly startedAt: Date;
  /**
   * How far it has come: only begun, so that nobody takes the version that is left for a good one should this be the
   * last that is heard of it; left to itself; or done. Until it is done, the version that is left is still needed.
   */
  readonly stage: "begun" | "leftAlone" | "done";
}

const messages: Readonly<Record<Happened["stage"], (version: string) => string>> = {
  begun: (version) => `on its way back to version ${version}`,
  leftAlone: (version) => `back to version ${version}, not waited for`,
  done: (version) => `back to version ${version}`,
};

/**
 * Writes down that a version was left behind, and which schema revisions are still needed, and tells Prometheus. The
 * cluster writes there too, so each change is one of the records that were read. Records that cannot be kept are no
 * reason to say that the `undo` has failed.
 */
export async function recordUndo(
  api: FullApi,
  release: Release,
  { target, from, underWay }: Plan,
  { stack, startedAt, stage }: Happened,
  screen: Screen,
): Promise<void> {
  const added: Entry = {
    ...from,
    strategy: strategyOf(release.rollout),
    startedAt: utc(startedAt),
    finishedAt: utc(new Date()),
    outcome: "undone",
    message: messages[stage](target.version),
  };
  const begun = messages.begun(target.version);
  try {
    for (let attempt = 1; ; attempt++) {
      const found = await api.get(paths.records);
      if (found === undefined) return;
      const records = parsed(configMapSchema, found);
      const history = readHistory(records);
      if (history === undefined) {
        screen.note("note: the history of releases cannot be read, so nothing was added to it");
        return;
      }
      // What it wrote when it began, and one that was not waited for, are in the records already.
      const last = history.at(-1);
      const again =
        last?.hash === from.hash && last.outcome === "undone" && (underWay || last.message === begun);
      const kept = again ? history.slice(0, -1) : history;
      const data = recordsWith(release, [...kept, added], target, stage === "done" ? [] : [from]);
      const body = { metadata: { resourceVersion: records.metadata.resourceVersion }, data };
      try {
        await api.patch(paths.records, "application/merge-patch+json", body);
        const told = again && last.message !== begun;
        if (stage !== "begun" && !told)
          await tellPrometheus(api, stack, added, countedAs(kept, release, from), screen);
        return;
      } catch (error) {
        if (!isConflict(error) || attempt === tries) throw error;
      }
    }
  } catch (error) {
    screen.note(`note: it could not be written into the history of releases: ${messageOf(error)}`);
  }
}

/**
 * What the figures of delivery take an `undo` for: a release that had gone through is undone, one that was on its way
 * has failed, and one that had failed is counted already.
 */
function countedAs(
  before: readonly Entry[],
  { rollout }: Release,
  { hash }: Plan["from"],
): "undone" | "failed" | undefined {
  const last = before.findLast((each) => each.hash === hash);
  if (last?.outcome === "failed" && last === before.at(-1)) return undefined;
  // One that is resumed finds the way back on its way, and not the release any more.
  const wasOnItsWay =
    rollout.status.currentPodHash === hash ? isInProgress(rollout) : last?.outcome !== "succeeded";
  return wasOnItsWay ? "failed" : "undone";
}

/** As each release tells of itself: `components/delivery/outcome/record.py`. */
async function tellPrometheus(
  api: FullApi,
  stack: string,
  { strategy, version, startedAt }: Entry,
  outcome: ReturnType<typeof countedAs>,
  screen: Screen,
): Promise<void> {
  if (outcome === undefined) return;
  const at = new Date();
  const labels = { namespace: application, app: application, environment: stack, strategy, version, outcome };
  const value = (at.getTime() - Date.parse(startedAt)) / 1000;
  // Users had the version that was left, until now.
  const figures = outcome === "undone" ? ["duration", "recovery"] : ["duration"];
  try {
    for (const figure of figures)
      await publish(api, { name: `technova_release_${figure}_seconds`, labels, value, at, source: "undo" });
  } catch (error) {
    // Where nothing measures there are no figures.
    if (isNotFound(error)) return;
    screen.note(
      `note: the figures of delivery leave it out, as Prometheus did not take it: ${messageOf(error)}`,
    );
  }
}

/** ISO 8601 to the second, as everything else in the records. */
function utc(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}
