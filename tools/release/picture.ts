import { metricsOf, type Metric } from "./analysis";
import {
  hashOf,
  isInProgress,
  strategyOf,
  versionOf,
  versionWithHash,
  type Strategy,
  type Version,
} from "./facts";
import { keptUntil, stagesOf, type Stage } from "./stages";
import { readHistory, versionBefore } from "./history";
import { nextStep } from "./next";
import type { Release, ReplicaSet } from "./objects";
import { phaseOf, type State } from "./phase";
import { trafficOf, type Share } from "./traffic";

/** Everything that there is to see of a release; `status --json` prints it. */
export interface Picture {
  readonly application: string;
  readonly strategy: Strategy;
  readonly state: State;
  readonly message: string;
  /** The version that is being released, or that serves when nothing is on its way. */
  readonly current: Version;
  /** The version that served before; undefined when nothing is on its way, and in a first release. */
  readonly stable?: Version;
  readonly stages: readonly Stage[];
  readonly traffic: readonly Share[];
  readonly replicas: readonly Replicas[];
  readonly metrics: readonly Metric[];
  readonly next: readonly string[];
}

/** The Pods of one version. */
export interface Replicas extends Version {
  readonly role: string;
  readonly desired: number;
  readonly ready: number;
  readonly available: number;
  readonly ageSeconds?: number;
  /** The containers' images, by the beginning of their digests, or by their tags. */
  readonly images: readonly string[];
}

export interface Situation {
  readonly stack: string;
  /** Milliseconds. */
  readonly now: number;
}

/** Turns what the cluster holds into what people see. */
export function pictureOf(release: Release, { stack, now }: Situation): Picture {
  const { rollout } = release;
  const metrics = metricsOf(release);
  const phase = phaseOf(release, metrics, now);
  const current = versionOf(rollout.spec.template, rollout.status.currentPodHash);
  const before = versionBefore(release, rollout.status.stableRS, readHistory(release.records) ?? []);
  return {
    application: rollout.metadata.name,
    strategy: strategyOf(rollout),
    state: phase.state,
    message: phase.message,
    current,
    stable: isInProgress(rollout) ? versionWithHash(release, rollout.status.stableRS) : undefined,
    stages: stagesOf(release),
    traffic: trafficOf(release),
    replicas: replicasOf(release, now),
    metrics,
    next: nextStep(release, phase.state, stack, before && versionOf(before.spec.template, hashOf(before))),
  };
}

function replicasOf(release: Release, now: number): Replicas[] {
  const { currentPodHash, stableRS } = release.rollout.status;
  const created = ({ metadata }: ReplicaSet) => metadata.creationTimestamp ?? "";
  return release.replicaSets
    .filter((each) => {
      const shown = [currentPodHash, stableRS].includes(hashOf(each));
      return shown || each.spec.replicas > 0 || each.status.replicas > 0;
    })
    .sort((a, b) => created(b).localeCompare(created(a)))
    .map((each) => ({
      ...versionOf(each.spec.template, hashOf(each)),
      role: roleOf(release, hashOf(each)),
      desired: each.spec.replicas,
      ready: each.status.readyReplicas,
      available: each.status.availableReplicas,
      ageSeconds:
        created(each) === "" ? undefined : Math.max(0, Math.round((now - Date.parse(created(each))) / 1000)),
      images: imagesOf(each),
    }));
}

function roleOf(release: Release, hash: string): string {
  const { currentPodHash, stableRS } = release.rollout.status;
  if (hash === stableRS) return "stable";
  if (hash === currentPodHash) return strategyOf(release.rollout) === "blueGreen" ? "preview" : "new";
  return keptUntil(release) === undefined ? "leaving" : "kept";
}

function imagesOf({ spec }: ReplicaSet): string[] {
  const short = spec.template.spec.containers.map(({ image = "" }) => {
    const digest = /@sha256:([0-9a-f]{12})/.exec(image)?.[1];
    return digest ?? image.slice(image.lastIndexOf("/") + 1);
  });
  return [...new Set(short)];
}
