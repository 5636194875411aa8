import { formatSeconds } from "../engine/report";
import type { Entry } from "./history";
import { strategyNames } from "./render";
import { cut, table } from "./text";

/** The releases that have ended, the newest first, as text of at most 100 columns. */
export function renderHistory(history: readonly Entry[]): string {
  if (history.length === 0) return "No release has been recorded yet.";
  const rows = history
    .toReversed()
    .map((entry) => [
      `${entry.finishedAt.slice(0, 16).replace("T", " ")}`,
      cut(entry.version, 20),
      cut(entry.schemaRevision, 8),
      strategyNames[entry.strategy],
      entry.outcome,
      took(entry),
      entry.message,
    ]);
  return table(["ended (UTC)", "version", "schema", "strategy", "outcome", "took", "message"], rows).join(
    "\n",
  );
}

function took({ startedAt, finishedAt }: Entry): string {
  const milliseconds = Date.parse(finishedAt) - Date.parse(startedAt);
  return Number.isNaN(milliseconds) ? "" : formatSeconds(milliseconds);
}
