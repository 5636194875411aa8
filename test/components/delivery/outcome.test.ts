import { expect } from "chai";
import { outcome, rollouts, type Sent, type Status } from "../../support/outcomeScript";

describe("the outcome of a release", () => {
  const now = (phase: string, more: object = {}): Status => ({
    phase,
    observedGeneration: "2",
    currentPodHash: "new",
    stableRS: "old",
    currentStepIndex: 1,
    ...more,
  });

  it("is success when the new version is healthy, and not before the controller has seen it", async () => {
    const { code, output, events } = await outcome([
      now("Healthy", { observedGeneration: "1" }),
      now("Progressing"),
      now("Healthy"),
    ]);
    expect(output).to.match(/canary, step 2 of 3: Progressing\nThe release went through: version 1\.1\.0/);
    expect(code).to.equal(0);
    expect(events).to.deep.equal([]);
  });

  it("names the value that it failed by, its limit, the step, and what is serving", async () => {
    const run = {
      metadata: { name: "inventory-new-2" },
      spec: { metrics: [{ name: "error-percent", failureCondition: "len(result) > 0 && result[0] > 5" }] },
      status: {
        metricResults: [
          {
            name: "error-percent",
            phase: "Failed",
            measurements: [
              { phase: "Successful", value: "[0]" },
              { phase: "Failed", value: "[31.38583090151266]" },
            ],
          },
          { name: "restarts", phase: "Successful", measurements: [{ phase: "Successful", value: "[0]" }] },
        ],
      },
    };
    const { code, events } = await outcome(
      [now("Progressing"), now("Degraded", { message: "RolloutAborted" })],
      {
        runs: [run],
      },
    );
    expect(code).to.equal(1);
    expect(events.map(({ message }) => message)).to.deep.equal([
      "The release did not go through (canary, step 2 of 3): error-percent was 31.39, its limit is 5. " +
        "Version 1.0.0 serves all requests.",
    ]);
    expect(events[0]?.involvedObject).to.include({ kind: "Pod", name: "outcome-1", uid: "uid-1" });
  });

  it("has the controller's own reason where nothing was measured", async () => {
    const message =
      "RolloutAborted: Rollout aborted update to revision 7: ProgressDeadlineExceeded: the ReplicaSet has timed out progressing.";
    const { events } = await outcome([now("Degraded", { message })]);
    expect(events[0]?.message).to.contain(
      "ProgressDeadlineExceeded: the ReplicaSet has timed out progressing. ",
    );
  });

  it("says that Pods of a rolling release stay while it is paused by hand", async () => {
    const strategy = { canary: { steps: [{}, {}, {}] } };
    const { events } = await outcome([now("Degraded")], { paused: true, strategy });
    expect(events[0]?.message).to.match(
      /paused by hand, so Pods of it still serve.*npm run release -- abort$/,
    );
    const { events: weighted } = await outcome([now("Degraded")], { paused: true });
    expect(weighted[0]?.message).to.match(/Version 1\.0\.0 serves all requests\.$/);
  });

  it("is waited for while the API server is away", async () => {
    expect(await outcome([500, 503, 403, 404, now("Healthy")])).to.include({ code: 0 });
  });

  it("is failure when there is none in time", async () => {
    const { code, events } = await outcome([now("Paused", { message: "CanaryPauseStep" })], { timeout: 0.2 });
    expect(code).to.equal(1);
    expect(events[0]?.message).to.match(/not through after 0 s \(canary, step 2 of 3\): CanaryPauseStep/);
  });

  it("is not written down while there is none: a release that waits for somebody can still go through", async () => {
    const { entries, published, revisions, output } = await outcome([now("Paused")], {
      timeout: 0.2,
      needed: ["0003"],
      history: [{ hash: "old", outcome: "succeeded" }],
    });
    expect(entries).to.deep.equal([]);
    expect(published).to.have.all.keys("technova_release_started_timestamp_seconds");
    expect(output).to.include("npm run up writes down how");
    expect(revisions, "its Pods serve meanwhile").to.equal("0003\n0004");
  });

  it("stands though the history of before cannot be read, which is left as it is", async () => {
    const { code, output, entries } = await outcome([now("Progressing"), now("Healthy")], { history: "{" });
    expect(code).to.equal(0);
    expect(output).to.include("cannot be read").and.to.include("npm run release -- history");
    expect(entries).to.deep.equal([]);
  });

  it("names the part of a test that failed, though no figure has a limit there", async () => {
    const measurements = [{ phase: "Failed", metadata: { "job-name": "smoke-1" } }];
    const run = {
      metadata: { name: "inventory-new-2-pre" },
      spec: { metrics: [{ name: "smoke-test" }] },
      status: { metricResults: [{ name: "smoke-test", phase: "Failed", measurements }] },
    };
    const message = "a receipt is recorded: expected 201, got 409\nok  items can be listed\n";
    const pods = [{ status: { containerStatuses: [{ state: { terminated: { message } } }] } }];
    const { events } = await outcome([now("Degraded")], { runs: [run], pods, strategy: { blueGreen: {} } });
    expect(events[0]?.message).to.equal(
      "The release did not go through (blueGreen, before the switch): " +
        "smoke-test failed: a receipt is recorded: expected 201, got 409. Version 1.0.0 serves all requests.",
    );
  });

  it("has the last answer to each question, not that of an earlier attempt or another version", async () => {
    const asked = (name: string, at: string, metric: string, value: number) => ({
      metadata: { name, creationTimestamp: at },
      spec: { metrics: [{ name: metric, failureCondition: "result[0] > 5" }] },
      status: {
        metricResults: [
          {
            name: metric,
            phase: value > 5 ? "Failed" : "Successful",
            measurements: [{ phase: "Failed", value: `[${value}]` }],
          },
        ],
      },
    });
    const runs = [
      asked("inventory-new-3", "2026-01-01T00:02:00Z", "error-percent", 2),
      // Asked again for the next step: what has failed by then has.
      asked("inventory-new-3-4", "2026-01-01T00:03:00Z", "p95-milliseconds", 3),
      asked("inventory-new-2", "2026-01-01T00:01:00Z", "error-percent", 50),
      asked("inventory-new-3-1", "2026-01-01T00:02:00Z", "p95-milliseconds", 70),
      asked("inventory-newer-3", "2026-01-01T00:02:00Z", "restarts", 60),
    ];
    const { events } = await outcome([now("Degraded")], { runs, strategy: { canary: {} } });
    expect(events[0]?.message).to.match(
      /^The release did not go through \(rolling\): p95-milliseconds was 70, its limit is 5\. /,
    );
  });

  it("stays in the history, with the revisions that are still needed, and in the figures", async () => {
    const before = { hash: "old", version: "1.0.0", schemaRevision: "0003", outcome: "succeeded" };
    const failed = {
      hash: "bad",
      schemaRevision: "0004",
      outcome: "failed",
      finishedAt: "2026-01-01T00:00:00Z",
    };
    const {
      entries,
      revisions,
      published: figures,
    } = await outcome([now("Progressing"), now("Healthy", { stableRS: "new" })], {
      history: [before, failed],
      env: { COMMITTED_AT: "2026-01-01T01:00:00+01:00" },
    });
    expect(entries).to.have.length(3);
    expect(entries[2]).to.include({
      hash: "new",
      version: "1.1.0",
      schemaRevision: "0004",
      strategy: "canary",
      outcome: "succeeded",
    });
    expect(revisions).to.equal("0003\n0004");
    const sinceThen = (Date.now() - Date.parse("2026-01-01T00:00:00Z")) / 1000;
    expect(figures.technova_release_started_timestamp_seconds).to.be.closeTo(Date.now() / 1000, 60);
    expect(figures.technova_release_lead_time_seconds).to.be.closeTo(sinceThen, 60);
    expect(figures.technova_release_recovery_seconds).to.be.closeTo(sinceThen, 60);
    expect(figures.technova_release_duration_seconds).to.be.within(0, 20);
  });

  it("of a version that has come back is another one, and its code is not late for it", async () => {
    const finishedAt = "2026-01-01T00:00:00Z";
    const history = [
      { hash: "new", version: "1.1.0", schemaRevision: "0004", outcome: "succeeded", finishedAt },
      { hash: "later", version: "1.2.0", schemaRevision: "0004", outcome: "succeeded", finishedAt },
    ];
    const env = { COMMITTED_AT: "2026-01-01T01:00:00+01:00" };
    const { entries, published } = await outcome([now("Healthy", { stableRS: "new" })], { history, env });
    expect(entries.map(({ hash }) => hash)).to.deep.equal(["new", "later", "new"]);
    expect(published).not.to.have.property("technova_release_lead_time_seconds");
    const again = await outcome([now("Healthy", { stableRS: "new" })], { history: entries, env });
    expect(again.entries).to.be.empty;
  });

  it("leaves the schema to the version that undo brings back, which is none that was undone", async () => {
    const finishedAt = "2026-01-01T00:00:00Z";
    const undone = { hash: "undone", schemaRevision: "0004", finishedAt };
    const history = [
      { hash: "older", schemaRevision: "0001", outcome: "succeeded", finishedAt },
      { ...undone, outcome: "succeeded" },
      { ...undone, outcome: "undone" },
    ];
    const statuses = [now("Progressing", { stableRS: "older" }), now("Healthy", { stableRS: "new" })];
    const { revisions } = await outcome(statuses, { history });
    expect(revisions).to.equal("0001\n0004");
  });

  it("that failed counts as such, and leaves what serves as it is", async () => {
    const before = [
      { hash: "older", schemaRevision: "0002", outcome: "succeeded" },
      { hash: "old", schemaRevision: "0003", outcome: "succeeded" },
    ];
    const { entries, revisions, published: figures } = await outcome([now("Degraded")], { history: before });
    expect(entries.at(-1)).to.include({ outcome: "failed", version: "1.1.0" });
    expect(revisions).to.equal("0002\n0003");
    expect(Object.keys(figures)).to.deep.equal([
      "technova_release_started_timestamp_seconds",
      "technova_release_duration_seconds",
    ]);
  });

  it("is no release where the version serves already", async () => {
    const history = [{ hash: "new", version: "1.1.0", outcome: "succeeded" }];
    const {
      code,
      entries,
      published: figures,
    } = await outcome([now("Healthy", { stableRS: "new" })], {
      history,
    });
    expect(code).to.equal(0);
    expect(entries).to.deep.equal([]);
    expect(figures, "not even a start").to.deep.equal({});
  });

  it("is no release where only Pods come and go, as when an autoscaler adds some", async () => {
    const history = [{ hash: "new", version: "1.1.0", outcome: "succeeded" }];
    const statuses = [now("Progressing", { stableRS: "new" }), now("Healthy", { stableRS: "new" })];
    const { code, entries, published: figures } = await outcome(statuses, { history });
    expect([code, entries, figures]).to.deep.equal([0, [], {}]);
  });

  it("counts from where the release began, also when another Job sees its end", async () => {
    const statuses = [now("Paused"), now("Healthy", { stableRS: "new" })];
    const first = await outcome([now("Paused")], { timeout: 0.2 });
    expect(first.underWay).to.match(/^new 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    const underWay = "new 2026-01-01T00:00:00Z";
    const next = await outcome(statuses, { underWay });
    expect(next.entries.at(-1)).to.include({ startedAt: "2026-01-01T00:00:00Z", outcome: "succeeded" });
    expect(next.published, "one start of one release").not.to.have.property(
      "technova_release_started_timestamp_seconds",
    );
    expect(next.underWay).to.equal(null);
    const ended = await outcome([now("Healthy", { stableRS: "new" })], { underWay });
    expect(ended.entries.at(-1)).to.include({ startedAt: "2026-01-01T00:00:00Z" });
  });

  it("that nobody has waited for is written down by the next one, for undo to find it", async () => {
    const times = { startedAt: "2026-01-01T00:00:00Z", finishedAt: "2026-01-01T00:00:00Z" };
    const earlier = {
      hash: "older",
      version: "0.9.0",
      schemaRevision: "0002",
      outcome: "succeeded",
      ...times,
    };
    const undone = { hash: "old", version: "1.0.0", schemaRevision: "0003", outcome: "undone", ...times };
    const statuses = [now("Progressing"), now("Healthy", { stableRS: "new" })];
    for (const history of [[earlier], [earlier, undone]]) {
      const { entries, revisions } = await outcome(statuses, { history });
      const [caught, own] = entries.slice(-2);
      expect(caught).to.include({
        hash: "old",
        version: "1.0.0",
        schemaRevision: "0003",
        outcome: "succeeded",
      });
      expect(own).to.include({ hash: "new", outcome: "succeeded" });
      expect(revisions).to.equal("0003\n0004");
    }
    const known = { ...undone, outcome: "succeeded" };
    expect((await outcome(statuses, { history: [earlier, known] })).entries).to.have.length(3);
  });

  it("is told again, and not counted again, where the release had failed before", async () => {
    const history = [{ hash: "new", version: "1.1.0", outcome: "failed" }];
    const served = { hash: "old", version: "1.0.0", outcome: "succeeded" };
    const { code, entries, events } = await outcome([now("Degraded")], { history: [served, ...history] });
    expect([code, entries, events.length]).to.deep.equal([1, [], 1]);
    // Nor where the one before was not known.
    const hashes = async (...statuses: Status[]) =>
      (await outcome(statuses, { history })).entries.map(({ hash }) => hash);
    expect(await hashes(now("Degraded"))).to.deep.equal(["old", "new"]);
    expect(await hashes(now("Progressing"), now("Degraded"))).to.deep.equal(["old", "new", "new"]);
  });

  it("makes the version's configuration live as long as the version can come back", async () => {
    const { sent } = await outcome([now("Progressing"), now("Healthy")], {
      env: { CONFIGURATION: "configmaps/map secrets/secret" },
    });
    const adopted = sent.filter(({ type }) => type === "application/strategic-merge-patch+json");
    expect(adopted.map(({ path }) => path)).to.deep.equal([
      "/api/v1/namespaces/inventory/configmaps/map",
      "/api/v1/namespaces/inventory/secrets/secret",
    ]);
    const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "inventory-new", uid: "uid-new" };
    for (const { body } of adopted) expect(body).to.deep.equal({ metadata: { ownerReferences: [owner] } });
  });

  const progressing = (secondsAgo: number) => ({
    type: "Progressing",
    reason: "ReplicaSetUpdated",
    lastUpdateTime: new Date(Date.now() - secondsAgo * 1000).toISOString(),
  });
  const aborts = (sent: readonly Sent[]) =>
    sent.filter(({ path }) => path === `${rollouts}/rollouts/inventory/status`);

  for (const [name, strategy] of Object.entries({
    "blue-green": { blueGreen: {} },
    canary: { canary: { steps: [{ pause: {} }, { setWeight: 20 }], trafficRouting: {} } },
    "rolling, at its end": { canary: { steps: [{ experiment: {} }] } },
  })) {
    it(`aborts a release that makes no progress, for the controller may overlook it: ${name}`, async () => {
      const { code, events, sent } = await outcome(
        [
          now("Progressing", { conditions: [progressing(90)] }),
          now("Degraded", { message: "RolloutAborted" }),
        ],
        { strategy },
      );
      expect(aborts(sent).map(({ body }) => body)).to.deep.equal([{ status: { abort: true } }]);
      expect(code).to.equal(1);
      expect(events[0]?.message).to.contain("no further Pod has become ready for 60 s. Version 1.0.0 serves");
    });
  }

  it("aborts what was paused because nothing is known of Pods that are not there", async () => {
    const paused = (secondsAgo: number, more: object) => {
      const startTime = new Date(Date.now() - secondsAgo * 1000).toISOString();
      const pauseConditions = [{ reason: "InconclusiveAnalysisRun", startTime, ...more }];
      return [now("Paused", { pauseConditions }), now("Degraded", { message: "RolloutAborted" })];
    };
    const { events, sent } = await outcome(paused(90, {}), { readyReplicas: 0 });
    expect(aborts(sent)).to.have.length(1);
    expect(events[0]?.message).to.contain("after 60 s none of its Pods is ready. Version 1.0.0 serves");
    for (const [statuses, readyReplicas] of [
      [paused(90, {}), 1],
      [paused(30, {}), 0],
      [paused(90, { reason: "CanaryPauseStep" }), 0],
    ] as const) {
      const { sent: others } = await outcome(statuses, { readyReplicas });
      expect(aborts(others), JSON.stringify(statuses)).to.be.empty;
    }
  });

  it("gives users the stable version again, for the controller leaves them with Pods that are not available", async () => {
    const strategy = { blueGreen: { activeService: "inventory-stable" } };
    const statuses = [now("Progressing"), now("Degraded", { abort: true })];
    const patches = async (users: string, how: object) => {
      const { sent } = await outcome(statuses, { strategy, users, ...how });
      return sent.filter(({ path }) => path.includes("/services/"));
    };
    const [patch, ...others] = await patches("new", {});
    expect(others).to.deep.equal([]);
    expect(patch).to.deep.include({
      method: "PATCH",
      path: "/api/v1/namespaces/inventory/services/inventory-stable",
      body: { spec: { selector: { "rollouts-pod-template-hash": "old" } } },
    });
    expect(await patches("old", {})).to.deep.equal([]);
    expect(await patches("new", { strategy: { canary: { steps: [] } } })).to.deep.equal([]);
  });

  it("is failure when what is to be followed stays out of reach", async () => {
    const { code, output } = await outcome([403], { env: { PATIENCE_SECONDS: "0.1" } });
    expect(code).to.equal(1);
    expect(output).to.match(/The release cannot be followed: 403 for .*npm run release -- status/);
  });

  it("is failure when it stays forbidden to change what a version needs", async () => {
    const env = { PATIENCE_SECONDS: "0.1", CONFIGURATION: "configmaps/inventory-config" };
    const { code, output } = await outcome([now("Progressing")], { env, readOnly: true, timeout: 5 });
    expect(code).to.equal(1);
    expect(output).to.match(/The release cannot be followed: 403 for .*configmaps/);
  });

  it("is failure when the controller refuses what it is told, with its words", async () => {
    const invalid = (secondsAgo: number) =>
      now("Degraded", {
        currentPodHash: "old",
        conditions: [
          {
            type: "InvalidSpec",
            status: "True",
            message: "the Rollout is invalid: steps",
            lastUpdateTime: new Date(Date.now() - secondsAgo * 1000).toISOString(),
          },
        ],
      });
    const { code, events, entries } = await outcome([invalid(60)]);
    expect([code, entries, events[0]?.message]).to.deep.equal([
      1,
      [],
      "The release did not begin: the Rollout is invalid: steps",
    ]);
    // What it refers to may be there a moment later.
    expect((await outcome([invalid(1), now("Progressing"), now("Healthy")])).code).to.equal(0);
  });

  it("aborts none that makes progress, or that is being tested", async () => {
    const late = { conditions: [progressing(90)] };
    for (const [status, strategy] of [
      [{ conditions: [progressing(30)] }, { blueGreen: {} }],
      [
        { ...late, blueGreen: { prePromotionAnalysisRunStatus: { name: "inventory-new-2-pre" } } },
        { blueGreen: {} },
      ],
      [late, { canary: { steps: [{ setWeight: 10 }, { pause: {} }] } }],
      [late, { canary: { steps: [{ setWeight: 10 }, { analysis: {} }] } }],
      [late, { canary: { steps: [{ setWeight: 10 }, { experiment: {} }] } }],
    ]) {
      const { code, sent } = await outcome([now("Progressing", status), now("Healthy")], { strategy });
      expect([code, aborts(sent)]).to.deep.equal([0, []]);
    }
  });

  it("is not that of the version before, which the controller may still have in hand", async () => {
    const before = now("Healthy", { currentPodHash: "old" });
    const history = [{ hash: "old", version: "1.0.0", outcome: "succeeded" }];
    const statuses = [before, before, now("Progressing"), now("Healthy", { stableRS: "new" })];
    const { entries } = await outcome(statuses, { history });
    expect(entries.slice(1).map(({ version }) => version)).to.deep.equal(["1.1.0"]);
  });

  it("is failure when somebody has gone back meanwhile, and nothing is recorded as released", async () => {
    const { code, entries, events } = await outcome([now("Healthy")], { wanted: "the one before" });
    expect([code, entries]).to.deep.equal([1, []]);
    expect(events[0]?.message).to.contain("Another version has taken the place of this release");
  });
});
