import autocannon from "autocannon";
import { randomUUID } from "node:crypto";
import { apiKeyHeader, call, type Gateway } from "./gateway";

/** What a load run's requests are about. */
export interface Subject {
  readonly sku: string;
  readonly location: string;
}

/** Creates the location and the item that requests are about, where they are not there yet. */
export async function createSubject(gateway: Gateway, { sku, location }: Subject): Promise<void> {
  for (const [path, body] of [
    ["/api/v1/locations", { code: location, name: "End to end" }],
    ["/api/v1/items", { sku, name: "Probe", category: "test", unit: "piece", price: "1.00" }],
  ] as const) {
    const { status, text } = await call(gateway, "POST", path, body);
    if (status !== 201 && status !== 409) throw new Error(`POST ${path} answered ${status}: ${text}`);
  }
}

export interface LoadOptions {
  readonly subject: Subject;
  /** Requests per second over all connections. */
  readonly rate: number;
  /** Upper bound, in seconds: the load ends by itself even if nobody stops it. */
  readonly maxSeconds: number;
  /** @default 10 */
  readonly connections?: number;
}

export interface LoadReport {
  readonly requests: number;
  /** Responses by HTTP status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Responses by the application version that answered. */
  readonly versions: Readonly<Record<string, number>>;
  /** Connections that broke, and requests that timed out. */
  readonly errors: number;
  /** Everything that a user would call a failure: errors, and any status that is not 2xx. */
  readonly failed: number;
  /** Units booked by movements that the service acknowledged. */
  readonly acknowledgedUnits: number;
  readonly p95Milliseconds: number;
  /** Every answer, and every connection that broke, in the order in which they came. */
  readonly answers: readonly Answer[];
}

export interface Answer {
  /** Milliseconds since the load began. */
  readonly at: number;
  /** HTTP status; 0 for a connection that broke or a request that timed out. */
  readonly status: number;
  /** Application version that answered, where one did. */
  readonly version?: string;
  /** How long it took, as far as it is known. */
  readonly milliseconds?: number;
}

export interface Load {
  /** Requests so far that a user would call failed. */
  failedSoFar(): number;
  stop(): Promise<LoadReport>;
}

/**
 * Mixed traffic through the gateway: of five requests three list items, one reads a stock level and one books
 * a receipt of a single unit under a fresh idempotency key.
 */
export function startLoad(gateway: Gateway, options: LoadOptions): Load {
  const statuses: Record<string, number> = {};
  const versions: Record<string, number> = {};
  const answers: Answer[] = [];
  const began = performance.now();
  let acknowledgedUnits = 0;
  const tally = (record: Record<string, number>, key: string) => (record[key] = (record[key] ?? 0) + 1);
  const onResponse = (status: number, _body: string, _context: object, headers: object = {}) => {
    tally(statuses, String(status));
    // By status: at a fixed rate the client calls the handlers of other requests than the one that was answered.
    if (status === 201) acknowledgedUnits += 1;
    const version = Object.entries(headers).find(([name]) => name.toLowerCase() === "x-inventory-version");
    tally(versions, version === undefined ? "none" : String(version[1]));
    answers.push({ at: performance.now() - began, status, version: version && String(version[1]) });
  };
  const headers = {
    host: gateway.url.host,
    [apiKeyHeader]: gateway.apiKey,
    "content-type": "application/json",
  };
  const list = { method: "GET", path: "/api/v1/items?limit=20", headers, onResponse } as const;
  const stock = {
    method: "GET",
    path: `/api/v1/items/${options.subject.sku}/stock`,
    headers,
    onResponse,
  } as const;
  const receipt = {
    method: "POST",
    path: "/api/v1/movements",
    headers,
    body: JSON.stringify({
      kind: "receipt",
      sku: options.subject.sku,
      destination: options.subject.location,
      quantity: "1",
    }),
    setupRequest: (request: autocannon.Request) => ({
      ...request,
      headers: { ...headers, "idempotency-key": randomUUID() },
    }),
    onResponse,
  } as const;
  const settings = {
    url: `https://${gateway.address}:${gateway.url.port}`,
    servername: gateway.url.hostname,
    tlsOptions: { ca: gateway.ca },
    connections: options.connections ?? 10,
    overallRate: options.rate,
    duration: options.maxSeconds,
    timeout: 20,
    requests: [list, stock, list, receipt, list],
  };
  const times: number[] = [];
  let instance: autocannon.Instance | undefined;
  const result = new Promise<autocannon.Result>((done, failed) => {
    // The published types lack `tlsOptions` and the later arguments of `onResponse`.
    instance = autocannon(settings as unknown as autocannon.Options, (error: Error | null, report) =>
      error ? failed(error) : done(report),
    );
    instance.on("response", (_client, _status, _bytes, milliseconds) => {
      times.push(milliseconds);
      // The handler above has had the same answer right before.
      const last = answers.pop();
      if (last !== undefined) answers.push({ ...last, milliseconds });
    });
    instance.on("reqError", () => answers.push({ at: performance.now() - began, status: 0 }));
  });
  return {
    failedSoFar: () => answers.filter(({ status }) => status < 200 || status > 299).length,
    async stop() {
      (instance as (autocannon.Instance & { stop(): void }) | undefined)?.stop();
      const { errors, requests } = await result;
      times.sort((a, b) => a - b);
      const refused = Object.entries(statuses)
        .filter(([status]) => !status.startsWith("2"))
        .reduce((sum, [, count]) => sum + count, 0);
      return {
        requests: requests.total,
        statuses,
        versions,
        errors,
        failed: errors + refused,
        acknowledgedUnits,
        p95Milliseconds: times[Math.floor(times.length * 0.95)] ?? 0,
        answers,
      };
    },
  };
}
