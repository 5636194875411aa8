import {
  isInProgress,
  isUnpausing,
  needsPromotion,
  stepIndex,
  strategyOf,
  waitsFor,
  versionOf,
} from "./facts";
import type { Rollout } from "./objects";
import { typed } from "./next";

/** A merge patch of one of the Rollout's two halves, which the API server keeps apart. */
export interface Patch {
  readonly half: "spec" | "status";
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What a command comes to: something to change, nothing to change because it is so already, or a refusal. */
export type Decision =
  | { readonly kind: "change"; readonly patches: readonly Patch[]; readonly message: string }
  | { readonly kind: "already"; readonly message: string }
  | { readonly kind: "refused"; readonly message: string };

export type Decide = (rollout: Rollout, stack: string) => Decision;

const change = (patches: readonly Patch[], message: string): Decision => ({
  kind: "change",
  patches,
  message,
});
const already = (message: string): Decision => ({ kind: "already", message });
const refused = (message: string): Decision => ({ kind: "refused", message });

const unpause: Patch = { half: "spec", fields: { paused: false } };

/** Why nothing can be done about a release, because there is none or because it is over. */
function over(rollout: Rollout, stack: string, what: string): Decision | undefined {
  const { version } = versionOf(rollout.spec.template, rollout.status.currentPodHash);
  if (rollout.status.stableRS === "") {
    return refused(
      `There is nothing to ${what}: version ${version} is the first one, and none is behind it.`,
    );
  }
  if (rollout.status.abort) {
    return refused(
      `There is nothing to ${what}: the release of version ${version} was aborted. To go on with it: ` +
        `${typed("retry", stack)}; to have the stable version for good: ${typed("undo", stack)}`,
    );
  }
  if (isInProgress(rollout)) return undefined;
  return refused(`There is nothing to ${what}: version ${version} is released, and nothing is on its way.`);
}

/**
 * Lets a release go on that waits. What was paused by hand goes on where it was, without its step being skipped;
 * after inconclusive measurements a canary's step is left behind, and everything else is measured once more.
 */
export const promote: Decide = (rollout, stack) => {
  const { status, spec } = rollout;
  if (!spec.paused || status.abort) {
    const ended = over(rollout, stack, "promote");
    if (ended !== undefined) return ended;
  }
  if (spec.paused) return change([unpause], "The release goes on where it was paused.");
  if (isUnpausing(rollout)) return already("It is promoted already; the controller goes on in a moment.");
  const conditions = status.pauseConditions ?? [];
  if (conditions.length === 0) return notWaiting(rollout, stack);
  const next = stepIndex(rollout) + 1;
  const afterUnknown = status.canary?.currentStepAnalysisRunStatus?.status === "Inconclusive";
  if (strategyOf(rollout) !== "blueGreen" && afterUnknown && status.controllerPause) {
    const fields = { pauseConditions: null, controllerPause: false, currentStepIndex: next };
    return change(
      [{ half: "status", fields }],
      `Promoted: step ${next} is left behind without a clear result.`,
    );
  }
  const again = waitsFor(rollout) === "inconclusive" ? "it is measured once more" : "the release goes on";
  return change([{ half: "status", fields: { pauseConditions: null } }], `Promoted: ${again}.`);
};

function notWaiting(rollout: Rollout, stack: string): Decision {
  const full = `To skip everything that is left: ${typed("promote --full", stack)}`;
  const steps = rollout.spec.strategy.canary?.steps ?? [];
  const later = steps.findIndex(
    ({ pause }, index) => index >= stepIndex(rollout) && pause !== undefined && !pause.duration,
  );
  const { blueGreen, currentPodHash } = rollout.status;
  if (later >= 0) return refused(`Nothing waits for a promotion before step ${later + 1}. ${full}`);
  if (needsPromotion(rollout) && blueGreen?.activeSelector !== currentPodHash) {
    return refused(`The new version is not ready to be promoted yet. ${full}`);
  }
  return already(`Nothing waits for a promotion: the release goes on by itself. ${full}`);
}

/** Gives the new version everything at once, without the steps, pauses and measurements that are left. */
export const promoteFull: Decide = (rollout, stack) => {
  const { spec, status } = rollout;
  const ended = over(rollout, stack, "promote");
  if (ended !== undefined) return ended;
  if (status.promoteFull && !spec.paused) return already("It is promoted already, with everything skipped.");
  const patches: Patch[] = [{ half: "status", fields: { promoteFull: true } }];
  if (spec.paused) patches.push(unpause);
  return change(patches, "Promoted: whatever was left of steps, pauses and measurements is skipped.");
};

/** Stops a release where it is; what it has of the traffic it keeps. */
export const pause: Decide = (rollout, stack) => {
  if (rollout.spec.paused)
    return already(`The release is paused already. To go on: ${typed("promote", stack)}`);
  const ended = over(rollout, stack, "pause");
  if (ended !== undefined) return ended;
  const waiting = waitsFor(rollout);
  if (waiting !== undefined) {
    return already(`The release waits already, until it is promoted: ${typed("promote", stack)}`);
  }
  // The controller takes no Pod of it away while it is paused, even when its measurements fail.
  const stays = strategyOf(rollout) === "rolling" ? "Its Pods serve meanwhile, whatever is measured. " : "";
  return change(
    [{ half: "spec", fields: { paused: true } }],
    `Paused. ${stays}To go on: ${typed("promote", stack)}; to take it back: ${typed("abort", stack)}`,
  );
};

/** Gives the stable version all requests again. What was paused would stay in the way of that. */
export const abort: Decide = (rollout, stack) => {
  const { spec, status } = rollout;
  if (status.abort && !spec.paused)
    return already(`The release is aborted already. To settle it: ${typed("undo", stack)}`);
  const ended = status.abort ? undefined : over(rollout, stack, "abort");
  if (ended !== undefined) return ended;
  const patches: Patch[] = status.abort ? [] : [{ half: "status", fields: { abort: true } }];
  if (spec.paused) patches.push(unpause);
  return change(
    patches,
    `Aborted: the stable version gets all requests. To try once more: ${typed("retry", stack)}; ` +
      `to have the stable version for good: ${typed("undo", stack)}`,
  );
};

/** Goes on with a release that was aborted, from its beginning. */
export const retry: Decide = (rollout, stack) => {
  if (rollout.status.abort) {
    return change(
      [{ half: "status", fields: { abort: false } }],
      `The release begins anew: ${typed("watch", stack)}`,
    );
  }
  const ended = over(rollout, stack, "retry");
  return ended ?? already(`The release goes on; it was not aborted: ${typed("watch", stack)}`);
};
