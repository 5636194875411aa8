import type { PodTemplate, ReplicaSet, Release, Rollout } from "./objects";

/** How a release reaches the users, in the words of the settings. */
export type Strategy = "rolling" | "canary" | "blueGreen";

/** Label by which the controller tells one version's objects from another's. */
export const hashLabel = "rollouts-pod-template-hash";

/** One version of the application, as its Pod template describes it. */
export interface Version {
  readonly hash: string;
  readonly version: string;
  readonly schemaRevision: string;
}

export const unknown = "unknown";

export function strategyOf({ spec }: Rollout): Strategy {
  if (spec.strategy.blueGreen !== undefined) return "blueGreen";
  return spec.strategy.canary?.trafficRouting === undefined ? "rolling" : "canary";
}

export function hashOf({ metadata }: ReplicaSet): string {
  return metadata.labels?.[hashLabel] ?? "";
}

export function withHash(release: Release, hash: string): ReplicaSet | undefined {
  return release.replicaSets.find((replicaSet) => hashOf(replicaSet) === hash);
}

export function versionOf(template: PodTemplate, hash: string): Version {
  return {
    hash,
    version: template.metadata?.labels?.["app.kubernetes.io/version"] ?? unknown,
    schemaRevision: template.metadata?.annotations?.["technova.io/schema-revision"] ?? unknown,
  };
}

/** The version of a hash; its parts are unknown when nothing of it is left in the cluster. */
export function versionWithHash(release: Release, hash: string): Version {
  const template = withHash(release, hash)?.spec.template;
  if (template !== undefined) return versionOf(template, hash);
  const { status, spec } = release.rollout;
  if (hash === status.currentPodHash && isObserved(release.rollout)) return versionOf(spec.template, hash);
  return { hash, version: unknown, schemaRevision: unknown };
}

/** Whether the status speaks of the latest specification, not of one before it. */
export function isObserved({ metadata, status }: Rollout): boolean {
  return Number(status.observedGeneration) >= metadata.generation;
}

/**
 * Whether the status speaks of the version that is wanted. The controller can say that it has seen a change while it
 * has only changed the number of Pods or a condition, and still counts with the version before.
 */
export function isTakenUp(release: Release): boolean {
  const { spec, status } = release.rollout;
  const taken = withHash(release, status.currentPodHash)?.spec.template;
  if (!isObserved(release.rollout)) return false;
  return taken === undefined || distinctive(taken) === distinctive(spec.template);
}

/** What two releases differ in, of that which the API server does not fill up by itself. */
function distinctive(template: PodTemplate): string {
  const { version, schemaRevision } = versionOf(template, "");
  return JSON.stringify([version, schemaRevision, template.spec.containers.map(({ image }) => image)]);
}

/** Whether a version is on its way to the users, or was and has been aborted. */
export function isInProgress({ status }: Rollout): boolean {
  return status.stableRS !== "" && status.currentPodHash !== status.stableRS;
}

/** Somebody has promoted, and the controller has not acted on it yet. */
export function isUnpausing({ status }: Rollout): boolean {
  return status.controllerPause && (status.pauseConditions ?? []).length === 0;
}

/** What is done now: an index into the steps, or their number when all are done. */
export function stepIndex({ status, spec }: Rollout): number {
  const count = spec.strategy.canary?.steps.length ?? 0;
  return Math.min(status.currentStepIndex ?? 0, count);
}

export type Waiting = "byHand" | "step" | "promotion" | "inconclusive";

/** What a release waits for that only a person can bring; undefined when it goes on by itself. */
export function waitsFor(rollout: Rollout): Waiting | undefined {
  const { spec, status } = rollout;
  if (status.abort) return undefined;
  if (spec.paused) return "byHand";
  const reasons = (status.pauseConditions ?? []).map(({ reason }) => reason);
  if (reasons.some((reason) => reason.startsWith("Inconclusive"))) return "inconclusive";
  if (reasons.includes("BlueGreenPause") && needsPromotion(rollout)) return "promotion";
  if (reasons.includes("CanaryPauseStep") && pauseSeconds(rollout) === undefined) return "step";
  return undefined;
}

/** Whether a person has to promote a blue-green release. */
export function needsPromotion({ spec }: Rollout): boolean {
  return spec.strategy.blueGreen?.autoPromotionEnabled === false;
}

/** Length of the pause step that is under way; undefined when it has none. */
export function pauseSeconds(rollout: Rollout): number | undefined {
  return seconds(rollout.spec.strategy.canary?.steps[stepIndex(rollout)]?.pause?.duration);
}

const units: Record<string, number> = { h: 3600, m: 60, s: 1 };

/** The controller takes a number of seconds, or numbers with units, such as `90s` or `1m30s`. */
export function seconds(duration: string | number | null | undefined): number | undefined {
  if (duration === undefined || duration === null) return undefined;
  const parts = [...String(duration).matchAll(/([\d.]+)([hms]?)/g)];
  return parts.reduce((sum, [, number, unit = ""]) => sum + Number(number) * (units[unit] ?? 1), 0);
}
