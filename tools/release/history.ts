import { z } from "zod";
import { hashOf, versionOf, withHash, type Version } from "./facts";
import type { ConfigMap, Release, ReplicaSet } from "./objects";

const entry = z.object({
  hash: z.string(),
  version: z.string(),
  schemaRevision: z.string(),
  strategy: z.enum(["rolling", "blueGreen", "canary"]),
  startedAt: z.string(),
  finishedAt: z.string(),
  outcome: z.enum(["succeeded", "failed", "undone"]),
  message: z.string(),
});

/** One release that has ended. Times are ISO 8601 in UTC. */
export type Entry = z.infer<typeof entry>;

export const historyKey = "history.json";
export const schemaKey = "schema-revisions";
const most = 20;

/** Oldest first. Undefined when there is something that cannot be read; nothing at all is an empty history. */
export function readHistory(records: ConfigMap | undefined): readonly Entry[] | undefined {
  const text = records?.data?.[historyKey]?.trim() ?? "";
  if (text === "") return [];
  try {
    return z.array(entry).parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * The version that `undo` brings back while `stable` serves and nothing else is on its way: the newest that was
 * released well. How a version ended last is what counts, so that neither one whose release failed nor one that was
 * left by an `undo` comes back. Without a history it is the one before in the controller's own count.
 */
export function versionBefore(
  release: Release,
  stable: string,
  history: readonly Entry[],
): ReplicaSet | undefined {
  if (history.length === 0) return revisionBefore(release, stable);
  const seen = new Set([stable]);
  for (const { hash, outcome } of history.toReversed()) {
    if (seen.has(hash)) continue;
    seen.add(hash);
    const replicaSet = outcome === "succeeded" ? withHash(release, hash) : undefined;
    if (replicaSet !== undefined) return replicaSet;
  }
  return undefined;
}

function revisionBefore(release: Release, stable: string): ReplicaSet | undefined {
  const current = revisionOf(withHash(release, stable));
  return release.replicaSets
    .filter((replicaSet) => hashOf(replicaSet) !== stable && revisionOf(replicaSet) < current)
    .sort((a, b) => revisionOf(b) - revisionOf(a))[0];
}

function revisionOf(replicaSet: ReplicaSet | undefined): number {
  return Number(replicaSet?.metadata.annotations?.["rollout.argoproj.io/revision"] ?? 0);
}

/** What the records are to hold: the latest of the history, and the schema revisions that are needed after it. */
export function recordsWith(
  release: Release,
  history: readonly Entry[],
  serving: Version,
  stillServing: readonly Version[] = [],
): Record<string, string | null> {
  const latest = history.slice(-most);
  const next = versionBefore(release, serving.hash, latest);
  const needed = [serving, ...stillServing];
  if (next !== undefined) needed.push(versionOf(next.spec.template, hashOf(next)));
  const revisions = [...new Set(needed.map(({ schemaRevision }) => schemaRevision))];
  // What was on its way is not any more.
  return {
    [historyKey]: JSON.stringify(latest),
    [schemaKey]: `${revisions.join("\n")}\n`,
    "under-way": null,
  };
}
