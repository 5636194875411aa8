import { hashOf, isInProgress, needsPromotion, seconds, stepIndex, strategyOf, withHash } from "./facts";
import type { Release, Step } from "./objects";

export type Mark = "done" | "current" | "to come" | "failed";

/** One thing that a release does on its way. */
export interface Stage {
  readonly title: string;
  readonly mark: Mark;
}

export function stagesOf(release: Release): Stage[] {
  return strategyOf(release.rollout) === "blueGreen" ? blueGreenStages(release) : stepStages(release);
}

function stepStages(release: Release): Stage[] {
  const { rollout } = release;
  const steps = rollout.spec.strategy.canary?.steps ?? [];
  const of = strategyOf(rollout) === "canary" ? "of the traffic" : "of the Pods";
  const { abort } = rollout.status;
  // An abort sets the controller's count back to the beginning; a step that failed is found by its analysis.
  const current = abort
    ? (failedStep(release) ?? -1)
    : isInProgress(rollout)
      ? stepIndex(rollout)
      : steps.length;
  return steps.map((step, index) => ({
    title: titleOf(step, of, index === steps.length - 1),
    mark: index < current ? "done" : index > current ? "to come" : abort ? "failed" : "current",
  }));
}

function failedStep({ rollout, analysisRuns }: Release): number | undefined {
  const bad = analysisRuns.find(
    ({ metadata, status }) =>
      metadata.labels?.["rollout-type"] === "Step" &&
      metadata.labels["rollouts-pod-template-hash"] === rollout.status.currentPodHash &&
      ["Failed", "Error"].includes(status.phase),
  );
  return bad === undefined ? undefined : Number(bad.metadata.labels?.["step-index"]);
}

function titleOf(step: Step, of: string, last: boolean): string {
  if (step.setWeight !== undefined) return `${step.setWeight} % ${of}`;
  if (step.pause !== undefined) {
    const length = seconds(step.pause.duration);
    return length === undefined ? "wait for a promotion" : `stay for ${length} s`;
  }
  if (step.setCanaryScale !== undefined) {
    const { weight, replicas } = step.setCanaryScale;
    if (replicas !== undefined) return `${replicas} Pods of the new version`;
    return weight === undefined ? "as many new Pods as the traffic asks for" : `${weight} % of the Pods`;
  }
  if (step.analysis) return last ? "analysis that decides over the release" : "analysis";
  return step.experiment === undefined ? "a step of another kind" : "experiment beside the stable version";
}

function blueGreenStages(release: Release): Stage[] {
  const { rollout } = release;
  const { spec, status } = rollout;
  const settings = spec.strategy.blueGreen;
  if (settings === undefined) return [];
  const { currentPodHash, stableRS, abort } = status;
  const ended = stableRS === currentPodHash;
  const active = status.blueGreen?.activeSelector === currentPodHash;
  const available = withHash(release, currentPodHash)?.status.availableReplicas ?? 0;
  const wanted = settings.previewReplicaCount ?? spec.replicas;
  const after = settings.autoPromotionSeconds ?? 0;
  const promotion = needsPromotion(rollout)
    ? "by hand"
    : after > 0
      ? `by itself after ${after} s`
      : "by itself";
  const list: { title: string; done: boolean; run?: { status: string } | null }[] = [
    { title: "preview ready", done: active || ended || available >= wanted },
  ];
  if (settings.prePromotionAnalysis) {
    const run = status.blueGreen?.prePromotionAnalysisRunStatus;
    const done = active || ended || run?.status === "Successful";
    list.push({ title: "analysis before the promotion", done, run });
  }
  list.push({ title: `promotion, ${promotion}`, done: active || ended });
  if (settings.postPromotionAnalysis) {
    const run = status.blueGreen?.postPromotionAnalysisRunStatus;
    list.push({ title: "analysis after the promotion", done: ended, run });
  }
  const kept = keptUntil(release);
  const gone = ended ? "old version gone" : "old version leaves";
  const leaving = kept === undefined ? gone : `old version kept until ${kept}`;
  list.push({ title: leaving, done: ended && kept === undefined });

  let passed = true;
  return list.map(({ title, done, run }) => {
    const bad = abort && ["Failed", "Error"].includes(run?.status ?? "");
    const mark: Mark = bad ? "failed" : done && passed ? "done" : passed && !abort ? "current" : "to come";
    passed &&= mark === "done";
    return { title, mark };
  });
}

/** Until when the version before keeps its Pods, in UTC; undefined when it has none any more. */
export function keptUntil({ rollout, replicaSets }: Release): string | undefined {
  const { currentPodHash, stableRS } = rollout.status;
  const deadlines = replicaSets
    .filter((each) => ![currentPodHash, stableRS].includes(hashOf(each)) && each.spec.replicas > 0)
    .map(({ metadata }) => metadata.annotations?.["scale-down-deadline"] ?? "")
    .filter((deadline) => deadline !== "");
  const latest = deadlines.sort().at(-1);
  return latest === undefined ? undefined : `${latest.slice(11, 19)} UTC`;
}
