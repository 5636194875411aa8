import { Agent, request } from "node:https";
import { z } from "zod";
import { UserError } from "../engine/report";
import type { FullApi } from "../release/api";
import { readSettled } from "../release/read";
import { isInProgress } from "../release/facts";
import type { Screen } from "../release/screen";
import type { Journal } from "./journal";

/** What the recovered service says of itself. */
export interface Findings {
  /** When the newest movement was booked; undefined where there is none. */
  readonly newestMovement?: Date;
  /** Rows by table, where they could be counted. */
  readonly rows?: Readonly<Record<string, number>>;
  readonly notes: readonly string[];
}

export interface VerifyMeans {
  readonly api: FullApi;
  readonly screen: Screen;
  /** The stack's outputs: `url`, `adminApiKey`, `gatewayCaCertificate`. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Whether the gateway's node ports are this machine's. */
  readonly onThisMachine: boolean;
  /** The revision that the stack's settings ask for. */
  readonly schemaRevision?: string;
  /** Answers one line for each row, values separated by `|`; undefined where the database is elsewhere. */
  readonly sql?: (statement: string) => Promise<readonly string[]>;
}

const outputs = z.looseObject({
  url: z.url(),
  adminApiKey: z.string(),
  gatewayCaCertificate: z.string().optional(),
});
const page = z.object({ items: z.array(z.looseObject({ created_at: z.iso.datetime({ offset: true }) })) });

const longestMilliseconds = 120_000;
const answersInARow = 5;

/** @throws UserError when the service or its data is not as it should be */
export async function verifyRecovered(journal: Journal, means: VerifyMeans): Promise<Findings> {
  await untilHealthy(means);
  const notes: string[] = [];
  const newestMovement = await newest(means, notes);
  const rows = await countRows(journal, means, notes);
  return { newestMovement, rows, notes };
}

async function untilHealthy({ api, screen }: VerifyMeans): Promise<void> {
  for (const deadline = Date.now() + longestMilliseconds; ; await screen.sleep(1_000)) {
    const { rollout } = await readSettled(api, screen.sleep);
    if (!isInProgress(rollout) && rollout.status.phase === "Healthy") return;
    if (Date.now() > deadline)
      throw new UserError(`The service is not healthy: it is ${rollout.status.phase}.`);
    screen.progress(`the service is ${rollout.status.phase.toLowerCase()}`);
  }
}

/** Asks the service through its gateway, at the gateway's own address: names may lead to the old cluster yet. */
async function newest(means: VerifyMeans, notes: string[]): Promise<Date | undefined> {
  const { url, adminApiKey, gatewayCaCertificate } = outputs.parse(means.outputs);
  const address = await gatewayAddress(means, new URL(url));
  if (address === undefined) {
    notes.push("The gateway has no address that could be tried from here; the service itself is ready.");
    return undefined;
  }
  let last = "";
  let answers = 0;
  for (
    const deadline = Date.now() + longestMilliseconds;
    Date.now() < deadline;
    await means.screen.sleep(1_000)
  ) {
    try {
      const text = await ask(
        address,
        new URL("/api/v1/movements?limit=1", url),
        adminApiKey,
        gatewayCaCertificate,
      );
      const [movement] = page.parse(JSON.parse(text)).items.map(({ created_at: at }) => new Date(at));
      // One Pod may reach a database that was started anew before another does.
      if (++answers === answersInARow) return movement;
    } catch (error) {
      answers = 0;
      last = error instanceof Error ? error.message : String(error);
    }
  }
  throw new UserError(`The service does not answer at ${url} (${address.host}): ${last}`);
}

interface Address {
  readonly host: string;
  readonly port: number;
}

const service = z.looseObject({
  spec: z.looseObject({
    type: z.string(),
    ports: z.array(z.looseObject({ name: z.string().optional(), nodePort: z.int().optional() })),
  }),
  status: z.looseObject({
    loadBalancer: z
      .looseObject({
        ingress: z.array(z.object({ ip: z.string().optional(), hostname: z.string().optional() })).optional(),
      })
      .optional(),
  }),
});
const services = z.looseObject({ items: z.array(service) });
const nodes = z.looseObject({
  items: z.array(
    z.looseObject({
      status: z.looseObject({
        addresses: z.array(z.object({ type: z.string(), address: z.string() })).default([]),
      }),
    }),
  ),
});

async function gatewayAddress({ api, onThisMachine }: VerifyMeans, url: URL): Promise<Address | undefined> {
  const port = Number(url.port || 443);
  if (onThisMachine) return { host: "127.0.0.1", port };
  const found = services.parse((await api.get("/api/v1/namespaces/gateway/services")) ?? { items: [] }).items;
  const balanced = found.flatMap(({ status }) => status.loadBalancer?.ingress ?? [])[0];
  const host = balanced?.ip ?? balanced?.hostname;
  if (host !== undefined) return { host, port };
  if (!found.some(({ spec }) => spec.type === "NodePort")) return undefined;
  const all = nodes.parse((await api.get("/api/v1/nodes")) ?? { items: [] }).items;
  const addresses = all.flatMap(({ status }) => status.addresses);
  const node =
    addresses.find(({ type }) => type === "ExternalIP") ??
    addresses.find(({ type }) => type === "InternalIP");
  return node && { host: node.address, port };
}

function ask(address: Address, url: URL, apiKey: string, ca: string | undefined): Promise<string> {
  const agent = new Agent({ ca, servername: url.hostname, keepAlive: false });
  const headers = { host: url.host, "x-api-key": apiKey };
  return new Promise((resolve, reject) => {
    const options = { agent, ...address, path: `${url.pathname}${url.search}`, headers, timeout: 10_000 };
    const outgoing = request(options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => {
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`it answers ${response.statusCode}`));
      });
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error("no answer within 10 s")));
    outgoing.on("error", reject);
    outgoing.end();
  });
}

const tableName = /^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$/;

/** A backup's numbers are those of when it was taken: what the log brought since comes on top. */
async function countRows(
  { tables }: Journal,
  { sql, schemaRevision }: VerifyMeans,
  notes: string[],
): Promise<Record<string, number> | undefined> {
  if (sql === undefined) {
    notes.push("The database is external: its schema and rows were not looked at.");
    return undefined;
  }
  const [revision] = await sql("SELECT version_num FROM alembic_version");
  if (schemaRevision !== undefined && revision !== schemaRevision) {
    const advice =
      revision !== undefined && revision > schemaRevision
        ? "The data is of a newer version than the stack's file names: put version, image and schemaRevision of that " +
          "one there, as git has them; the last step brings it."
        : "Its migration has not brought it there: kubectl logs -n inventory -l app.kubernetes.io/component=migration";
    throw new UserError(`The schema is at revision ${revision}, not at ${schemaRevision}. ${advice}`);
  }
  if (tables === undefined) return undefined;
  const names = Object.keys(tables).filter((name) => tableName.test(name));
  const counts: Record<string, number> = {};
  for (const name of names) {
    const [count] = await sql(`SELECT count(*) FROM ${name}`);
    counts[name] = Number(count);
  }
  const short = names.filter((name) => (counts[name] ?? 0) < (tables[name] ?? 0));
  if (short.length > 0) {
    const list = short.map((name) => `${name} has ${counts[name]} rows, the backup says ${tables[name]}`);
    throw new UserError(`The database is not what was backed up: ${list.join("; ")}.`);
  }
  return counts;
}
