import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import autocannon from "autocannon";
import { imageReference } from "../../components/images";
import { clusterEnvironment } from "../../tools/cluster/environment";
import { ports, registryHost } from "../../tools/cluster/network";
import { apiKeyHeader, call, gatewayOf } from "../e2e/support/gateway";
import { ratio, table } from "./measure";

const secondsEach = 10;
const connections = 10;

/**
 * Requests per second and p95 of one read, through the gateway of the `local` stack and against the same image
 * alone on this machine: one process, one database, no TLS, no gateway, no cluster.
 */
export async function service(): Promise<void> {
  if (Object.keys(clusterEnvironment()).length === 0) {
    throw new Error("the service bench compares with the local stack: npm start first");
  }
  const gateway = await gatewayOf("local");
  const path = "/api/v1/items?limit=20";
  const warm = await call(gateway, "GET", path);
  if (warm.status !== 200) throw new Error(`GET ${path} through the gateway: ${warm.status} ${warm.text}`);
  const through = await load({
    url: `https://${gateway.address}:${gateway.url.port}${path}`,
    headers: { host: gateway.url.host, [apiKeyHeader]: gateway.apiKey },
    servername: gateway.url.hostname,
    tlsOptions: { ca: gateway.ca },
  });
  const alone = await withServiceAlone(gateway.image, ({ port, apiKey }) =>
    load({ url: `http://127.0.0.1:${port}${path}`, headers: { [apiKeyHeader]: apiKey } }),
  );
  table([
    [`GET ${path}, ${connections} connections`, "requests/s", "p95"],
    ["the service alone", alone.rate.toFixed(0), `${alone.p95.toFixed(1)} ms`],
    ["through the gateway of the local stack", through.rate.toFixed(0), `${through.p95.toFixed(1)} ms`],
    ["gateway to alone", ratio(through.rate / alone.rate), ratio(through.p95 / alone.p95)],
  ]);
}

interface Load {
  readonly rate: number;
  readonly p95: number;
}

async function load(options: object): Promise<Load> {
  const times: number[] = [];
  const result = await new Promise<autocannon.Result>((done, failed) => {
    const instance = autocannon(
      { ...options, connections, duration: secondsEach } as unknown as autocannon.Options,
      (error: Error | null, report) => (error ? failed(error) : done(report)),
    );
    instance.on("response", (_client, _status, _bytes, milliseconds) => times.push(milliseconds));
  });
  if (result.non2xx + result.errors > 0) {
    throw new Error(`${result.non2xx} responses were not 2xx and ${result.errors} requests failed`);
  }
  times.sort((a, b) => a - b);
  return { rate: result.requests.total / result.duration, p95: times[Math.floor(times.length * 0.95)] ?? 0 };
}

/** Starts the image and a database of its own on the cluster's node, in the node's network, and removes both. */
async function withServiceAlone<T>(
  image: string,
  use: (service: { port: number; apiKey: string }) => Promise<T>,
): Promise<T> {
  const env = { ...process.env, ...clusterEnvironment() };
  const docker = (...args: string[]) =>
    execFileSync("docker", args, { env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  const folder = mkdtempSync(join(tmpdir(), "technova-bench-"));
  // The node's ports of this range answer on the machine's own address.
  const port = ports.nodePorts.last;
  const databasePort = 35432;
  const apiKey = randomBytes(24).toString("hex");
  const password = randomBytes(24).toString("hex");
  const sha256 = createHash("sha256").update(apiKey).digest("hex");
  const containers: string[] = [];
  /** Passed in files: the arguments of a process can be read by everyone. */
  const environment = (name: string, values: Readonly<Record<string, string | number>>): string[] => {
    const file = join(folder, name);
    const lines = Object.entries(values).map(([key, value]) => `${key}=${value}\n`);
    writeFileSync(file, lines.join(""), { mode: 0o600 });
    return ["--network", "host", "--env-file", file];
  };
  try {
    const database = environment("database", {
      POSTGRES_USER: "inventory",
      POSTGRES_PASSWORD: password,
      PGPORT: databasePort,
    });
    containers.push(
      docker("run", "--detach", ...database, imageReference("postgres", { mirror: registryHost })),
    );
    const settings = environment("service", {
      INVENTORY_PORT: port,
      INVENTORY_RATE_LIMIT_PER_MINUTE: 0,
      INVENTORY_DATABASE_URL: `postgresql+psycopg://inventory:${password}@127.0.0.1:${databasePort}/inventory`,
      INVENTORY_API_KEYS: JSON.stringify([{ name: "bench", role: "admin", sha256 }]),
    });
    docker("run", "--rm", ...settings, image, "migrate", "--to", "head");
    containers.push(docker("run", "--detach", ...settings, image));
    await answers(`http://127.0.0.1:${port}/readyz`);
    return await use({ port, apiKey });
  } finally {
    for (const container of containers) docker("rm", "--force", "--volumes", container);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function answers(url: string): Promise<void> {
  for (let attempt = 0; attempt < 60; attempt += 1) {
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return;
    await new Promise((wake) => setTimeout(wake, 500));
  }
  throw new Error(`${url} did not become ready within 30 s`);
}
