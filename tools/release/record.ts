import { messageOf } from "../engine/report";
import { isConflict, type Api } from "./api";
import { strategyOf } from "./facts";
import { readHistory, recordsWith, type Entry } from "./history";
import { configMapSchema, type Release } from "./objects";
import { parsed, paths } from "./read";
import type { Screen } from "./screen";
import type { Plan } from "./undoPlan";

const tries = 10;

export interface Happened {
  readonly startedAt: Date;
  readonly message: string;
  /** Whether the target serves; until it does, the version that is left is still needed. */
  readonly served: boolean;
}

/**
 * Writes down that a version was left behind, and which schema revisions are still needed. The cluster writes there
 * too, so each change is one of the records that were read. Records that cannot be kept are no reason to say that the
 * `undo` has failed.
 */
export async function recordUndo(
  api: Api,
  release: Release,
  { target, from, underWay }: Plan,
  { startedAt, message, served }: Happened,
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
        return;
      } catch (error) {
        if (!isConflict(error) || attempt === tries) throw error;
      }
    }
  } catch (error) {
    screen.note(`note: it could not be written into the history of releases: ${messageOf(error)}`);
  }
}

/** ISO 8601 to the second, as everything else in the records. */
function utc(time: Date): string {
  return `${time.toISOString().slice(0, 19)}Z`;
}
