import { hashLabel } from "./facts";
import type { AnalysisRun, Release } from "./objects";

export type Verdict = "ok" | "above" | "unknown" | "error" | "not measured";

/** One question of an analysis and its latest answer. */
export interface Metric {
  /** What the analysis belongs to, such as `all the time` or `step 3`. */
  readonly during: string;
  readonly name: string;
  /** Undefined when the latest answer holds no number. */
  readonly value?: number;
  readonly limit?: number;
  readonly verdict: Verdict;
  /** How often it was asked. */
  readonly measurements: number;
  /** What went wrong, where asking did. */
  readonly message?: string;
}

/** What is measured of the version that is being released. Of analyses that were repeated the latest counts. */
export function metricsOf(release: Release): Metric[] {
  const latest = new Map<string, AnalysisRun>();
  const created = (run: AnalysisRun) => run.metadata.creationTimestamp ?? "";
  for (const run of release.analysisRuns.filter((each) => belongs(release, each))) {
    const during = duringOf(run);
    const other = latest.get(during);
    if (other === undefined || created(other) <= created(run)) latest.set(during, run);
  }
  return [...latest]
    .sort(([, a], [, b]) => created(a).localeCompare(created(b)))
    .flatMap(([during, run]) => run.spec.metrics.map((metric) => measured(during, run, metric)));
}

/** An experiment's analyses have no hash of their own; the experiment is named after the one that it is made for. */
function belongs({ rollout }: Release, { metadata }: AnalysisRun): boolean {
  const hash = rollout.status.currentPodHash;
  if (metadata.labels?.[hashLabel] === hash) return true;
  return (metadata.ownerReferences ?? []).some(
    ({ kind, name }) => kind === "Experiment" && name.startsWith(`${rollout.metadata.name}-${hash}-`),
  );
}

function duringOf({ metadata }: AnalysisRun): string {
  switch (metadata.labels?.["rollout-type"]) {
    case "Background":
      return "all the time";
    case "Step":
      return `step ${Number(metadata.labels["step-index"] ?? 0) + 1}`;
    case "PrePromotion":
      return "before promotion";
    case "PostPromotion":
      return "after promotion";
    default:
      return "experiment";
  }
}

function measured(
  during: string,
  run: AnalysisRun,
  { name, failureCondition = "" }: AnalysisRun["spec"]["metrics"][number],
): Metric {
  const limitText = /> ([0-9.]+)$/.exec(failureCondition)?.[1];
  const limit = limitText === undefined ? undefined : Number(limitText);
  const result = run.status.metricResults.find((each) => each.name === name);
  const last = result?.measurements.at(-1);
  if (result === undefined || last === undefined) {
    return { during, name, limit, verdict: "not measured", measurements: 0 };
  }
  const verdict = verdicts[result.phase] ?? verdicts[last.phase] ?? lastVerdict[last.phase] ?? "not measured";
  const value = numberIn(last.value);
  const measurements = result.count + result.error;
  return { during, name, value, limit, verdict, measurements, message: last.message };
}

/** Phases that stay, once a metric or a measurement has reached them. */
const verdicts: Record<string, Verdict> = { Failed: "above", Inconclusive: "unknown", Error: "error" };
const lastVerdict: Record<string, Verdict> = { Successful: "ok" };

/** Answers are lists with one number, or none; what cannot be divided gives NaN. */
function numberIn(value = ""): number | undefined {
  const number = /[-+]?\d[\d.]*(e[-+]?\d+)?/i.exec(value)?.[0];
  return number === undefined ? undefined : Number(number);
}

/** What stops a release: for each question that was answered badly, the answer with its limit. */
export function complaints(metrics: readonly Metric[]): string[] {
  const found = metrics.flatMap(({ name, value, limit, verdict, message }) => {
    const shown = value === undefined ? "unknown" : formatNumber(value);
    if (verdict === "above") return [`${name} was ${shown}, its limit is ${limit ?? "unknown"}`];
    if (verdict === "error") return [`${name} could not be asked for: ${message || "no answer"}`];
    return [];
  });
  return [...new Set(found)];
}

/** Four digits say enough. */
export function formatNumber(value: number): string {
  return String(Number(value.toPrecision(4)));
}
