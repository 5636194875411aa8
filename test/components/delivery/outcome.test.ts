import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";

const script = resolve(__dirname, "../../../components/delivery/outcome");
const rollouts = "/apis/argoproj.io/v1alpha1/namespaces/inventory";

interface Status {
  readonly phase?: string;
  readonly observedGeneration?: string;
  readonly [field: string]: unknown;
}

interface SentEvent {
  readonly message: string;
  readonly involvedObject: object;
}

/** Figures that Prometheus was given, by name. */
function published(sent: readonly Sent[]): Record<string, number> {
  const bodies = sent
    .filter(({ path }) => path === "/api/v1/otlp/v1/metrics")
    .map(({ body }) => body as unknown);
  const metrics = (bodies as OtlpBody[]).flatMap(
    ({ resourceMetrics }) => resourceMetrics[0]?.scopeMetrics[0]?.metrics ?? [],
  );
  return Object.fromEntries(metrics.map(({ name, gauge }) => [name, gauge.dataPoints[0]?.asDouble ?? NaN]));
}

interface OtlpBody {
  readonly resourceMetrics: { scopeMetrics: { metrics: OtlpMetric[] }[] }[];
}

interface OtlpMetric {
  readonly name: string;
  readonly gauge: { readonly dataPoints: readonly { readonly asDouble: number }[] };
}

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly type: string | undefined;
  readonly body: { [key: string]: never };
}

interface Cluster {
  readonly runs?: object[];
  readonly pods?: object[];
  /** Pods of the new version that are ready. */
  readonly readyReplicas?: number;
  /** What became of the releases before. */
  readonly history?: object[];
  readonly strategy?: object;
  /** What the Rollout's template says it is. */
  readonly wanted?: string;
}

