import { expect } from "chai";
import type { Entry } from "../../../tools/release/history";
import { placeWith, run, type Place } from "./commandLine";
import { recordsPath, rolloutPath } from "./fakeApi";
import { hashes, healthy, rollout, template, type strategies } from "./fixtures";

type Json = Record<string, unknown>;

function entry(hash: string, version: string, outcome: Entry["outcome"], schemaRevision = "0004"): Entry {
  const times = { startedAt: "2026-01-02T12:00:00Z", finishedAt: "2026-01-02T12:01:00Z" };
  return { hash, version, schemaRevision, strategy: "canary", ...times, outcome, message: "" };
}

const well = [
  entry(hashes.old, "0.9.0", "succeeded", "0003"),
  entry(hashes.stable, "1.0.0", "succeeded"),
  entry(hashes.current, "1.1.0", "succeeded", "0005"),
];
const records = (history: readonly Entry[]) => ({ data: { "history.json": JSON.stringify(history) } });

/** A controller that takes a template up at once, and makes its version stable when it is told to skip the rest. */
function follow(
  place: Place,
  versions: Record<string, string> = { "0.9.0": hashes.old, "1.0.0": hashes.stable },
): void {
  place.api.controller = (rolledOut) => {
    const { metadata, spec, status } = rolledOut as { metadata: Json; spec: Json; status: Json };
    const { labels } = (spec.template as { metadata: { labels: Record<string, string> } }).metadata;
    const hash = versions[labels["app.kubernetes.io/version"] ?? ""] ?? hashes.current;
    const takenUp = status.observedGeneration === String(metadata.generation);
    const promoted = hash === status.stableRS || (takenUp && status.promoteFull === true);
    rolledOut.status = {
      ...status,
      ...(takenUp ? {} : { abort: false, promoteFull: false, pauseConditions: undefined }),
      observedGeneration: String(metadata.generation),
      currentPodHash: hash,
      stableRS: promoted ? hash : status.stableRS,
      phase: promoted ? "Healthy" : "Progressing",
    };
  };
}

