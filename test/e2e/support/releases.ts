import { start, type Outcome, type Running } from "./command";
import { faultyContext, type Fault } from "./faultyApp";
import type { Gateway } from "./gateway";
import { startLoad, type Answer, type Load, type LoadReport, type Subject } from "./load";
import { settingsWith } from "./settings";

export const subject: Subject = { sku: "E2E-0001", location: "E2E" };

const analysis = (toleratedUnknowns = 3) =>
  `analysis: { intervalSeconds: 5, windowSeconds: 15, minimumRequests: 10, toleratedUnknowns: ${toleratedUnknowns} }`;
const progress = "minReadySeconds: 2, progressDeadlineSeconds: 30";

/** Asks no questions, so that it needs no requests. */
export const unmeasured = `{ type: rolling, ${progress}, maxSurge: 2 }`;

/** Each strategy with pauses and windows that a test has the time for. */
export const strategies = {
  rolling: `{ type: rolling, ${progress}, ${analysis()} }`,
  blueGreen:
    "{ type: blueGreen, minReadySeconds: 2, progressDeadlineSeconds: 51, smokeTest: { timeoutSeconds: 20 }," +
    ` scaleDownDelaySeconds: 60, ${analysis(2)} }`,
  canary:
    `{ type: canary, ${progress}, ${analysis()}, steps: [{ setWeightPercent: 10 }, { pauseSeconds: 20 },` +
    " { setWeightPercent: 50 }, { pauseSeconds: 10 }] }",
} as const;

export type StrategyName = keyof typeof strategies;

export interface ReleaseSettings {
  readonly version: string;
  /** The settings' text for `strategy`; the stack's own if left out. */
  readonly strategy?: string;
  readonly fault?: Fault;
  /** More changes of the stack's file. */
  readonly edits?: readonly (readonly [RegExp, string])[];
}

/** Name of a version that has a fault. */
export const versionOf = ({ version, fault }: ReleaseSettings): string =>
  fault === undefined ? version : `${version}-${fault}`;

/** Starts an `up` of the local stack with another release. */
export function startRelease(settings: ReleaseSettings): Running {
  const { strategy, fault, edits = [] } = settings;
  const file = settingsWith("local", [
    // One of them may be killed.
    [/(tls: \{ mode: selfSigned \}\n\s+replicas:) 1/, "$1 2"],
    [/version: 1\.0\.0/, `version: ${versionOf(settings)}`],
    ...(strategy === undefined
      ? []
      : ([[/(autoscaling: \{ maxReplicas: 3 \})/, `$1\n    strategy: ${strategy}`]] as const)),
    ...(fault === undefined ? [] : ([[/context: app/, `context: ${faultyContext}`]] as const)),
    ...edits,
  ]);
  const flags = ["--stack", "local", "--yes", "--skip-preview", "--config-file", file];
  return start("npm", ["run", "--silent", "up", "--", ...flags]);
}

/** The same to its end. */
export const release = (settings: ReleaseSettings): Promise<Outcome> => startRelease(settings).finished;

/** 50 requests a second for as long as something takes. */
export async function underLoad<T>(
  gateway: Gateway,
  run: (load: Load) => Promise<T>,
  rate = 50,
): Promise<{ result: T; report: LoadReport }> {
  const load = startLoad(gateway, { subject, rate, maxSeconds: 900 });
  let report: LoadReport | undefined;
  try {
    const result = await run(load);
    report = await load.stop();
    return { result, report };
  } finally {
    if (report === undefined) await load.stop();
  }
}

/** What users saw of a bad release. */
export interface Impact {
  /** From the first bad answer to the last. */
  readonly seconds: number;
  /** Share of all answers in that time, and in a second at least, that were bad. */
  readonly percent: number;
  readonly bad: number;
}

/** @param slowMilliseconds answers that take longer are bad too */
export function impactOf(answers: readonly Answer[], slowMilliseconds = Infinity): Impact {
  const isBad = ({ status, milliseconds = 0 }: Answer) =>
    status < 200 || status > 299 || milliseconds > slowMilliseconds;
  const bad = answers.filter(isBad);
  const [first, last] = [bad[0], bad.at(-1)];
  if (first === undefined || last === undefined) return { seconds: 0, percent: 0, bad: 0 };
  // An instant has no share: connections that are cut off together are held against a second.
  const end = Math.max(last.at, first.at + 1000);
  const within = answers.filter(({ at }) => at >= first.at && at <= end);
  return {
    seconds: (last.at - first.at) / 1000,
    percent: (100 * bad.length) / within.length,
    bad: bad.length,
  };
}

/** From the first answer of one version to the last of another, in seconds; negative when they do not overlap. */
export function overlapSeconds(answers: readonly Answer[], incoming: string, outgoing: string): number {
  const first = answers.find(({ version }) => version === incoming)?.at ?? NaN;
  const last = answers.findLast(({ version }) => version === outgoing)?.at ?? NaN;
  return (last - first) / 1000;
}
