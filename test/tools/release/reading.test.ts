import { expect } from "chai";
import type { Picture } from "../../../tools/release/picture";
import { placeWith, run, type Place } from "./commandLine";
import { recordsPath, rolloutPath } from "./fakeApi";
import { healthy, pauseCondition, replicaSet, rollout } from "./fixtures";

const manual = {
  phase: "Paused",
  currentStepIndex: 3,
  controllerPause: true,
  pauseConditions: [pauseCondition("CanaryPauseStep")],
};

describe("the commands that show a release", () => {
  let place: Place | undefined;
  const on = async (raw: ReturnType<typeof rollout> | undefined, ...args: string[]) => {
    place = await placeWith(raw);
    return run(place, ...args);
  };

  it("end with the code of the state", async () => {
    expect((await on(rollout("canary", healthy), "status")).code).to.equal(0);
    expect((await on(rollout("canary"), "status")).code).to.equal(3);
    expect((await on(rollout("canary", manual), "status")).code).to.equal(4);
    const failed = await on(rollout("canary", { phase: "Degraded", abort: true }), "status");
    expect(failed.code).to.equal(5);
    expect(failed.out).to.include("state        failed: aborted: by hand");
  });

  it("give the picture as JSON too", async () => {
    const { code, out } = await on(rollout("canary", manual), "status", "--json");
    const picture = JSON.parse(out) as Picture;
    expect(code).to.equal(4);
    expect(picture).to.include({ application: "inventory", strategy: "canary", state: "waiting" });
    expect(picture.replicas.map(({ version }) => version)).to.deep.equal(["1.1.0", "1.0.0"]);
  });

  it("show ReplicaSets of the Rollout alone, not those of its experiments", async () => {
    place = await placeWith(rollout("rolling"));
    place.api.lists.replicaSets.push(replicaSet("dddd4444", "9.9.9", { owner: "an-experiment" }));
    const { code, out } = await run(place, "status");
    expect(code).to.equal(3);
    expect(out).to.include("bbbb2222").and.not.to.include("dddd4444");
  });

  it("follow a release until it is through, with a line for each change", async () => {
    place = await placeWith(rollout("canary", { currentStepIndex: 0 }));
    const { api } = place;
    setTimeout(
      () =>
        api.touch(
          rolloutPath,
          (object) => (object.status = { ...(object.status as object), currentStepIndex: 2 }),
        ),
      40,
    );
    setTimeout(
      () =>
        api.touch(rolloutPath, (object) => (object.status = { ...(object.status as object), ...healthy })),
      80,
    );
    const { code, out } = await run(place, "watch");
    expect(code).to.equal(0);
    const lines = out.split("\n");
    expect(lines).to.have.lengthOf(3);
    expect(lines[0]).to.match(/^\d\d:\d\d:\d\d 1\.1\.0 progressing: step 1 of 5/);
    expect(lines[1]).to.include("step 3 of 5");
    expect(lines[2]).to.include("1.1.0 healthy");
  });

  it("follow a release until it has failed", async () => {
    expect((await on(rollout("canary", { phase: "Degraded", abort: true }), "watch")).code).to.equal(5);
  });

  it("stop following when the time is over, and say how it stands", async function () {
    this.timeout(10_000);
    expect((await on(rollout("canary", manual), "watch", "--timeout", "1")).code).to.equal(4);
    expect((await on(rollout("canary"), "watch", "--timeout", "1")).code).to.equal(3);
  });

  it("list the releases that have ended", async () => {
    const entry = {
      hash: "h",
      version: "0.9.0",
      schemaRevision: "0003",
      strategy: "rolling",
      startedAt: "2026-01-02T12:00:00Z",
      finishedAt: "2026-01-02T12:00:20Z",
      outcome: "succeeded",
      message: "fine",
    };
    place = await placeWith(rollout("rolling"), { data: { "history.json": JSON.stringify([entry]) } });
    expect((await run(place, "history")).out).to.include("0.9.0");
    place.api.touch(recordsPath, (object) => (object.data = { "history.json": "[{]" }));
    expect((await run(place, "history")).notes).to.include("no history that can be read");
    place.api.objects.delete(recordsPath);
    expect((await run(place, "history")).out).to.equal("No release has been recorded yet.");
  });
});

describe("what is in the way of the commands", () => {
  let place: Place;
  const refusal = async (...args: string[]) => {
    const { code, notes } = await run(place, ...args);
    expect(code).to.equal(1);
    return notes;
  };

  it("is named with what to do next: no Argo Rollouts, no Rollout", async () => {
    place = await placeWith(undefined);
    expect(await refusal("status")).to.include("technova:argoRollouts");
    place.api.put("/apis/argoproj.io/v1alpha1", {});
    expect(await refusal("undo")).to.include("npm run up");
  });

  it("is named with what to do next: no such stack, context or embedded cluster", async () => {
    place = await placeWith(rollout("canary"));
    expect(await refusal("status", "--stack", "nowhere")).to.include("Stacks with settings: local, staging");
    expect(await refusal("status", "--stack", "local")).to.include("npm start");
    const { root, api } = place;
    const elsewhere = { root, api, env: { ...place.env, KUBECONFIG: `${root}/none` } };
    expect((await run(elsewhere, "status")).notes)
      .to.include("There is no kubeconfig")
      .and.to.include("KUBECONFIG");
  });

  it("is named with what to do next: no rights, no answer", async () => {
    place = await placeWith(rollout("canary"));
    place.api.failures.push(403);
    expect(await refusal("status")).to.include("allowed to read and patch");
    await place.api.stop();
    expect(await refusal("status"))
      .to.include("does not answer")
      .and.to.include("kubernetes:context");
  });

  it("is said with code 2 when the command line is wrong", async () => {
    place = await placeWith(rollout("canary"));
    const lines = [
      ["bogus"],
      ["status", "--jsn"],
      ["watch", "--timeout", "soon"],
      ["undo", "--timeout", "0"],
      ["pause", "now"],
      [],
    ];
    for (const line of lines) expect((await run(place, ...line)).code, line.join(" ")).to.equal(2);
    expect((await run(place, "watch", "--timeout", "soon")).notes).to.include("whole number of seconds");
  });

  it("is not there for help, which names the exit codes", async () => {
    place = await placeWith(undefined);
    for (const line of [["--help"], ["status", "--help"], ["watch", "--help"]]) {
      const { code, out } = await run(place, ...line);
      expect(code).to.equal(0);
      expect(out).to.include("npm run release -- ").and.to.include("4 waits for a promotion");
    }
    for (const name of ["promote", "pause", "abort", "retry", "undo", "history"]) {
      expect((await run(place, name, "--help")).out).to.include(`npm run release -- ${name} [options]`);
    }
  });
});
