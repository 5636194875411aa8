import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";

const script = resolve(__dirname, "../../../components/delivery/outcome.py");
const rollouts = "/apis/argoproj.io/v1alpha1/namespaces/inventory";

interface Status {
  readonly phase?: string;
  readonly observedGeneration?: string;
  readonly [field: string]: unknown;
}

/** The script against an API server that has these answers, one after the other. */
describe("the outcome of a release", () => {
  let account: string;
  let server: Server;
  let events: { message: string; involvedObject: object }[];

  beforeEach(() => {
    account = mkdtempSync(join(tmpdir(), "outcome-"));
    writeFileSync(join(account, "token"), "a token\n");
    events = [];
  });
  afterEach(() => {
    server.close();
    rmSync(account, { recursive: true });
  });

  async function outcome(
    statuses: readonly (Status | number)[],
    { runs = [], timeout = 20 }: { runs?: object[]; timeout?: number } = {},
  ) {
    let asked = 0;
    server = createServer((request, response) => {
      const path = (request.url ?? "").split("?")[0];
      const answer = (body: object) => response.end(JSON.stringify(body));
      if (request.headers.authorization !== "Bearer a token") response.writeHead(401).end();
      else if (path === `${rollouts}/rollouts/inventory`) {
        const status = statuses[Math.min(asked++, statuses.length - 1)];
        if (typeof status === "number") response.writeHead(status).end();
        else
          answer({
            metadata: { generation: 2 },
            spec: { strategy: { canary: { steps: [{}, {}, {}] } } },
            status,
          });
      } else if (path === `${rollouts}/analysisruns`) answer({ items: runs });
      else if (path === "/apis/apps/v1/namespaces/inventory/replicasets") {
        const version = request.url?.includes("%3Dold") ? "1.0.0" : "1.1.0";
        const labels = { "app.kubernetes.io/version": version };
        answer({ items: [{ spec: { template: { metadata: { labels } } } }] });
      } else {
        let body = "";
        request.on("data", (chunk: Buffer) => (body += chunk.toString()));
        request.on("end", () => (events.push(JSON.parse(body) as (typeof events)[number]), answer({})));
      }
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const child = spawn("python3", [script], {
      env: {
        PATH: process.env.PATH,
        API_SERVER: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
        ACCOUNT_PATH: account,
        NAMESPACE: "inventory",
        ROLLOUT: "inventory",
        POD: "outcome-1",
        POD_UID: "uid-1",
        TIMEOUT_SECONDS: String(timeout),
        INTERVAL_SECONDS: "0.05",
      },
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const code = await new Promise<number | null>((done) => child.on("close", done));
    return { code, output };
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
    const { code, output } = await outcome([
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
    const { code } = await outcome([now("Progressing"), now("Degraded", { message: "RolloutAborted" })], {
      runs: [run],
    });
    expect(code).to.equal(1);
    expect(events.map(({ message }) => message)).to.deep.equal([
      "The release did not go through (canary, step 2 of 3): error-percent was 31.39, its limit is 5. " +
        "Version 1.0.0 serves all requests.",
    ]);
    expect(events[0]?.involvedObject).to.include({ kind: "Pod", name: "outcome-1", uid: "uid-1" });
  });

  it("has the controller's own reason where nothing was measured", async () => {
    const message = "ProgressDeadlineExceeded: the ReplicaSet has timed out progressing.";
    await outcome([now("Degraded", { message })]);
    expect(events[0]?.message).to.contain(message);
  });

  it("is waited for while the API server is away", async () => {
    expect(await outcome([500, 503, now("Healthy")])).to.include({ code: 0 });
  });

  it("is failure when there is none in time", async () => {
    const { code } = await outcome([now("Paused", { message: "CanaryPauseStep" })], { timeout: 0.2 });
    expect(code).to.equal(1);
    expect(events[0]?.message).to.match(/not through after 0 s \(canary, step 2 of 3\) CanaryPauseStep/);
  });
});