describe("undo", function () {
  this.timeout(10_000);
  let place: Place;
  const on = async (
    strategy: keyof typeof strategies,
    status: Json,
    history: readonly Entry[] | undefined,
    ...args: string[]
  ) => {
    place = await placeWith(rollout(strategy, status), history === undefined ? undefined : records(history));
    follow(place);
    return run(place, "undo", ...args);
  };
  const data = () => place.api.get(recordsPath).data as Record<string, string>;
  const history = () => JSON.parse(data()["history.json"] ?? "[]") as Entry[];
  const isAt = (version: string) =>
    (place.api.get(rolloutPath).spec as { template: ReturnType<typeof template> }).template.metadata.labels[
      "app.kubernetes.io/version"
    ] === version;

  it("takes a release back to the stable version, with one patch of what it was planned for", async () => {
    const { code, out, notes } = await on("canary", {}, well.slice(0, 2));
    expect(code, notes).to.equal(0);
    const [patch, ...others] = place.api.patches.filter(({ path }) => path.startsWith(rolloutPath));
    expect(patch).to.include({ path: rolloutPath, contentType: "application/json-patch+json" });
    // So that the next release leaves nothing of it behind.
    expect(patch?.fieldManager).to.equal("pulumi-kubernetes");
    const [test, replace, mark] = patch?.body as { op: string; path: string; value: unknown }[];
    expect(test).to.deep.equal({ op: "test", path: "/metadata/resourceVersion", value: "100" });
    expect(replace).to.deep.equal({
      op: "replace",
      path: "/spec/template",
      value: template("1.0.0", "0004"),
    });
    expect(mark).to.include({ op: "add", path: "/metadata/annotations/technova.io~1undo" });
    // Nothing has to be skipped on the way to what is stable; the mark goes when it serves.
    expect(others.map(({ body }) => body)).to.deep.equal([
      { metadata: { annotations: { "technova.io/undo": null } } },
    ]);
    expect(out).to.match(
      /^Version 1\.0\.0 serves all requests, after \d+\.\d s; version 1\.1\.0 is left behind\.\n/,
    );
    expect(out).to.include(
      "Pulumi.staging.yaml still names version 1.1.0: put its settings back to version 1.0.0",
    );
    expect(notes).to.include("schema revision 0004").and.to.include("0005");
  });

  it("takes what was aborted back to the stable version", async () => {
    expect((await on("canary", { phase: "Degraded", abort: true }, well.slice(0, 2))).code).to.equal(0);
    expect(isAt("1.0.0")).to.equal(true);
  });

  it("goes from what serves to the version before, and has everything on the way skipped", async () => {
    const { code, notes } = await on("canary", healthy, well);
    expect(code, notes).to.equal(0);
    expect(isAt("1.0.0")).to.equal(true);
    const status = place.api.patches.find(({ path }) => path === `${rolloutPath}/status`);
    expect(status).to.include({ contentType: "application/merge-patch+json" });
    expect((status?.body as Json).status).to.deep.equal({ promoteFull: true });
  });

  it("lifts a pause that somebody has set", async () => {
    place = await placeWith(rollout("canary", {}, { paused: true }));
    follow(place);
    expect((await run(place, "undo")).code).to.equal(0);
    expect(place.api.patches[0]?.body).to.deep.include({ op: "replace", path: "/spec/paused", value: false });
  });

  it("never goes back to a version whose release failed, or that an undo left", async () => {
    for (const outcome of ["failed", "undone"] as const) {
      const later = [...well.slice(0, 2), entry(hashes.stable, "1.0.0", outcome), ...well.slice(2)];
      expect((await on("canary", healthy, later)).code).to.equal(0);
      expect(isAt("0.9.0"), outcome).to.equal(true);
    }
  });

  it("goes back to a version that went well after it had failed", async () => {
    await on("canary", healthy, [entry(hashes.stable, "1.0.0", "failed"), ...well]);
    expect(isAt("1.0.0")).to.equal(true);
  });

  it("passes over versions that are no longer in the cluster", async () => {
    await on("canary", healthy, [...well.slice(0, 2), entry("gone", "1.0.5", "succeeded"), ...well.slice(2)]);
    expect(isAt("1.0.0")).to.equal(true);
  });

  it("takes the controller's count where there is no history", async () => {
    expect((await on("canary", healthy, undefined)).code).to.equal(0);
    expect(isAt("1.0.0")).to.equal(true);
  });

  it("says so when there is no version to go back to", async () => {
    const bad = well.map((each) => ({ ...each, outcome: "failed" as const }));
    const { code, notes } = await on("canary", healthy, bad);
    expect([code, place.api.patches]).to.deep.equal([1, []]);
    expect(notes).to.include("No earlier version than 1.1.0").and.to.include("npm run up");
    expect((await on("canary", { stableRS: "" }, [])).notes).to.include("is the first one");
  });

  it("writes down which version was left, and which schema revisions are still needed", async () => {
    await on("canary", healthy, well);
    const last = history().at(-1);
    expect(last).to.include({
      hash: hashes.current,
      version: "1.1.0",
      schemaRevision: "0005",
      outcome: "undone",
    });
    expect(last?.finishedAt).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(data()["schema-revisions"]).to.equal("0004\n0003\n");
  });

  describe("tells Prometheus, for the change failure rate,", () => {
    interface Sample {
      resourceMetrics: [{ scopeMetrics: [{ metrics: [Metric] }] }];
    }
    interface Metric {
      name: string;
      gauge: {
        dataPoints: [{ asDouble: number; attributes: { key: string; value: { stringValue: string } }[] }];
      };
    }
    const told = () =>
      (place.api.samples as Sample[]).map(
        ({ resourceMetrics: [{ scopeMetrics }] }): Record<string, unknown> => {
          const { name, gauge } = scopeMetrics[0].metrics[0];
          const { asDouble, attributes } = gauge.dataPoints[0];
          const labels: Record<string, string> = Object.fromEntries(
            attributes.map(({ key, value }) => [key, value.stringValue]),
          );
          return { name, seconds: asDouble, ...labels };
        },
      );

    it("that a release which had gone through is undone", async () => {
      await on("canary", healthy, well);
      const [sample, recovery, ...others] = told();
      expect(sample).to.include({
        name: "technova_release_duration_seconds",
        outcome: "undone",
        version: "1.1.0",
        strategy: "canary",
        app: "inventory",
        namespace: "inventory",
        environment: "staging",
      });
      expect(sample?.seconds).to.be.within(0, 10);
      expect(recovery).to.deep.equal({ ...sample, name: "technova_release_recovery_seconds" });
      expect(others).to.deep.equal([]);
    });

    it("that one has failed which was on its way", async () => {
      await on("canary", {}, well.slice(0, 2));
      expect(told()).to.have.lengthOf(1);
      expect(told()[0]).to.include({ outcome: "failed", version: "1.1.0" });
    });

    it("that one has failed which was on its way, though it had gone through before", async () => {
      await on(
        "canary",
        {},
        [well[2], well[1]].filter((each) => each !== undefined),
      );
      expect(told().map(({ outcome }) => outcome)).to.deep.equal(["failed"]);
    });

    it("nothing of one whose failure is counted already, nor where nothing measures", async () => {
      const failed = [...well.slice(0, 2), entry(hashes.current, "1.1.0", "failed")];
      await on("canary", { phase: "Degraded", abort: true }, failed);
      expect(told()).to.deep.equal([]);
      place = await placeWith(rollout("canary", healthy), records(well));
      follow(place);
      place.api.measures = false;
      const { code, notes } = await run(place, "undo");
      expect(code).to.equal(0);
      expect(notes).not.to.include("Prometheus");
    });
  });

  it("counts a version as left from the moment that it goes back, and tells Prometheus once it has", async () => {
    place = await placeWith(rollout("canary", healthy), records(well));
    const late = await run(place, "undo", "--timeout", "1");
    expect(late.code).to.equal(1);
    expect(history().at(-1)).to.include({ hash: hashes.current, outcome: "undone" });
    expect(history().at(-1)?.message).to.equal("on its way back to version 1.0.0");
    expect(data()["schema-revisions"], "both can serve").to.include("0005");
    expect(place.api.samples).to.deep.equal([]);
    follow(place);
    place.api.touch(rolloutPath, (object) => {
      const status = { ...healthy, observedGeneration: "9", currentPodHash: hashes.stable };
      object.status = { ...(object.status as Json), ...status, stableRS: hashes.stable };
    });
    const second = await run(place, "undo");
    expect(second.code, second.notes).to.equal(0);
    expect(history().filter(({ outcome }) => outcome === "undone")).to.have.lengthOf(1);
    expect(history().at(-1)?.message).to.equal("back to version 1.0.0");
    expect(place.api.samples).to.have.lengthOf(2);
  });

  it("keeps the latest twenty entries, and what the cluster writes meanwhile", async () => {
    place = await placeWith(
      rollout("canary", healthy),
      records(Array(20).fill(well[0]).with(19, well[2]).with(18, well[1])),
    );
    follow(place);
    let raced = false;
    place.api.beforePatch = (path) => {
      if (path !== recordsPath || raced) return;
      raced = true;
      const added = [...history(), entry("else", "9.9.9", "failed")];
      place.api.touch(recordsPath, (object) => (object.data = records(added).data));
    };
    expect((await run(place, "undo")).code).to.equal(0);
    expect(history()).to.have.lengthOf(20);
    expect(
      history()
        .map(({ version }) => version)
        .slice(-3),
    ).to.deep.equal(["1.1.0", "9.9.9", "1.1.0"]);
  });

  it("leaves records alone that it cannot read, and goes back all the same", async () => {
    place = await placeWith(rollout("canary", healthy), { data: { "history.json": "{" } });
    follow(place);
    const { code, notes } = await run(place, "undo");
    expect(code).to.equal(0);
    expect(notes).to.include("cannot be read");
    expect(data()).to.deep.equal({ "history.json": "{" });
  });

  it("plans anew when the Rollout has changed before the patch", async () => {
    place = await placeWith(rollout("canary", healthy), records(well));
    follow(place);
    let raced = false;
    place.api.beforePatch = () => {
      if (!raced) place.api.touch(rolloutPath, () => undefined);
      raced = true;
    };
    expect((await run(place, "undo")).code).to.equal(0);
    const tests = place.api.patches
      .filter(({ contentType }) => contentType.includes("json-patch"))
      .map(({ body }) => (body as { value: unknown }[])[0]?.value);
    expect(tests).to.deep.equal(["100", "101"]);
  });

  it("returns at once when it is told to, keeps what still serves, and goes on waiting the next time", async () => {
    place = await placeWith(rollout("canary"), records(well.slice(0, 2)));
    const first = await run(place, "undo", "--no-wait");
    expect(first.code).to.equal(0);
    expect(first.out).to.include("on its way back");
    expect(data()["schema-revisions"]).to.equal("0004\n0005\n0003\n");
    follow(place);
    place.api.touch(rolloutPath, (object) => {
      object.status = { ...(object.status as Json), observedGeneration: "8", currentPodHash: hashes.stable };
    });
    setTimeout(() => {
      place.api.touch(
        rolloutPath,
        (object) => (object.status = { ...(object.status as Json), phase: "Healthy" }),
      );
    }, 50);
    const second = await run(place, "undo");
    expect(second.notes).to.include("on its way back already");
    expect(second.code, second.notes).to.equal(0);
    expect(isAt("1.0.0")).to.equal(true);
    expect(history().filter(({ outcome }) => outcome === "undone")).to.have.lengthOf(1);
    expect(place.api.samples).to.have.lengthOf(1);
    expect(data()["schema-revisions"]).to.equal("0004\n0003\n");
  });

  it("goes back by one more version once an undo that nobody waited for is long over", async () => {
    const long = rollout("canary", { ...healthy, currentPodHash: hashes.stable, stableRS: hashes.stable });
    long.spec.template = template("1.0.0", "0004");
    const mark = `${hashes.current} ${hashes.stable}`;
    long.metadata.annotations["technova.io/undo"] = `${mark} ${new Date(Date.now() - 660_000).toISOString()}`;
    place = await placeWith(long);
    follow(place);
    expect((await run(place, "undo")).code).to.equal(0);
    expect(isAt("0.9.0")).to.equal(true);
    long.metadata.annotations["technova.io/undo"] = `${mark} ${new Date().toISOString()}`;
    place = await placeWith(long);
    expect((await run(place, "undo")).code).to.equal(0);
    expect(isAt("1.0.0")).to.equal(true);
  });

  it("waits in blue-green until the Service that users reach points to the version", async () => {
    const blueGreen = { activeSelector: hashes.stable };
    place = await placeWith(rollout("blueGreen", { blueGreen }));
    follow(place);
    const service = "/api/v1/namespaces/inventory/services/inventory-active";
    const pointsTo = (hash: string) =>
      place.api.put(service, {
        metadata: { name: "inventory-active" },
        spec: { selector: { "rollouts-pod-template-hash": hash } },
      });
    pointsTo(hashes.current);
    const late = await run(place, "undo", "--timeout", "1");
    expect(late.code).to.equal(1);
    expect(late.notes).to.include("does not serve all requests yet").and.to.include("undo --stack staging");
    pointsTo(hashes.stable);
    expect((await run(place, "undo", "--timeout", "1")).code).to.equal(0);
  });

  it("waits in a canary until the stable version has all the traffic", async () => {
    const weights = { canary: { weight: 50 }, stable: { weight: 50, podTemplateHash: hashes.stable } };
    const late = await on("canary", { canary: { weights } }, undefined, "--timeout", "1");
    expect(late.code).to.equal(1);
    const stable = { weight: 100, podTemplateHash: hashes.current };
    const other = await on(
      "canary",
      { canary: { weights: { canary: { weight: 0 }, stable } } },
      undefined,
      "--timeout",
      "1",
    );
    expect(other.code).to.equal(1);
  });

  it("stops when somebody begins another release meanwhile", async () => {
    place = await placeWith(rollout("canary"));
    const begin = () => {
      place.api.touch(rolloutPath, (object) => ((object.spec as Json).template = template("1.2.0")));
    };
    // Right after the answer to the first patch.
    place.api.controller = () => {
      place.api.controller = () => undefined;
      setImmediate(begin);
    };
    const { code, notes } = await run(place, "undo");
    expect(code).to.equal(1);
    expect(notes).to.include("Another release was begun");
  });
});