/** The script against an API server that has these answers, one after the other. */
describe("the outcome of a release", () => {
  let account: string;
  let server: Server;
  let sent: Sent[];

  beforeEach(() => {
    account = mkdtempSync(join(tmpdir(), "outcome-"));
    writeFileSync(join(account, "token"), "a token\n");
    sent = [];
  });
  afterEach(() => {
    server.close();
    rmSync(account, { recursive: true });
  });

  /** Everything that the script reads: from the API server, and from Prometheus, which is the same server here. */
  function answerOf(path: string, query: string, cluster: Cluster): object {
    const { runs = [], pods = [], history = [] } = cluster;
    if (path === `${rollouts}/analysisruns`) return { items: runs };
    if (path === "/api/v1/namespaces/inventory/pods") return { items: pods };
    if (path === "/api/v1/namespaces/inventory/configmaps/inventory-releases") {
      return { data: { "history.json": JSON.stringify(history) } };
    }
    if (path === "/apis/apps/v1/namespaces/inventory/replicasets") {
      const old = query.includes("%3Dold");
      const labels = { "app.kubernetes.io/version": old ? "1.0.0" : "1.1.0" };
      const annotations = {
        "technova.io/schema-revision": old ? "0003" : "0004",
        "technova.io/release": old ? "the one before" : "this one",
      };
      const metadata = { name: old ? "inventory-old" : "inventory-new", uid: old ? "uid-old" : "uid-new" };
      const { readyReplicas } = cluster;
      return {
        items: [
          { metadata, spec: { template: { metadata: { labels, annotations } } }, status: { readyReplicas } },
        ],
      };
    }
    return {};
  }

  async function outcome(
    statuses: readonly (Status | number)[],
    options: Cluster & { timeout?: number; env?: Record<string, string> } = {},
  ) {
    const {
      timeout = 20,
      env = {},
      strategy = { canary: { steps: [{}, {}, {}], trafficRouting: {} } },
    } = options;
    const annotations = { "technova.io/release": options.wanted ?? "this one" };
    const spec = { progressDeadlineSeconds: 60, template: { metadata: { annotations } } };
    let asked = 0;
    server = createServer((request, response) => {
      const [path = "", query = ""] = (request.url ?? "").split("?");
      const answer = (body: object) => response.end(JSON.stringify(body));
      const { method = "" } = request;
      const own = path.startsWith("/api/v1/otlp");
      if (!own && request.headers.authorization !== "Bearer a token") response.writeHead(401).end();
      else if (method === "GET" && path === `${rollouts}/rollouts/inventory`) {
        const status = statuses[Math.min(asked++, statuses.length - 1)];
        if (typeof status === "number") response.writeHead(status).end();
        else answer({ metadata: { generation: 2 }, spec: { ...spec, strategy }, status });
      } else if (method === "GET") answer(answerOf(path, query, options));
      else {
        let body = "";
        request.on("data", (chunk: Buffer) => (body += chunk.toString()));
        request.on("end", () => {
          sent.push({
            method,
            path,
            type: request.headers["content-type"],
            body: JSON.parse(body) as Sent["body"],
          });
          answer({});
        });
      }
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const child = spawn("python3", [script], {
      env: {
        PATH: process.env.PATH,
        PYTHONDONTWRITEBYTECODE: "1",
        API_SERVER: address,
        ACCOUNT_PATH: account,
        NAMESPACE: "inventory",
        ROLLOUT: "inventory",
        RELEASE: "this one",
        HISTORY: "inventory-releases",
        PROMETHEUS: address,
        ENVIRONMENT: "staging",
        POD: "outcome-1",
        POD_UID: "uid-1",
        TIMEOUT_SECONDS: String(timeout),
        INTERVAL_SECONDS: "0.05",
        ...env,
      },
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const code = await new Promise<number | null>((done) => child.on("close", done));
    const events = sent
      .filter(({ path }) => path.endsWith("/events"))
      .map(({ body }) => body as unknown as SentEvent);
    const data = sent.find(({ path }) => path.endsWith("/configmaps/inventory-releases"))?.body.data as
      { "history.json": string; "schema-revisions": string } | undefined;
    const entries = JSON.parse(data?.["history.json"] ?? "[]") as Record<string, string>[];
    return {
      code,
      output,
      events,
      entries,
      revisions: data?.["schema-revisions"],
      published: published(sent),
    };
  }

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

  it("is waited for while the API server is away", async () => {
    expect(await outcome([500, 503, 403, 404, now("Healthy")])).to.include({ code: 0 });
  });

  it("is failure when there is none in time", async () => {
    const { code, events } = await outcome([now("Paused", { message: "CanaryPauseStep" })], { timeout: 0.2 });
    expect(code).to.equal(1);
    expect(events[0]?.message).to.match(/not through after 0 s \(canary, step 2 of 3\): CanaryPauseStep/);
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
    const { code, entries, published: figures } = await outcome([now("Healthy")], { history });
    expect(code).to.equal(0);
    expect(entries).to.deep.equal([]);
    expect(figures).not.to.have.property("technova_release_duration_seconds");
  });

  it("is told again, and not counted again, where the release had failed before", async () => {
    const history = [{ hash: "new", version: "1.1.0", outcome: "failed" }];
    const { code, entries, events } = await outcome([now("Degraded")], { history });
    expect([code, entries, events.length]).to.deep.equal([1, [], 1]);
    server.close();
    expect((await outcome([now("Progressing"), now("Degraded")], { history })).entries).to.have.length(2);
  });

  it("makes the version's configuration live as long as the version can come back", async () => {
    await outcome([now("Progressing"), now("Healthy")], {
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
  const aborts = () => sent.filter(({ path }) => path === `${rollouts}/rollouts/inventory/status`);

  for (const [name, strategy] of Object.entries({
    "blue-green": { blueGreen: {} },
    canary: { canary: { steps: [{ pause: {} }, { setWeight: 20 }], trafficRouting: {} } },
    "rolling, at its end": { canary: { steps: [{ experiment: {} }] } },
  })) {
    it(`aborts a release that makes no progress, for the controller may overlook it: ${name}`, async () => {
      const { code, events } = await outcome(
        [
          now("Progressing", { conditions: [progressing(90)] }),
          now("Degraded", { message: "RolloutAborted" }),
        ],
        { strategy },
      );
      expect(aborts().map(({ body }) => body)).to.deep.equal([{ status: { abort: true } }]);
      expect(code).to.equal(1);
      expect(events[0]?.message).to.contain("no further Pod has become ready for 60 s. Version 1.0.0 serves");
    });
  }

  it("aborts what was paused because nothing is known of Pods that are not there", async () => {
    const paused = (secondsAgo: number, more: object) => {
      sent = [];
      const startTime = new Date(Date.now() - secondsAgo * 1000).toISOString();
      const pauseConditions = [{ reason: "InconclusiveAnalysisRun", startTime, ...more }];
      return [now("Paused", { pauseConditions }), now("Degraded", { message: "RolloutAborted" })];
    };
    const { events } = await outcome(paused(90, {}), { readyReplicas: 0 });
    expect(aborts()).to.have.length(1);
    expect(events[0]?.message).to.contain("after 60 s none of its Pods is ready. Version 1.0.0 serves");
    for (const [statuses, readyReplicas] of [
      [paused(90, {}), 1],
      [paused(30, {}), 0],
      [paused(90, { reason: "CanaryPauseStep" }), 0],
    ] as const) {
      server.close();
      await outcome(statuses, { readyReplicas });
      expect(aborts(), JSON.stringify(statuses)).to.be.empty;
    }
  });

  it("is failure when what is to be followed stays out of reach", async () => {
    const { code, output } = await outcome([403], { env: { PATIENCE_SECONDS: "0.1" } });
    expect(code).to.equal(1);
    expect(output).to.match(/The release cannot be followed: 403 for .*npm run release -- status/);
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
    server.close();
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
      const { code } = await outcome([now("Progressing", status), now("Healthy")], { strategy });
      expect([code, aborts()]).to.deep.equal([0, []]);
      server.close();
    }
  });

  it("is not that of the version before, which the controller may still have in hand", async () => {
    const before = now("Healthy", { currentPodHash: "old" });
    const { entries } = await outcome([before, before, now("Progressing"), now("Healthy")]);
    expect(entries.map(({ version }) => version)).to.deep.equal(["1.1.0"]);
  });

  it("is failure when somebody has gone back meanwhile, and nothing is recorded as released", async () => {
    const { code, entries, events } = await outcome([now("Healthy")], { wanted: "the one before" });
    expect([code, entries]).to.deep.equal([1, []]);
    expect(events[0]?.message).to.contain("Another version has taken the place of this release");
  });
});
