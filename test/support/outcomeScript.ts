import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const script = resolve(__dirname, "../../components/delivery/outcome");
/** Where the API server has the Rollouts. */
export const rollouts = "/apis/argoproj.io/v1alpha1/namespaces/inventory";

export interface Status {
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

export interface Sent {
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
  readonly history?: object[] | string;
  /** Schema revisions that are needed so far. */
  readonly needed?: readonly string[];
  /** The release that was seen on its way, and since when. */
  readonly underWay?: string;
  readonly strategy?: object;
  /** Whether somebody has paused the release by hand. */
  readonly paused?: boolean;
  /** The version that users have, by its hash. */
  readonly users?: string;
  /** What the Rollout's template says it is. */
  readonly wanted?: string;
  /** Whether nothing may be changed. */
  readonly readOnly?: boolean;
}
const recordsPath = "/api/v1/namespaces/inventory/configmaps/inventory-releases";

function recordsOf({ history = [], needed = [], underWay = "" }: Cluster): Record<string, string | null> {
  const text = typeof history === "string" ? history : JSON.stringify(history);
  return { "history.json": text, "schema-revisions": needed.join("\n"), "under-way": underWay };
}

/** Everything else that the script reads: from the API server, and from Prometheus, which is the same server here. */
function answerOf(path: string, query: string, cluster: Cluster): object {
  const { runs = [], pods = [] } = cluster;
  if (path === `${rollouts}/analysisruns`) return { items: runs };
  if (path === "/api/v1/namespaces/inventory/pods") return { items: pods };
  if (path.startsWith("/api/v1/namespaces/inventory/services/")) {
    return { spec: { selector: { "rollouts-pod-template-hash": cluster.users ?? "old" } } };
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

/** Runs the script against an API server that has these answers to what the Rollout is, one after the other. */
export async function outcome(
  statuses: readonly (Status | number)[],
  options: Cluster & { timeout?: number; env?: Record<string, string> } = {},
) {
  const {
    timeout = 20,
    env = {},
    strategy = { canary: { steps: [{}, {}, {}], trafficRouting: {} } },
  } = options;
  const annotations = { "technova.io/release": options.wanted ?? "this one" };
  const { paused = false } = options;
  const spec = { paused, progressDeadlineSeconds: 60, template: { metadata: { annotations } } };
  const records = recordsOf(options);
  let asked = 0;
  const sent: Sent[] = [];
  const account = mkdtempSync(join(tmpdir(), "outcome-"));
  writeFileSync(join(account, "token"), "a token\n");
  const server = createServer((request, response) => {
    const [path = "", query = ""] = (request.url ?? "").split("?");
    const answer = (body: object) => response.end(JSON.stringify(body));
    const { method = "" } = request;
    const own = path.startsWith("/api/v1/otlp");
    if (!own && request.headers.authorization !== "Bearer a token") response.writeHead(401).end();
    else if (method === "GET" && path === `${rollouts}/rollouts/inventory`) {
      const status = statuses[Math.min(asked++, statuses.length - 1)];
      if (typeof status === "number") response.writeHead(status).end();
      else answer({ metadata: { generation: 2 }, spec: { ...spec, strategy }, status });
    } else if (method === "GET" && path === recordsPath) answer({ data: records });
    else if (method === "GET") answer(answerOf(path, query, options));
    else if (options.readOnly) response.writeHead(403).end();
    else {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        const parsed = JSON.parse(body) as Sent["body"];
        sent.push({ method, path, type: request.headers["content-type"], body: parsed });
        if (path === recordsPath) Object.assign(records, parsed.data);
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
  server.close();
  rmSync(account, { recursive: true });
  const events = sent
    .filter(({ path }) => path.endsWith("/events"))
    .map(({ body }) => body as unknown as SentEvent);
  const written = sent.filter(({ path }) => path === recordsPath);
  const wroteHistory = written.some(({ body }) => "history.json" in (body.data as unknown as object));
  const entries = JSON.parse((wroteHistory && records["history.json"]) || "[]") as Record<string, string>[];
  return {
    code,
    output,
    events,
    entries,
    revisions: records["schema-revisions"],
    underWay: records["under-way"],
    published: published(sent),
    sent,
  };
}
