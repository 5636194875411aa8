import { expect } from "chai";
import { metricsOf } from "../../../tools/release/analysis";
import { seconds } from "../../../tools/release/facts";
import { exitCodes, phaseOf } from "../../../tools/release/phase";
import type { Release } from "../../../tools/release/objects";
import { analysisRun, hashes, healthy, now, pauseCondition, release, replicaSets, rollout } from "./fixtures";
import { replicaSetSchema } from "../../../tools/release/objects";

const phase = (of: Release) => phaseOf(of, metricsOf(of), now);
const state = (of: Release) => phase(of).state;

describe("the phase of a release", () => {
  it("is that of the controller while it goes on, with the step and in plain words", () => {
    const raw = rollout("canary", { currentStepIndex: 2 });
    expect(phase(release(raw))).to.deep.equal({
      state: "progressing",
      message: "step 3 of 5: Pods of the new version are being started",
    });
    expect(phase(release(rollout("rolling"))).message).to.equal("Pods of the new version are being started");
    const analysing = rollout("canary", {
      currentStepIndex: 4,
      message: "waiting for all steps to complete",
    });
    expect(phase(release(analysing)).message).to.equal("step 5 of 5 is under way");
  });

  it("says how long a pause still lasts", () => {
    const raw = rollout("canary", {
      phase: "Paused",
      currentStepIndex: 1,
      controllerPause: true,
      pauseConditions: [pauseCondition("CanaryPauseStep")],
    });
    expect(phase(release(raw))).to.deep.equal({
      state: "progressing",
      message: "step 2 is a pause of 120 s, 60 s left",
    });
  });

  it("waits at a pause that nobody has ended", () => {
    const raw = rollout("canary", {
      phase: "Paused",
      currentStepIndex: 3,
      controllerPause: true,
      pauseConditions: [pauseCondition("CanaryPauseStep")],
    });
    expect(phase(release(raw))).to.deep.equal({
      state: "waiting",
      message: "step 4 waits for a promotion",
    });
  });

  it("waits when too little is known", () => {
    const pauseConditions = [pauseCondition("InconclusiveAnalysisRun")];
    const raw = rollout("canary", { phase: "Paused", controllerPause: true, pauseConditions });
    expect(phase(release(raw)).message).to.include("want of requests");
    expect(state(release(raw))).to.equal("waiting");
  });

  it("waits when it was paused by hand, whatever else holds it", () => {
    const raw = rollout("rolling", { phase: "Paused" }, { paused: true });
    expect(phase(release(raw))).to.deep.equal({ state: "waiting", message: "paused by hand" });
  });

  it("waits for the promotion of a preview, but not where that comes by itself", () => {
    const paused = {
      phase: "Paused",
      controllerPause: true,
      pauseConditions: [pauseCondition("BlueGreenPause")],
    };
    expect(phase(release(rollout("blueGreen", paused))).message).to.include("waits for a promotion");
    const raw = rollout("blueGreen", paused, {
      strategy: { blueGreen: { activeService: "inventory-active", autoPromotionSeconds: 90 } },
    });
    expect(phase(release(raw))).to.deep.equal({
      state: "progressing",
      message: "is promoted by itself, 30 s left",
    });
  });

  it("goes on as soon as it is promoted, before the controller has done anything", () => {
    const raw = rollout("canary", { phase: "Paused", controllerPause: true, pauseConditions: null });
    expect(phase(release(raw)).message).to.include("promoted");
    expect(state(release(raw))).to.equal("progressing");
  });

  it("has failed when it was aborted, for what was measured or for what the controller says", () => {
    const message = 'Rollout aborted update to revision 3: Metric "error-percent" assessed Failed';
    const conditions = [{ type: "Progressing", reason: "RolloutAborted", message }];
    const raw = rollout("canary", { phase: "Degraded", abort: true, conditions });
    const bad = analysisRun({ "rollout-type": "Background" }, [
      {
        name: "error-percent",
        phase: "Failed",
        count: 2,
        measurements: [{ phase: "Failed", value: "[31.3912]" }],
      },
    ]);
    expect(phase(release(raw, { analysisRuns: [bad] }))).to.deep.equal({
      state: "failed",
      message: "aborted: error-percent was 31.39, its limit is 5; version 1.0.0 is back in service",
    });
    expect(phase(release(raw)).message).to.include('Metric "error-percent" assessed Failed;');
  });

  it("has failed by hand when nobody gives a reason", () => {
    const raw = rollout("canary", { phase: "Degraded", abort: true });
    expect(phase(release(raw)).message).to.match(/^aborted: by hand; version 1\.0\.0/);
  });

  it("has failed when its Pods make no progress", () => {
    const conditions = [
      { type: "Progressing", reason: "ProgressDeadlineExceeded", message: "has timed out progressing" },
    ];
    const raw = rollout("rolling", { phase: "Degraded", conditions });
    expect(phase(release(raw))).to.deep.equal({
      state: "failed",
      message: "its Pods made no progress for 300 s",
    });
  });

  it("has failed when the controller cannot make sense of the Rollout", () => {
    const conditions = [{ type: "InvalidSpec", reason: "InvalidSpec", message: "no such Service" }];
    expect(phase(release(rollout("canary", { conditions }))).message).to.include("no such Service");
    expect(state(release(rollout("canary", { conditions })))).to.equal("failed");
  });

  it("is healthy for the version that the status speaks of alone", () => {
    expect(state(release(rollout("canary", healthy)))).to.equal("healthy");
    const unseen = rollout("canary", { ...healthy, observedGeneration: "6" });
    expect(phase(release(unseen)).message).to.include("not seen the latest change");
    expect(state(release(unseen))).to.equal("progressing");
  });

  it("is not healthy while the controller has seen a change and still counts with the version before", () => {
    const sets = replicaSets().map((each) => replicaSetSchema.parse(each));
    const raw = rollout("rolling", { ...healthy, currentPodHash: hashes.stable, stableRS: hashes.stable });
    expect(state(release(raw, { replicaSets: sets }))).to.equal("progressing");
  });

  it("has an exit code of its own in each state", () => {
    expect(exitCodes).to.deep.equal({ healthy: 0, progressing: 3, waiting: 4, failed: 5 });
  });
});

describe("a duration of the controller", () => {
  it("is a number of seconds, or numbers with units", () => {
    expect([30, "30", "30s", "2m", "1m30s", "1h"].map(seconds)).to.deep.equal([30, 30, 30, 120, 90, 3600]);
    expect(seconds(undefined)).to.equal(undefined);
  });
});
