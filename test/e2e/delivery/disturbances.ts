import { expect } from "chai";
import { kubectl } from "../support/cluster";
import { killGroup, npm, npmOk, type Outcome, type Running } from "../support/command";
import { record } from "../support/figures";
import { call, type Gateway } from "../support/gateway";
import { query } from "../support/metrics";
import {
  overlapSeconds,
  release,
  startRelease,
  strategies,
  underLoad,
  unmeasured,
} from "../support/releases";
import { eventually, rollout, type Platform } from "./platform";

const analysis = (toleratedErrors: number) =>
  `analysis: { intervalSeconds: 5, windowSeconds: 15, minimumRequests: 10, toleratedUnknowns: 20, toleratedErrors: ${toleratedErrors} }`;
const progress = "minReadySeconds: 2, progressDeadlineSeconds: 60";

/** A canary whose weights somebody decides over, and that waits for Prometheus as long as it takes. */
const manual = (weights: readonly number[]) =>
  `{ type: canary, ${progress}, ${analysis(100)}, steps: [` +
  weights.map((weight) => `{ setWeightPercent: ${weight} }, { pause: manual }`).join(", ") +
  "] }";

/** Fails at once with what `up` said when that ends first. */
function pausedAt(weight: number, up: Running): Promise<string> {
  let ended: Outcome | undefined;
  void up.finished.then((outcome) => (ended = outcome));
  return eventually(
    `a pause at ${weight} %`,
    120,
    () => {
      if (ended !== undefined) throw new Error(`up ended before the pause at ${weight} %:\n${ended.output}`);
      return rollout("{.status.canary.weights.canary.weight} {.status.phase} {.status.message}");
    },
    (found) => found.startsWith(`${weight} Paused `),
  );
}

/**
 * The share that the client measures, at each weight; the header reaches the new version at any of them.
 * @returns the `up`, which waits for a person at the last weight
 */
export async function shareOfCanary(platform: Platform): Promise<Running> {
  const { gateway } = platform;
  const version = platform.nextVersion();
  const weights = [10, 40];
  const up = startRelease({ version, strategy: manual(weights) });
  try {
    await pausedAt(10, up);
    for (const [index, weight] of weights.entries()) {
      await shareAt(weight, version, gateway);
      const next = weights[index + 1];
      // Under load: the questions before the next weight need requests.
      if (next !== undefined) await underLoad(gateway, () => promotedTo(next, up));
    }
    return up;
  } catch (error) {
    killGroup(up);
    throw error;
  }
}

async function promotedTo(weight: number, up: Running): Promise<void> {
  await npmOk("release", "promote");
  await pausedAt(weight, up);
}

async function shareAt(weight: number, version: string, gateway: Gateway): Promise<void> {
  // Traefik takes changes up within a second.
  await new Promise((wake) => setTimeout(wake, 2_000));
  const { report } = await underLoad(gateway, () => new Promise((wake) => setTimeout(wake, 21_000)), 100);
  const share = (100 * (report.versions[version] ?? 0)) / report.answers.length;
  record({
    scenario: `canary at ${weight} %`,
    measured: `${share.toFixed(2)} % of ${report.answers.length} answers`,
    toReach: `${weight} ± 0.5 %`,
  });
  expect(report.answers.length).to.be.greaterThan(1999);
  expect(share).to.be.within(weight - 0.5, weight + 0.5);
  for (let tries = 0; tries < 10; tries += 1) {
    const { headers } = await call(gateway, "GET", "/healthz", undefined, { "X-Release": "canary" });
    expect(headers["x-inventory-version"]).to.equal(version);
  }
}

const scalePrometheus = (replicas: number) =>
  kubectl("scale", "statefulset", "prometheus", "-n", "monitoring", `--replicas=${replicas}`);

/** Fails when the canary has another share than this, or has become stable. */
async function staysAt(weight: number, seconds: number): Promise<void> {
  await new Promise((wake) => setTimeout(wake, 1000 * seconds));
  expect(await rollout("{.status.canary.weights.canary.weight}")).to.equal(String(weight));
  expect(await rollout("{.status.stableRS}")).not.to.equal(await rollout("{.status.currentPodHash}"));
}

/** Runs something without Prometheus, and leaves with it. */
async function withoutPrometheus<T>(run: () => Promise<T>): Promise<T> {
  try {
    await scalePrometheus(0);
    return await run();
  } finally {
    await scalePrometheus(1);
    await kubectl("rollout", "status", "statefulset/prometheus", "-n", "monitoring", "--timeout=120s");
  }
}

/**
 * Prometheus goes away in the middle of a canary: somebody wants it to go on, and it does not without an answer.
 * @param up waits for a person at 40 %
 */
export async function prometheusComesBack(platform: Platform, up: Running): Promise<void> {
  const { gateway, newest: version } = platform;
  const { result, report } = await underLoad(gateway, async () => {
    await withoutPrometheus(async () => {
      await npmOk("release", "promote");
      await staysAt(40, 20);
    });
    return up.finished;
  });
  platform.succeeded(version, result);
  expect(report.failed, JSON.stringify({ ...report, answers: undefined })).to.equal(0);
  expect(await platform.answering()).to.deep.equal([version]);
  record({
    scenario: "canary without Prometheus, borne",
    measured: `stayed at 40 % for 20 s, then went on; ${report.failed} of ${report.requests} requests failed`,
    toReach: "0 failed",
  });
}

