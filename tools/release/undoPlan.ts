import { hashLabel, hashOf, isInProgress, strategyOf, versionOf, withHash, type Version } from "./facts";
import { readHistory, versionBefore } from "./history";
import type { PodTemplate, Release, ReplicaSet, Rollout, Service } from "./objects";

/** What `undo` is about to do. */
export interface Plan {
  readonly target: Version;
  /** The Pod template that the target's Pods are made from. */
  readonly template: PodTemplate;
  /** The version that is left behind. */
  readonly from: Version;
  /** Whether an earlier `undo` has begun it, so that all there is to do is to wait. */
  readonly underWay: boolean;
}

/** Annotation of the Rollout as long as an `undo` is under way: the version it leaves, the one it goes to, since when. */
export const undoAnnotation = "technova.io/undo";

/**
 * Which version to go back to, or why there is none: the stable one while another is on its way or was aborted, else
 * the one before.
 * @param now milliseconds
 */
export function planUndo(release: Release, now: number): Plan | string {
  const { rollout } = release;
  const { currentPodHash, stableRS } = rollout.status;
  const resumed = begunBefore(release, now);
  if (resumed !== undefined) return resumed;
  const from = versionOf(rollout.spec.template, currentPodHash);
  if (stableRS === "") return `Version ${from.version} is the first one: there is none to go back to.`;
  if (isInProgress(rollout)) {
    const stable = withHash(release, stableRS);
    if (stable !== undefined) return plan(stable, from);
    return `The stable version (${stableRS}) has no ReplicaSet any more, so it cannot be brought back.`;
  }
  const history = readHistory(release.records) ?? [];
  const before = versionBefore(release, stableRS, history);
  if (before !== undefined) return plan(before, from);
  return history.length === 0
    ? `There is no earlier version than ${from.version} in the cluster.`
    : `No earlier version than ${from.version} was released well and is still in the cluster.`;
}

/** Goes to a version that the cluster still has. */
export function plan(target: ReplicaSet, from: Version, underWay = false): Plan {
  return {
    target: versionOf(target.spec.template, hashOf(target)),
    template: templateOf(target),
    from,
    underWay,
  };
}

/** After that long an `undo` that was interrupted counts for nothing any more. */
const forgottenAfter = 10 * 60_000;

/**
 * An `undo` that nobody has waited for to its end. Another `undo` ends it, even when the version serves meanwhile:
 * otherwise it would take the version that comes back for a release on its way and go forward again, or go back by
 * one version more than was meant.
 */
function begunBefore(release: Release, now: number): Plan | undefined {
  const { metadata, status } = release.rollout;
  const [fromHash = "", toHash, since = ""] = (metadata.annotations?.[undoAnnotation] ?? "").split(" ");
  if (toHash !== status.currentPodHash || !(now - Date.parse(since) < forgottenAfter)) return undefined;
  const target = withHash(release, toHash);
  if (target === undefined) return undefined;
  const left = withHash(release, fromHash)?.spec.template ?? { spec: { containers: [] } };
  return plan(target, versionOf(left, fromHash), true);
}

/** The template that a ReplicaSet was made from: the controller has added the hash. */
export function templateOf({ spec }: ReplicaSet): PodTemplate {
  const without = (fields: object | null | undefined, name: string) =>
    Object.fromEntries(Object.entries(fields ?? {}).filter(([key]) => key !== name));
  const metadata = without(spec.template.metadata, "creationTimestamp");
  const labels = without(spec.template.metadata?.labels, hashLabel);
  return { ...spec.template, metadata: { ...metadata, labels } };
}

export interface Operation {
  readonly op: "test" | "add" | "replace";
  readonly path: string;
  readonly value: unknown;
}

/** The change of the Rollout that goes back, for the very state that it was planned for. */
export function undoPatch(
  { metadata, spec }: Rollout,
  { target, template, from }: Plan,
  now: number,
): Operation[] {
  const operations: Operation[] = [
    { op: "test", path: "/metadata/resourceVersion", value: metadata.resourceVersion },
    { op: "replace", path: "/spec/template", value: template },
  ];
  // Otherwise nothing would move. Everything else that holds a release up goes with the template.
  if (spec.paused) operations.push({ op: "replace", path: "/spec/paused", value: false });
  const mark = `${from.hash} ${target.hash} ${new Date(now).toISOString()}`;
  if (metadata.annotations) {
    const path = `/metadata/annotations/${undoAnnotation.replace("/", "~1")}`;
    return [...operations, { op: "add", path, value: mark }];
  }
  return [...operations, { op: "add", path: "/metadata/annotations", value: { [undoAnnotation]: mark } }];
}

/** Whether a version gets all requests, and the controller is done with it. */
export function serves(rollout: Rollout, hash: string, activeService?: Service): boolean {
  const { status } = rollout;
  if (status.currentPodHash !== hash || status.stableRS !== hash) return false;
  switch (strategyOf(rollout)) {
    case "blueGreen": {
      const selected = activeService?.spec.selector?.[hashLabel];
      return selected === hash && status.blueGreen?.activeSelector === hash;
    }
    case "canary": {
      // Right after the switch the weights can still be those of the other version.
      const stable = status.canary?.weights?.stable;
      const all =
        stable === undefined || (stable.weight === 100 && (stable.podTemplateHash ?? hash) === hash);
      return status.phase === "Healthy" && all;
    }
    case "rolling":
      return status.phase === "Healthy";
  }
}
