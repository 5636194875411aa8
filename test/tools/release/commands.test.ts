import { expect } from "chai";
import { run, placeWith, type Place } from "./commandLine";
import { rolloutPath } from "./fakeApi";
import { healthy, pauseCondition, rollout } from "./fixtures";

const manual = {
  phase: "Paused",
  currentStepIndex: 3,
  controllerPause: true,
  pauseConditions: [pauseCondition("CanaryPauseStep")],
};
const aborted = { phase: "Degraded", abort: true, currentStepIndex: 0 };
const mergePatch = "application/merge-patch+json";

describe("the commands that steer a release", () => {
  let place: Place | undefined;
  const on = async (raw: ReturnType<typeof rollout> | undefined, ...args: string[]) => {
    place = await placeWith(raw);
    return run(place, ...args);
  };
  /** What was sent: the half of the Rollout, and its fields. */
  const sent = () =>
    place?.api.patches.map(({ path, contentType, body }) => {
      expect(contentType).to.equal(mergePatch);
      expect(path.replace(/\/status$/, "")).to.equal(rolloutPath);
      const { metadata, ...halves } = body as { metadata: object };
      expect(metadata).to.have.all.keys("resourceVersion");
      expect(halves).to.have.all.keys(path.endsWith("/status") ? "status" : "spec");
      return halves;
    });

  /** The controller has seen the change of the specification. */
  const seen = () =>
    place?.api.touch(rolloutPath, (object) => {
      object.status = { ...(object.status as object), observedGeneration: "8" };
    });

  it("promote a release that waits at a step", async () => {
    const { code, out } = await on(rollout("canary", manual), "promote");
    expect([code, out]).to.deep.equal([0, "Promoted: the release goes on."]);
    expect(sent()).to.deep.equal([{ status: { pauseConditions: null } }]);
    expect(place?.api.patches[0]?.body).to.deep.include({ metadata: { resourceVersion: "100" } });
  });

  it("say the second time that it is promoted, before the controller has done anything", async () => {
    await on(rollout("canary", manual), "promote");
    const { code, out } = await run(place as Place, "promote");
    expect([code, out]).to.deep.equal([0, "It is promoted already; the controller goes on in a moment."]);
    expect(sent()).to.have.lengthOf(1);
  });

  it("leave a canary's step behind whose result is not clear", async () => {
    const raw = rollout("canary", {
      ...manual,
      currentStepIndex: 4,
      pauseConditions: [pauseCondition("InconclusiveAnalysisRun")],
      canary: { currentStepAnalysisRunStatus: { name: "step", status: "Inconclusive" } },
    });
    expect((await on(raw, "promote")).code).to.equal(0);
    expect(sent()).to.deep.equal([
      { status: { pauseConditions: null, controllerPause: false, currentStepIndex: 5 } },
    ]);
  });

  it("have everything else measured once more", async () => {
    const pauseConditions = [pauseCondition("InconclusiveAnalysisRun")];
    const { out } = await on(rollout("blueGreen", { ...manual, pauseConditions }), "promote");
    expect(out).to.include("measured once more");
    expect(sent()).to.deep.equal([{ status: { pauseConditions: null } }]);
  });

  it("let what was paused by hand go on where it was, and skip nothing", async () => {
    const raw = rollout("canary", { phase: "Paused", currentStepIndex: 4 }, { paused: true });
    expect((await on(raw, "promote")).out).to.include("where it was paused");
    expect(sent()).to.deep.equal([{ spec: { paused: false } }]);
  });

  it("refuse a promotion that comes too early, and name the step that will wait", async () => {
    const { code, notes } = await on(rollout("canary", { currentStepIndex: 2 }), "promote");
    expect(code).to.equal(1);
    expect(notes).to.include("before step 4").and.to.include("--full --stack staging");
    const blueGreen = await on(rollout("blueGreen"), "promote");
    expect([blueGreen.code, blueGreen.notes]).to.satisfy(
      ([exit, text]: [number, string]) => exit === 1 && text.includes("not ready"),
    );
  });

  it("have nothing against a promotion of what goes on by itself", async () => {
    const { code, out } = await on(rollout("canary", { currentStepIndex: 4 }), "promote");
    expect(code).to.equal(0);
    expect(out).to.include("goes on by itself");
    expect(sent()).to.deep.equal([]);
  });

  it("skip everything that is left, also what was paused by hand", async () => {
    await on(rollout("canary", manual, { paused: true }), "promote", "--full");
    expect(sent()).to.deep.equal([{ status: { promoteFull: true } }, { spec: { paused: false } }]);
    const versions = place?.api.patches.map(({ body }) => (body as { metadata: object }).metadata);
    expect(versions).to.deep.equal([{ resourceVersion: "100" }, { resourceVersion: "101" }]);
    seen();
    const { code, out } = await run(place as Place, "promote", "--full");
    expect([code, out]).to.deep.equal([0, "It is promoted already, with everything skipped."]);
  });

  it("pause, once", async () => {
    const { code, out } = await on(rollout("rolling"), "pause");
    expect(code).to.equal(0);
    expect(out).to.include("Its Pods serve meanwhile").and.to.include("abort --stack staging");
    expect(sent()).to.deep.equal([{ spec: { paused: true } }]);
    seen();
    const again = await run(place as Place, "pause");
    expect(again.out).to.include("paused already").and.to.include("promote --stack staging");
    expect([again.code, sent()?.length]).to.deep.equal([0, 1]);
  });

  it("find nothing to pause where it waits already", async () => {
    const { code, out } = await on(rollout("canary", manual), "pause");
    expect(out).to.include("waits already");
    expect([code, sent()]).to.deep.equal([0, []]);
  });

  it("hold a pause that would have ended by itself", async () => {
    await on(rollout("canary", { ...manual, currentStepIndex: 1 }), "pause");
    expect(sent()).to.deep.equal([{ spec: { paused: true } }]);
  });

  it("abort, once, and leave no pause in the way", async () => {
    expect((await on(rollout("canary", manual, { paused: true }), "abort")).code).to.equal(0);
    expect(sent()).to.deep.equal([{ status: { abort: true } }, { spec: { paused: false } }]);
    seen();
    const again = await run(place as Place, "abort");
    expect([again.code, sent()?.length]).to.deep.equal([0, 2]);
    expect(again.out).to.include("aborted already");
  });

  it("retry what was aborted, once", async () => {
    expect((await on(rollout("canary", aborted), "retry")).code).to.equal(0);
    expect(sent()).to.deep.equal([{ status: { abort: false } }]);
    const again = await run(place as Place, "retry");
    expect([again.code, sent()?.length]).to.deep.equal([0, 1]);
    expect(again.out).to.include("was not aborted");
  });

  for (const command of ["promote", "promote --full", "pause", "abort", "retry"]) {
    it(`refuse where nothing is on its way: ${command}`, async () => {
      const { code, notes } = await on(rollout("canary", healthy), ...command.split(" "));
      expect(code).to.equal(1);
      expect(notes).to.include("nothing is on its way");
      expect(sent()).to.deep.equal([]);
    });
  }

  for (const command of ["promote", "promote --full", "pause"]) {
    it(`refuse what was aborted, and name what can be done: ${command}`, async () => {
      const { code, notes } = await on(rollout("canary", aborted), ...command.split(" "));
      expect([code, sent()]).to.deep.equal([1, []]);
      expect(notes).to.include("retry --stack staging").and.to.include("undo --stack staging");
    });
  }

  it("refuse to abort a first version, behind which there is none", async () => {
    const { code, notes } = await on(rollout("canary", { stableRS: "" }), "abort");
    expect(code).to.equal(1);
    expect(notes).to.include("the first one");
  });

  it("decide anew when the release has gone on meanwhile, and so end no other pause", async () => {
    place = await placeWith(rollout("canary", { ...manual, currentStepIndex: 1 }));
    let raced = false;
    place.api.beforePatch = () => {
      if (raced) return;
      raced = true;
      place?.api.touch(rolloutPath, (object) => {
        object.status = {
          ...(object.status as object),
          currentStepIndex: 2,
          pauseConditions: null,
          controllerPause: false,
        };
      });
    };
    const { code, notes } = await run(place, "promote");
    expect(code).to.equal(1);
    expect(notes).to.include("before step 4");
    expect(place.api.patches).to.have.lengthOf(1);
    expect((place.api.get(rolloutPath).status as { currentStepIndex: number }).currentStepIndex).to.equal(2);
  });

  it("wait until the controller has seen the latest change, which may be the release that is meant", async () => {
    place = await placeWith(rollout("canary", { ...healthy, observedGeneration: "6" }));
    setTimeout(
      () => place?.api.touch(rolloutPath, (object) => (object.status = rollout("canary").status)),
      30,
    );
    expect((await run(place, "abort")).code).to.equal(0);
    expect(sent()).to.deep.equal([{ status: { abort: true } }]);
  });
});