/** Prometheus stays away for longer than the settings bear: the release is taken back. */
export async function prometheusStaysAway(platform: Platform): Promise<void> {
  const { gateway, serving } = platform;
  const strategy = `{ type: canary, ${progress}, ${analysis(3)}, steps: [{ setWeightPercent: 10 }, { pauseSeconds: 5 }] }`;
  const { result, report } = await underLoad(gateway, async () => {
    const up = startRelease({ version: platform.nextVersion(), strategy });
    await eventually(
      "the first weight",
      90,
      () => rollout("{.status.canary.weights.canary.weight}"),
      (now) => now === "10",
    );
    return withoutPrometheus(() => up.finished);
  });
  expect(report.failed, JSON.stringify({ ...report, answers: undefined })).to.equal(0);
  expect(result.code, result.output).not.to.equal(0);
  expect(result.output).to.match(/could not be asked for/);
  expect(await platform.answering()).to.deep.equal([serving]);
  record({
    scenario: "canary without Prometheus, not borne",
    measured: `taken back; ${report.failed} of ${report.requests} requests failed`,
    toReach: "0 failed",
  });
}

const kill = (namespace: string, selector: string) =>
  kubectl("get", "pods", "-n", namespace, "-l", selector, "-o", "jsonpath={.items[0].metadata.name}").then(
    (name) => kubectl("delete", "pod", name, "-n", namespace, "--grace-period=0", "--force", "--wait=false"),
  );

/** The controller, a gateway Pod and an application Pod are killed in the middle; also, a second `up` is started. */
export async function killed({ gateway }: Platform): Promise<void> {
  const { report } = await underLoad(gateway, async (load) => {
    for (const [what, namespace, selector] of [
      ["the controller", "delivery", "app.kubernetes.io/name=argo-rollouts"],
      ["an application Pod", "inventory", "technova.io/traffic=live"],
      ["a gateway Pod", "gateway", "app.kubernetes.io/name=traefik"],
    ] as const) {
      const before = load.failedSoFar();
      await kill(namespace, selector);
      await new Promise((wake) => setTimeout(wake, 10_000));
      record({
        scenario: `${what} is killed`,
        measured: `${load.failedSoFar() - before} requests failed, sent over 10 connections`,
        toReach: "none beyond those in flight",
      });
    }
    const second = await release({ version: "1.0.999", strategy: strategies.canary });
    expect(second.code, second.output).not.to.equal(0);
    expect(second.output).to.match(/locked|in progress/);
    expect(await rollout("{.status.phase}")).to.equal("Paused");
  });
  // One for each of the client's connections through a Pod that was killed.
  expect(report.failed, JSON.stringify({ ...report, answers: undefined })).to.be.lessThan(21);
}

/** Right after a blue-green release `undo` brings the version before back at once. */
export async function undone(platform: Platform): Promise<void> {
  const { gateway, before, serving: version } = platform;
  const { result, report } = await underLoad(gateway, async () => {
    await new Promise((wake) => setTimeout(wake, 2_000));
    const undo = await npm("release", "undo");
    await new Promise((wake) => setTimeout(wake, 5_000));
    return undo;
  });
  platform.succeeded(before, result);
  expect(report.failed, JSON.stringify({ ...report, answers: undefined })).to.equal(0);
  expect(await platform.answering()).to.deep.equal([before]);
  const counted = await query('count_over_time(technova_release_duration_seconds{outcome="undone"}[5m])');
  expect(counted.map(({ metric }) => metric.version)).to.deep.equal([version]);
  const back = report.answers.filter((answer) => answer.version === before);
  expect(back.length, "answers of the version before").to.be.greaterThan(0);
  record({
    scenario: "blueGreen: undo",
    measured: `served by the version before after ${result.seconds.toFixed(1)} s`,
    toReach: "5 s",
  });
  const overlap = Math.max(0, overlapSeconds(report.answers.slice(-1000), before, version));
  record({
    scenario: "blueGreen: undo, switch",
    measured: `${overlap.toFixed(2)} s with both versions`,
    toReach: "2 s",
  });
}

/** Another configuration is a release, and goes back like one: with the objects that its Pods read. */
export async function configuration(platform: Platform): Promise<void> {
  const { gateway, serving: version } = platform;
  const levelOf = async () => {
    const pods = ["get", "pods", "-n", "inventory", "-l", "technova.io/traffic=live", "-o"];
    const names = await kubectl(
      ...pods,
      "jsonpath={.items[*].spec.containers[0].envFrom[0].configMapRef.name}",
    );
    const levels = [...new Set(names.split(" "))].map((name) =>
      kubectl("get", "configmap", name, "-n", "inventory", "-o", "jsonpath={.data.INVENTORY_LOG_LEVEL}"),
    );
    return (await Promise.all(levels)).sort().join(" ");
  };
  const { result, report } = await underLoad(gateway, async () => {
    const changed = await release({
      version,
      strategy: unmeasured,
      edits: [[/logLevel: INFO/, "logLevel: WARNING"]],
    });
    expect(changed.code, changed.output).to.equal(0);
    await eventually("the new configuration alone", 60, levelOf, (levels) => levels === "WARNING");
    const undo = await npm("release", "undo");
    expect(undo.code, undo.output).to.equal(0);
    await eventually("the configuration before alone", 60, levelOf, (levels) => levels === "INFO");
    return undo;
  });
  expect(report.failed, JSON.stringify({ ...report, answers: undefined })).to.equal(0);
  record({
    scenario: "another configuration, and back",
    measured: `${report.failed} of ${report.requests} requests failed; undo took ${result.seconds.toFixed(0)} s`,
    toReach: "0 failed",
  });
}
