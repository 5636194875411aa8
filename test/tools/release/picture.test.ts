import { expect } from "chai";
import { metricsOf } from "../../../tools/release/analysis";
import { pictureOf } from "../../../tools/release/picture";
import { replicaSetSchema, type Release } from "../../../tools/release/objects";
import { stagesOf } from "../../../tools/release/stages";
import { trafficOf } from "../../../tools/release/traffic";
import {
  activeService,
  analysisRun,
  hashes,
  healthy,
  now,
  pauseCondition,
  release,
  replicaSet,
  replicaSets,
  rollout,
} from "./fixtures";

const marks = (of: Release) => stagesOf(of).map(({ mark }) => mark);
const titles = (of: Release) => stagesOf(of).map(({ title }) => title);

describe("the steps of a release", () => {
  it("are those of a canary, with what is done, under way and to come", () => {
    const of = release(rollout("canary", { currentStepIndex: 2 }));
    expect(titles(of)).to.deep.equal([
      "10 % of the traffic",
      "stay for 120 s",
      "50 % of the traffic",
      "wait for a promotion",
      "analysis that decides over the release",
    ]);
    expect(marks(of)).to.deep.equal(["done", "done", "current", "to come", "to come"]);
  });

  it("are all done when the version serves", () => {
    const of = release(rollout("canary", { ...healthy, currentStepIndex: 5 }));
    expect(new Set(marks(of))).to.deep.equal(new Set(["done"]));
  });

  it("show which analysis has failed, although the controller counts from the beginning again", () => {
    const raw = rollout("canary", { abort: true, currentStepIndex: 0 });
    const failed = analysisRun({ "rollout-type": "Step", "step-index": "4" }, [], { phase: "Failed" });
    expect(marks(release(raw, { analysisRuns: [failed] }))).to.deep.equal([
      "done",
      "done",
      "done",
      "done",
      "failed",
    ]);
    expect(marks(release(raw))).to.deep.equal(Array(5).fill("to come"));
    const earlier = analysisRun({ "rollout-type": "Step", "step-index": "4" }, [], {
      phase: "Failed",
      hash: hashes.old,
    });
    expect(marks(release(raw, { analysisRuns: [earlier] }))).to.deep.equal(Array(5).fill("to come"));
  });

  it("are shares of the Pods where no traffic is split", () => {
    const strategy = { canary: { steps: [{ experiment: { templates: [] } }, { setWeight: 50 }] } };
    const of = release(rollout("rolling", { currentStepIndex: 0 }, { strategy }));
    expect(titles(of)).to.deep.equal(["experiment beside the stable version", "50 % of the Pods"]);
  });
});

describe("the stages of a blue-green release", () => {
  const blueGreen = (status: object, more: Partial<Release> = {}) =>
    release(rollout("blueGreen", { ...status }), more);
  const active = (hash: string) => ({ activeSelector: hash, previewSelector: hashes.current });
  const ready = [
    replicaSet(hashes.stable, "1.0.0", { revision: 2 }),
    replicaSet(hashes.current, "1.1.0", { revision: 3, schema: "0005" }),
  ].map((each) => replicaSetSchema.parse(each));

  it("begin with the preview's Pods", () => {
    const of = blueGreen({ blueGreen: active(hashes.stable) });
    expect(titles(of)).to.deep.equal([
      "preview ready",
      "analysis before the promotion",
      "promotion, by hand",
      "analysis after the promotion",
      "old version leaves",
    ]);
    expect(marks(of)).to.deep.equal(["current", "to come", "to come", "to come", "to come"]);
  });

  it("wait for the promotion when what comes before it has gone well", () => {
    const prePromotionAnalysisRunStatus = { name: "pre", status: "Successful" };
    const of = blueGreen(
      { blueGreen: { ...active(hashes.stable), prePromotionAnalysisRunStatus } },
      { replicaSets: ready },
    );
    expect(marks(of)).to.deep.equal(["done", "done", "current", "to come", "to come"]);
  });

  it("are measured again after the promotion", () => {
    const of = blueGreen({ blueGreen: active(hashes.current) }, { replicaSets: ready });
    expect(marks(of)).to.deep.equal(["done", "done", "done", "current", "to come"]);
  });

  it("end with the old version, kept for a while", () => {
    const kept = replicaSet(hashes.stable, "1.0.0", {
      annotations: { "scale-down-deadline": "2026-01-02T12:11:30Z" },
    });
    const status = { ...healthy, blueGreen: active(hashes.current) };
    const of = blueGreen(status, {
      replicaSets: [kept, replicaSets()[2]].map((each) => replicaSetSchema.parse(each)),
    });
    expect(stagesOf(of).at(-1)).to.deep.equal({
      title: "old version kept until 12:11:30 UTC",
      mark: "current",
    });
    expect(pictureOf(of, { stack: "local", now }).replicas.map(({ role }) => role)).to.deep.equal([
      "stable",
      "kept",
    ]);
    const gone = blueGreen(status, { replicaSets: ready.slice(1) });
    expect(stagesOf(gone).at(-1)).to.deep.equal({ title: "old version gone", mark: "done" });
  });

  it("stop at the analysis that has failed", () => {
    const prePromotionAnalysisRunStatus = { name: "pre", status: "Failed" };
    const of = blueGreen(
      { abort: true, blueGreen: { ...active(hashes.stable), prePromotionAnalysisRunStatus } },
      { replicaSets: ready },
    );
    expect(marks(of)).to.deep.equal(["done", "failed", "to come", "to come", "to come"]);
  });
});

