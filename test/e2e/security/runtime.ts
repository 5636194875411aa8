import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { rules } from "../../../components/addons/falco/rules";
import { rulesFile } from "../../../components/addons/falco/rules/rulesFile";
import { falcoEvent, toldBy, type FalcoEvent } from "../../support/falco/events";
import { recorded, whole } from "../../support/falco/recorded";
import { kubectl } from "../support/cluster";

/** Falco's image is in no package registry; what takes its events further is. */
export const runtimeSettings = "{ sensor: { enabled: false }, receiver: { replicas: 1 } }";

const severities: Readonly<Record<string, string>> = {
  CRITICAL: "critical",
  ERROR: "warning",
  WARNING: "warning",
  NOTICE: "info",
};

interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const service = (namespace: string, name: string, port: number, path: string) =>
  `/api/v1/namespaces/${namespace}/services/${name}:${port}/proxy${path}`;

/** An event of every rule goes through the receiver, and is an alert in Alertmanager and a line in Loki. */
export async function eventsArrive(): Promise<void> {
  // By its Pod's name each event is found again.
  const pod = `e2e-${randomBytes(4).toString("hex")}`;
  const secret = randomBytes(12).toString("hex");
  const events = [
    ...eventsOf(pod),
    falcoEvent({ rule: "E2eSecret" }, { "k8s.pod.name": pod, "proc.cmdline": `psql --password=${secret}` }),
  ];
  for (const event of events) await post(event);

  const alerts = await found(async () => {
    const filter = encodeURIComponent(`pod="${pod}"`);
    const path = service("monitoring", "alertmanager", 9093, `/api/v2/alerts?filter=${filter}`);
    return JSON.parse(await kubectl("get", "--raw", path)) as Alert[];
  }, events.length);
  for (const { rule, priority, description, action } of rules) {
    const alert = alerts.find(({ labels }) => labels.alertname === rule);
    expect(alert?.labels, rule).to.include({
      severity: severities[priority],
      source: "falco",
      node: "node-1",
    });
    expect(alert?.labels, rule).to.include({ priority: priority.toLowerCase(), environment: "local" });
    expect(alert?.annotations, rule).to.include({ summary: description, action });
  }

  const lines = await found(async () => {
    const query = encodeURIComponent(`{source="falco"} |= "${pod}"`);
    const path = `/loki/api/v1/query_range?limit=200&since=1h&query=${query}`;
    const answer = await kubectl("get", "--raw", service("monitoring", "loki", 3100, path));
    const { data } = JSON.parse(answer) as { data: { result: { values: [string, string][] }[] } };
    return data.result.flatMap(({ values }) => values.map(([, line]) => line));
  }, events.length);
  const kept = lines.map((line) => (JSON.parse(line) as { rule: string }).rule);
  expect(kept).to.have.members(events.map(({ rule }) => rule));

  expect(JSON.stringify([alerts, lines]), "the password of a command line").to.not.include(secret);
}

/** What is no event is refused; the API server keeps the reason to itself. */
export async function othersAreRefused(): Promise<void> {
  const refused = await post({ ...falcoEvent(), priority: "urgent" }).then(
    () => "nothing was refused",
    (error: unknown) => String(error),
  );
  expect(refused).to.match(/BadRequest|rejected our request|status code 400/);
}

/** One event of every rule, of a Pod of that name. */
function eventsOf(pod: string): FalcoEvent[] {
  const entries = rulesFile({ flows: [], namespaces: ["inventory"], disabledRules: [] });
  return entries.flatMap((entry) => {
    if (!("rule" in entry)) return [];
    const event = recorded.find(({ rule }) => rule === entry.rule);
    if (event === undefined) throw new Error(`no event of ${entry.rule} is recorded`);
    return [toldBy(entry, { ...whole(event), "k8s.pod.name": pod })];
  });
}

async function post(event: FalcoEvent): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "falco-"));
  try {
    writeFileSync(join(folder, "event.json"), JSON.stringify(event));
    const receiver = service("falco", "falco-receiver", 2801, "/");
    await kubectl("create", "--raw", receiver, "-f", join(folder, "event.json"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Asks until there are so many answers. */
async function found<T>(ask: () => Promise<readonly T[]>, count: number): Promise<readonly T[]> {
  const end = Date.now() + 60_000;
  for (;;) {
    const answers = await ask();
    if (answers.length >= count) return answers;
    if (Date.now() > end) throw new Error(`${answers.length} of ${count} events arrived within a minute`);
    await new Promise((done) => setTimeout(done, 1000));
  }
}
