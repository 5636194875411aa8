import { expect } from "chai";
import { kubectl } from "../support/cluster";
import { npm } from "../support/command";
import { faults, type Fault } from "../support/faultyApp";
import { record } from "../support/figures";
import {
  impactOf,
  overlapSeconds,
  release,
  strategies,
  underLoad,
  versionOf,
  type StrategyName,
} from "../support/releases";
import { rollout, type Platform } from "./platform";

/** A good release: nobody notices it. */
export async function goodRelease(platform: Platform, strategy: StrategyName): Promise<void> {
  const { gateway, serving } = platform;
  const version = platform.nextVersion();
  const before = await platform.onHand();
  const { result, report } = await underLoad(gateway, () =>
    whileGuarded(release({ version, strategy: strategies[strategy] })),
  );
  platform.succeeded(version, result);
  expect(report.failed, JSON.stringify({ ...report, answers: undefined })).to.equal(0);
  expect(Object.keys(report.versions)).to.have.members([serving, version]);
  expect(await platform.answering()).to.deep.equal([version]);
  // Every acknowledged receipt, once; and at most one for each connection whose answer the end of the load cut off.
  const booked = (await platform.onHand()) - before;
  expect(booked).to.be.within(report.acknowledgedUnits, report.acknowledgedUnits + 10);
  record({
    scenario: `${strategy}: good`,
    measured:
      `${report.failed} of ${report.requests} requests failed, ` +
      `${report.acknowledgedUnits} receipts acknowledged, ${booked} booked; ${result.seconds.toFixed(0)} s`,
    toReach: "0 failed",
  });
  if (strategy !== "blueGreen") return;
  const overlap = Math.max(0, overlapSeconds(report.answers, version, serving));
  record({
    scenario: "blueGreen: switch",
    measured: `${overlap.toFixed(2)} s with both versions`,
    toReach: "2 s",
  });
}

/** Fails when there are ever fewer Pods than at rest, or when the release has others in mind than the autoscaler. */
async function whileGuarded<T>(running: Promise<T>): Promise<T> {
  let ended = false;
  const end = running.finally(() => (ended = true));
  const numbers = (kind: string, path: string) =>
    kubectl("get", kind, "-n", "inventory", "-o", `jsonpath=${path}`).then((text) =>
      text.split(" ").map(Number),
    );
  while (!ended) {
    const [least = NaN, most = NaN] = await numbers(
      "horizontalpodautoscalers",
      "{.items[0].spec.minReplicas} {.items[0].spec.maxReplicas}",
    );
    const [healthy] = await numbers("poddisruptionbudgets", "{.items[0].status.currentHealthy}");
    expect(healthy, "Pods that serve").to.be.at.least(least);
    const [wanted] = await numbers("rollouts", "{.items[0].spec.replicas}");
    expect(wanted, "Pods of the release").to.be.within(least, most);
    await new Promise((wake) => setTimeout(wake, 3_000));
  }
  return end;
}

/** What users see of a fault at most, by strategy: nothing, where a Pod is tried out that has it. */
const triedOut: ReadonlySet<Fault> = new Set(["errors", "unready", "business"]);

/** A bad release: it is taken back, and `up` says why. */
export async function badRelease(platform: Platform, strategy: StrategyName, fault: Fault): Promise<void> {
  const { gateway, serving } = platform;
  const settings = { version: platform.nextVersion(), fault, strategy: strategies[strategy] };
  const { result, report } = await underLoad(gateway, () => release(settings));
  const { code, output, seconds } = result;
  expect(code, output).not.to.equal(0);
  expect(output).to.match(new RegExp(`The release did not go through \\(${strategy}[,)]`));
  expect(output).to.contain(`Version ${serving} serves all requests.`);
  expect(output).to.match(reasons[fault]);
  expect(await platform.answering()).to.deep.equal([serving]);
  const impact = impactOf(report.answers, fault === "slow" ? 1000 : Infinity);
  const unseen = strategy === "canary" ? fault === "unready" : triedOut.has(fault);
  if (unseen) {
    expect(report.versions, "answers by version").not.to.have.property(versionOf(settings));
    expect(report.failed, "failed requests").to.equal(0);
  }
  record({
    scenario: `${strategy}: ${faults[fault]}`,
    measured:
      `${impact.bad} bad answers of ${report.requests}, ` +
      `from first to last ${impact.seconds.toFixed(0)} s, ${impact.percent.toFixed(1)} % of all in that time; ` +
      `up failed after ${seconds.toFixed(0)} s`,
    toReach: unseen ? "0 bad" : strategy === "canary" ? "60 s, 12 %" : undefined,
  });
}

const reasons: Readonly<Record<Fault, RegExp>> = {
  errors: /error-percent was \d|smoke-test failed: .*got 500/,
  slow: /p95-milliseconds was \d+/,
  unready: /progress|ready|experiment/i,
  crash: /restarts was \d|error-percent was \d|ready/,
  business: /rejected-movements-percent was \d|smoke-test failed: .*got 409/,
};

/**
 * Another strategy for the same version moves no Pod. It comes after a release that failed, so that the settings before
 * come back with it: the cluster has their version still, and nothing is released.
 */
export async function switchStrategy(platform: Platform, to: StrategyName): Promise<void> {
  const stable = await rollout("{.status.stableRS}");
  const names = () =>
    kubectl(
      ...["get", "pods", "-n", "inventory", "-l", `rollouts-pod-template-hash=${stable}`],
      ...["-o", "jsonpath={.items[*].metadata.name}"],
    ).then((list) => list.split(" "));
  const before = await names();
  const { result, report } = await underLoad(platform.gateway, () =>
    release({ version: platform.serving, strategy: strategies[to] }),
  );
  expect(result.code, result.output).to.equal(0);
  expect(report.failed, JSON.stringify({ ...report, answers: undefined })).to.equal(0);
  expect(await rollout("{.status.stableRS} {.status.currentPodHash}")).to.equal(`${stable} ${stable}`);
  expect((await npm("release", "status")).code).to.equal(0);
  // Some may have gone since with the load: the autoscaler's doing, down to two.
  const after = await names();
  const kept = before.filter((name) => after.includes(name)).length;
  expect(kept, `Pods that stay of ${before.join(", ")}`).to.be.at.least(Math.min(2, before.length));
  record({
    scenario: `to ${to}`,
    measured: `${report.failed} of ${report.requests} requests failed`,
    toReach: "0 failed",
  });
}