describe("the traffic of a release", () => {
  const shares = (of: Release) => trafficOf(of).map(({ version, percent }) => `${percent} % ${version}`);

  it("is split by weight in a canary", () => {
    const canary = { weight: 10, podTemplateHash: hashes.current };
    const weights = { canary, stable: { weight: 90, podTemplateHash: hashes.stable } };
    expect(shares(release(rollout("canary", { canary: { weights } })))).to.deep.equal([
      "90 % 1.0.0",
      "10 % 1.1.0",
    ]);
  });

  it("goes to one version when a canary is through", () => {
    const weights = { canary: { weight: 0 }, stable: { weight: 100 } };
    expect(shares(release(rollout("canary", { ...healthy, canary: { weights } })))).to.deep.equal([
      "100 % 1.1.0",
    ]);
  });

  it("is where the active Service points", () => {
    const raw = rollout("blueGreen", { blueGreen: { activeSelector: hashes.current } });
    expect(shares(release(raw, { activeService: activeService(hashes.stable) }))).to.deep.equal([
      "100 % 1.0.0",
    ]);
    expect(shares(release(raw))).to.deep.equal(["100 % 1.1.0"]);
  });

  it("follows the Pods in a rolling release, and says that it is not exact", () => {
    const of = release(rollout("rolling"));
    expect(shares(of)).to.deep.equal(["67 % 1.0.0", "33 % 1.1.0"]);
    expect(trafficOf(of).every(({ byPods }) => byPods)).to.equal(true);
  });
});

describe("the measured values of a release", () => {
  it("are the latest, with their limits and what they come to", () => {
    const run = analysisRun({ "rollout-type": "Background" }, [
      {
        name: "error-percent",
        phase: "Running",
        count: 2,
        error: 1,
        measurements: [
          { phase: "Successful", value: "[0]" },
          { phase: "Failed", value: "[7.123456]" },
        ],
      },
    ]);
    expect(metricsOf(release(rollout("canary"), { analysisRuns: [run] }))).to.deep.equal([
      {
        during: "all the time",
        name: "error-percent",
        value: 7.123456,
        limit: 5,
        verdict: "above",
        measurements: 3,
        message: undefined,
      },
      {
        during: "all the time",
        name: "p95-milliseconds",
        limit: 1000,
        verdict: "not measured",
        measurements: 0,
      },
    ]);
  });

  const verdict = (phase: string, value?: string, metricPhase = "Running") => {
    const measurements = [{ phase, value }];
    const result = { name: "error-percent", phase: metricPhase, count: 1, measurements };
    const run = analysisRun({ "rollout-type": "Step", "step-index": "4" }, [result]);
    return metricsOf(release(rollout("canary"), { analysisRuns: [run] }))[0];
  };

  it("can be unknown, or no number at all", () => {
    expect(verdict("Successful", "[0.5]")).to.include({ verdict: "ok", value: 0.5, during: "step 5" });
    expect(verdict("Inconclusive", "[]")).to.include({ verdict: "unknown", value: undefined });
    expect(verdict("Inconclusive", "[NaN]")).to.include({ verdict: "unknown", value: undefined });
    expect(verdict("Error")).to.include({ verdict: "error" });
    expect(verdict("Successful", "[0.5]", "Failed")).to.include({ verdict: "above" });
    expect(verdict("Successful", "[1.5e+03]")).to.include({ value: 1500 });
  });

  it("are those of this version, and of the latest of the analyses that were repeated", () => {
    const labels = { "rollout-type": "PrePromotion" };
    const value = (text: string, phase: string) => [
      { name: "error-percent", phase, count: 1, measurements: [{ phase, value: text }] },
    ];
    const runs = [
      analysisRun(labels, value("[2]", "Successful"), { created: "2026-01-02T12:06:00Z" }),
      analysisRun(labels, value("[1]", "Inconclusive"), { created: "2026-01-02T12:05:00Z" }),
      analysisRun(labels, value("[9]", "Failed"), { created: "2026-01-02T12:07:00Z", hash: hashes.old }),
    ];
    const found = metricsOf(release(rollout("blueGreen"), { analysisRuns: runs }));
    expect(found.map(({ during, value: last }) => [during, last])).to.deep.equal([
      ["before promotion", 2],
      ["before promotion", undefined],
    ]);
  });

  it("are also those of its experiment, which has no hash on its analyses", () => {
    const mine = analysisRun({}, [], { owner: `inventory-${hashes.current}-3-0` });
    const other = analysisRun({}, [], { owner: `inventory-${hashes.old}-1-0` });
    const of = (run: typeof mine) => metricsOf(release(rollout("rolling"), { analysisRuns: [run] }));
    expect(of(mine)[0]).to.include({ during: "experiment" });
    expect(of(other)).to.deep.equal([]);
  });
});

describe("what to do next", () => {
  const next = (of: Release, stack = "local") => pictureOf(of, { stack, now }).next;

  it("is a promotion where the release waits for one, with the stack that it is for", () => {
    const raw = rollout("canary", {
      phase: "Paused",
      currentStepIndex: 3,
      pauseConditions: [pauseCondition("CanaryPauseStep")],
    });
    expect(next(release(raw))).to.deep.equal([
      "waits for: npm run release -- promote",
      "to give it up: npm run release -- abort",
    ]);
    expect(next(release(raw), "staging")[0]).to.include("npm run release -- promote --stack staging");
  });

  it("is to settle or to retry what was aborted", () => {
    expect(next(release(rollout("canary", { phase: "Degraded", abort: true }))).join(" ")).to.match(
      /undo.*retry/,
    );
  });

  it("names the version that an undo would bring back", () => {
    expect(next(release(rollout("rolling", healthy)))).to.deep.equal([
      "nothing to do",
      "back to version 1.0.0: npm run release -- undo",
    ]);
  });
});
