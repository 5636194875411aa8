import { complaints, type Metric } from "./analysis";
import {
  isInProgress,
  isTakenUp,
  isUnpausing,
  pauseSeconds,
  stepIndex,
  strategyOf,
  unknown,
  versionWithHash,
  waitsFor,
} from "./facts";
import type { Release, Rollout } from "./objects";

/** How a release stands: it serves, goes on by itself, waits for a person, or has ended badly. */
export type State = "healthy" | "progressing" | "waiting" | "failed";

/** Exit codes of `status`, and of `watch` when it ends. */
export const exitCodes: Readonly<Record<State, number>> = {
  healthy: 0,
  progressing: 3,
  waiting: 4,
  failed: 5,
};

export interface Phase {
  readonly state: State;
  /** In plain words, without a full stop. */
  readonly message: string;
}

/** Where a release is. @param now milliseconds, for the time that is left of a pause. */
export function phaseOf(release: Release, metrics: readonly Metric[], now: number): Phase {
  const { rollout } = release;
  const { status } = rollout;
  if (!isTakenUp(release)) return progressing("the controller has not seen the latest change yet");
  const invalid = condition(rollout, "InvalidSpec");
  if (invalid !== undefined) return failed(`the Rollout is not valid: ${invalid.message}`);
  if (status.abort) return failed(aborted(release, metrics));
  if (isUnpausing(rollout)) return progressing("promoted; the controller goes on in a moment");
  const waiting = waitsFor(rollout);
  if (waiting !== undefined) return { state: "waiting", message: waitingFor(rollout, waiting) };
  switch (status.phase) {
    case "Degraded":
      return failed(degraded(rollout, metrics));
    case "Healthy":
      return { state: "healthy", message: "all requests are served by this version" };
    case "Paused":
      return progressing(timed(rollout, now));
    default:
      return progressing(inWords(rollout));
  }
}

const progressing = (message: string): Phase => ({ state: "progressing", message });
const failed = (message: string): Phase => ({ state: "failed", message });

function condition({ status }: Rollout, type: string) {
  return (status.conditions ?? []).find((each) => each.type === type);
}

function aborted(release: Release, metrics: readonly Metric[]): string {
  const { rollout } = release;
  const said = /Rollout aborted update to revision \d+(?:: (.*))?/s.exec(
    condition(rollout, "Progressing")?.message ?? "",
  )?.[1];
  const measured = complaints(metrics);
  const reason = measured.length > 0 ? measured.join("; ") : (said ?? "by hand");
  const { version, hash } = versionWithHash(release, rollout.status.stableRS);
  const serving = version === unknown ? `the stable version (${hash})` : `version ${version}`;
  return `aborted: ${reason}; ${serving} is back in service`;
}

function degraded(rollout: Rollout, metrics: readonly Metric[]): string {
  const measured = complaints(metrics);
  if (measured.length > 0) return measured.join("; ");
  const reason = condition(rollout, "Progressing")?.reason;
  if (reason === "ProgressDeadlineExceeded") {
    const failure = condition(rollout, "ReplicaFailure")?.message;
    const deadline = `its Pods made no progress for ${rollout.spec.progressDeadlineSeconds} s`;
    return failure === undefined ? deadline : `${deadline}: ${failure}`;
  }
  return rollout.status.message || "the controller gives no reason";
}

function waitingFor(rollout: Rollout, waiting: NonNullable<ReturnType<typeof waitsFor>>): string {
  switch (waiting) {
    case "byHand":
      return "paused by hand";
    case "inconclusive":
      return "the measurements do not say whether it does well, most likely for want of requests";
    case "promotion":
      return "the new version is ready behind the preview and waits for a promotion";
    case "step":
      return `step ${stepIndex(rollout) + 1} waits for a promotion`;
  }
}

/** A pause that ends by itself. */
function timed(rollout: Rollout, now: number): string {
  const blueGreen = rollout.spec.strategy.blueGreen;
  const length = blueGreen === undefined ? pauseSeconds(rollout) : blueGreen.autoPromotionSeconds;
  const started = Date.parse(rollout.status.pauseConditions?.[0]?.startTime ?? "");
  const what =
    blueGreen === undefined
      ? `step ${stepIndex(rollout) + 1} is a pause of ${length} s`
      : "is promoted by itself";
  if (length === undefined || Number.isNaN(started)) return what;
  const left = Math.max(0, Math.ceil((started + length * 1000 - now) / 1000));
  return `${what}, ${left} s left`;
}

const words: Record<string, string> = {
  "more replicas need to be updated": "Pods of the new version are being started",
  "updated replicas are still becoming available": "waits until the new Pods are ready",
  "active service cutover pending": "the new version is not promoted yet",
  "waiting for analysis to complete": "the new version serves and is measured",
  "waiting for post-promotion verification to complete": "the new version serves and is being checked",
  "old replicas are pending termination": "Pods of the old version are leaving",
  "rollout is restarting": "Pods are restarted",
};

function inWords(rollout: Rollout): string {
  const { message } = rollout.status;
  const steps = rollout.spec.strategy.canary?.steps.length ?? 0;
  const index = stepIndex(rollout);
  const atStep =
    strategyOf(rollout) !== "blueGreen" && isInProgress(rollout) && index < steps
      ? `step ${index + 1} of ${steps}`
      : "";
  if (message === "waiting for all steps to complete") return `${atStep || "the last step"} is under way`;
  const text = words[message] ?? (message || "the controller has not said anything yet");
  return atStep === "" ? text : `${atStep}: ${text}`;
}
