import { messageOf } from "../engine/report";
import { isConflict, isNotFound, type FullApi } from "./api";
import { strategyOf } from "./facts";
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
  readonly message: string;
  /** Whether the target serves; until it does, the version that is left is still needed. */
  readonly served: boolean;
}

/**
 * Writes down that a version was left behind, and which schema revisions are still needed, and tells Prometheus. The
 * cluster writes there too, so each change is one of the records that were read. Records that cannot be kept are no
 * reason to say that the `undo` has failed.
 */
export async function recordUndo(
  api: FullApi,
  release: Release,
  { target, from, underWay }: Plan,
  { stack, startedAt, message, served }: Happened,
  screen: Screen,
): Promise<void> {
  const added: Entry = {
    ...from,
    strategy: strategyOf(release.rollout),
    startedAt: utc(startedAt),
    finishedAt: utc(new Date()),
    outcome: "undone",
    message,
  };
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
      // One that was not waited for is in the records already.
      const last = history.at(-1);
      const again = underWay && last?.hash === from.hash && last.outcome === "undone";
      const kept = again ? history.slice(0, -1) : history;
      const data = recordsWith(release, [...kept, added], target, served ? [] : [from]);
      const body = { metadata: { resourceVersion: records.metadata.resourceVersion }, data };
      try {
        await api.patch(paths.records, "application/merge-patch+json", body);
        if (!again) await tellPrometheus(api, stack, added, countedAs(kept, from.hash), screen);
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
function countedAs(before: readonly Entry[], hash: string): "undone" | "failed" | undefined {
  const last = before.findLast((each) => each.hash === hash)?.outcome;
  if (last === "succeeded") return "undone";
  return last === "failed" ? undefined : "failed";
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
  try {
    await publish(api, { name: "technova_release_duration_seconds", labels, value, at, source: "undo" });
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
