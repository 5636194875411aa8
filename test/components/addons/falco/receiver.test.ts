import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { falcoEvent } from "../../../support/falco/events";
import { Target, until } from "../../../support/falco/target";

const script = resolve(__dirname, "../../../../components/addons/falco/receiver");

interface Alert {
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
  readonly startsAt: string;
  readonly endsAt: string;
}

interface Streams {
  readonly streams: { stream: Record<string, string>; values: [string, string][] }[];
}

/** The program of the receiver's Pod, against servers that stand in for Alertmanager and Loki. */
describe("the receiver of Falco's events", () => {
  let folder: string;
  let child: ChildProcess;
  let output: string;
  const targets: Target[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "falco-"));
    const texts = { ShellInContainer: { summary: "A shell ran.", action: "Ask who opened it." } };
    writeFileSync(join(folder, "rules.json"), JSON.stringify(texts));
    output = "";
  });
  afterEach(() => {
    child.kill("SIGKILL");
    for (const target of targets.splice(0)) target.close();
    rmSync(folder, { recursive: true });
  });

  async function start(known: { alertmanager?: Target; loki?: Target } = {}): Promise<string> {
    const env: Record<string, string> = {};
    for (const [name, target] of Object.entries(known)) {
      targets.push(target);
      env[name.toUpperCase()] = await target.address();
    }
    child = spawn("python3", [script], {
      env: {
        PATH: process.env.PATH,
        PYTHONDONTWRITEBYTECODE: "1",
        PORT: "0",
        TEXTS: join(folder, "rules.json"),
        ENVIRONMENT: "staging",
        ...env,
      },
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => (output += chunk.toString()));
    }
    await until(() => /listening on \d+/.test(output));
    return `http://127.0.0.1:${/listening on (\d+)/.exec(output)?.[1]}`;
  }

  const post = (address: string, body: unknown) =>
    fetch(address, { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) });

  it("makes an alert of an event, with labels that tell alerts apart and no others", async () => {
    const alertmanager = new Target();
    const address = await start({ alertmanager });
    const before = Date.now();
    expect((await post(address, falcoEvent())).status).to.equal(202);
    await until(() => alertmanager.taken.length === 1);
    const [[alert]] = alertmanager.taken as [[Alert]];
    expect(alert.labels).to.deep.equal({
      alertname: "ShellInContainer",
      severity: "critical",
      priority: "critical",
      source: "falco",
      environment: "staging",
      node: "node-1",
      namespace: "inventory",
      pod: "inventory-5f7c9d8b6-x2x4p",
      container: "inventory",
    });
    expect(alert.annotations).to.deep.equal({
      summary: "A shell ran.",
      action: "Ask who opened it.",
      description: falcoEvent().output,
      techniques: "T1059.004 T1609",
    });
    expect(Date.parse(alert.startsAt)).to.be.at.most(Date.now());
    expect(Date.parse(alert.endsAt)).to.be.within(before + 14 * 60_000, Date.now() + 16 * 60_000);
  });

  for (const [priority, severity] of [
    ["Emergency", "critical"],
    ["Error", "warning"],
    ["Warning", "warning"],
    ["Notice", "info"],
  ] as const) {
    it(`calls ${priority} ${severity}`, async () => {
      const alertmanager = new Target();
      await post(await start({ alertmanager }), falcoEvent({ priority }));
      await until(() => alertmanager.taken.length === 1);
      const [[alert]] = alertmanager.taken as [[Alert]];
      expect(alert.labels.severity).to.equal(severity);
    });
  }

  it("keeps the whole event in Loki, to the nanosecond, found by few labels", async () => {
    const loki = new Target();
    await post(await start({ loki }), falcoEvent({ time: "2026-11-25T07:00:00.123456789Z" }));
    await until(() => loki.taken.length === 1);
    const [{ streams }] = loki.taken as [Streams];
    expect(streams).to.have.length(1);
    expect(streams[0]?.stream).to.deep.equal({
      source: "falco",
      rule: "ShellInContainer",
      priority: "critical",
      environment: "staging",
      namespace: "inventory",
    });
    const [[time, line] = ["", ""]] = streams[0]?.values ?? [];
    expect(time).to.equal(`${Date.parse("2026-11-25T07:00:00Z") / 1000}123456789`);
    expect(JSON.parse(line)).to.include({ "proc.name": "sh", "proc.pid": 4711, node: "node-1" });
  });

  const hidden: readonly (readonly [string, string])[] = [
    ["psql postgresql://inventory:hunter2@db/inventory", "psql postgresql://inventory:<hidden>@db/inventory"],
    ["curl -H 'Authorization: Bearer hunter2' x", "curl -H 'Authorization: <hidden>' x"],
    ["mysql --password=hunter2 -e x", "mysql --password=<hidden> -e x"],
    ["login --token hunter2 now", "login --token <hidden> now"],
    ["env INVENTORY_API_KEY=hunter2 x", "env INVENTORY_API_KEY=<hidden> x"],
    ["sh -c echo c2VjcmV0LWtleS1vZi0xMjM0NTY3OA== | x", "sh -c echo <hidden> | x"],
  ];
  for (const [cmdline, shown] of hidden) {
    it(`hides what looks like a secret: ${shown}`, async () => {
      const [alertmanager, loki] = [new Target(), new Target()];
      const address = await start({ alertmanager, loki });
      const event = falcoEvent(
        { output: `A shell ran. | proc.cmdline=${cmdline}` },
        { "proc.cmdline": cmdline },
      );
      await post(address, event);
      await until(() => alertmanager.taken.length === 1 && loki.taken.length === 1);
      const sent = JSON.stringify([alertmanager.taken, loki.taken]) + output;
      expect(sent).to.not.match(/hunter2|c2VjcmV0/);
      const [{ streams }] = loki.taken as [Streams];
      expect(JSON.parse(streams[0]?.values[0]?.[1] ?? "{}")).to.include({ "proc.cmdline": shown });
    });
  }

  it("hides nothing that a responder needs", async () => {
    const loki = new Target();
    const cmdline =
      "inventory /opt/venv/bin/inventory migrate --to 0004 --in-use-file /etc/inventory/releases/x";
    await post(
      await start({ loki }),
      falcoEvent({}, { "proc.cmdline": cmdline, "container.id": "3ad7b26ded6d" }),
    );
    await until(() => loki.taken.length === 1);
    const [{ streams }] = loki.taken as [Streams];
    expect(JSON.parse(streams[0]?.values[0]?.[1] ?? "{}")).to.include({
      "proc.cmdline": cmdline,
      "container.id": "3ad7b26ded6d",
      "k8s.pod.name": "inventory-5f7c9d8b6-x2x4p",
    });
  });

  it("delivers again what was not taken, in order, and lets no target wait for another", async () => {
    const [alertmanager, loki] = [new Target(), new Target([503, 429, 200])];
    const address = await start({ alertmanager, loki });
    for (const rule of ["First", "Second"]) await post(address, falcoEvent({ rule }));
    await until(() => alertmanager.taken.flat().length === 2);
    const rules = () =>
      (loki.taken as Streams[]).flatMap(({ streams }) => streams.map(({ stream }) => stream.rule));
    await until(() => rules().length === 2);
    expect(rules()).to.deep.equal(["First", "Second"]);
    // It counts what was taken after the target has.
    let figures = "";
    while (!/^technova_runtime_events_delivered_total\{target="loki"\} 2$/m.test(figures)) {
      figures = await (await fetch(`${address}/metrics`)).text();
    }
    expect(figures).to.match(/^technova_runtime_events_total\{outcome="accepted"\} 2$/m);
    expect(figures).to.match(/^technova_runtime_events_failures_total\{target="loki"\} 2$/m);
    expect(figures).to.match(/^technova_runtime_events_lost_total\{target="loki"\} 0$/m);
  });

  it("takes what comes in pieces, as proxies send it on, and no more of it than of others", async () => {
    const alertmanager = new Target();
    const address = await start({ alertmanager });
    const inPieces = (text: string) =>
      fetch(address, {
        method: "POST",
        body: new Blob([text.slice(0, 100), text.slice(100)]).stream(),
        duplex: "half",
      } as RequestInit);
    expect((await inPieces(JSON.stringify(falcoEvent({ rule: "Pieces" })))).status).to.equal(202);
    await until(() => alertmanager.taken.flat().length === 1);
    const response = await inPieces("x".repeat(2 ** 20 + 1)).catch(() => undefined);
    if (response !== undefined) expect(response.status).to.equal(413);
    expect((await fetch(`${address}/healthz`)).status).to.equal(200);
  });

  it("does not send again what a target refuses, counts it, and says why", async () => {
    const alertmanager = new Target([400, 200]);
    const address = await start({ alertmanager });
    await post(address, falcoEvent({ rule: "First" }));
    await until(() => output.includes("refused"));
    await post(address, falcoEvent({ rule: "Second" }));
    await until(() => alertmanager.taken.length === 1);
    expect(output).to.contain("alertmanager refused 1 events; it answered 400: because");
    const figures = await (await fetch(`${address}/metrics`)).text();
    expect(figures).to.match(/^technova_runtime_events_lost_total\{target="alertmanager"\} 1$/m);
  });

  for (const [what, answer] of [
    ["no line of HTTP's", "SSH-2.0-OpenSSH_9.6\r\n"],
    ["half a line", "HTTP/1.1"],
    ["nothing", ""],
    ["a redirect to no valid address", "HTTP/1.1 302 Found\r\nLocation: http://[\r\n\r\n"],
    ["a redirect that breaks off", "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 9\r\n\r\nbe"],
  ] as const) {
    it(`delivers again what a target answers with ${what}`, async () => {
      const alertmanager = new Target([answer, 200]);
      const address = await start({ alertmanager });
      await post(address, falcoEvent());
      await until(() => alertmanager.taken.length === 1);
      expect(output).to.contain("takes no events");
    });
  }

  for (const [how, body] of [
    ["in one piece", "Content-Length: 9\r\n\r\nbe"],
    ["in pieces", "Transfer-Encoding: chunked\r\n\r\n9\r\nbe"],
  ] as const) {
    it(`goes on after a refusal whose reason breaks off, ${how}`, async () => {
      const alertmanager = new Target([`HTTP/1.1 400 Bad Request\r\n${body}`, 200]);
      const address = await start({ alertmanager });
      await post(address, falcoEvent({ rule: "First" }));
      await until(() => output.includes("refused"));
      await post(address, falcoEvent({ rule: "Second" }));
      await until(() => alertmanager.taken.length === 1);
      expect(output).to.contain("alertmanager refused 1 events; it answered 400");
    });
  }

  it("delivers what it still has when it is told to stop", async () => {
    const alertmanager = new Target([503, 503, 200]);
    const address = await start({ alertmanager });
    await post(address, falcoEvent());
    await until(() => alertmanager.asked > 0);
    child.kill("SIGTERM");
    const code = await new Promise((done) => child.on("close", done));
    expect(code).to.equal(0);
    expect(alertmanager.taken).to.have.length(1);
  });

  it("writes events into its own log where there is no Loki", async () => {
    const address = await start({ alertmanager: new Target() });
    await post(address, falcoEvent());
    await until(() => output.includes('"rule": "ShellInContainer"'));
  });

  const mistakes: readonly (readonly [string, unknown, RegExp])[] = [
    ["no JSON", "shell!", /the body is not JSON/],
    ["no object", "[]", /the body is not an object/],
    ["no rule", { ...falcoEvent(), rule: "" }, /rule is missing/],
    [
      "an unknown priority",
      falcoEvent({ priority: "urgent" }),
      /priority is "urgent"; it can be emergency, /,
    ],
    ["a time that is none", falcoEvent({ time: "yesterday" }), /time is "yesterday"/],
    ["no fields", { ...falcoEvent(), output_fields: null }, /json_include_output_fields_property/],
  ];
  for (const [what, body, told] of mistakes) {
    it(`refuses ${what}, and says why`, async () => {
      const alertmanager = new Target();
      const address = await start({ alertmanager });
      const response = await post(address, body);
      expect(response.status).to.equal(400);
      expect(await response.text()).to.match(told);
      const figures = await (await fetch(`${address}/metrics`)).text();
      expect(figures).to.match(/outcome="rejected"\} 1$/m);
      expect(alertmanager.taken).to.deep.equal([]);
    });
  }

  it("refuses what is too large without reading it, and answers probes", async () => {
    const address = await start({ alertmanager: new Target() });
    const response = await post(address, "x".repeat(2 ** 20 + 1)).catch(() => undefined);
    if (response !== undefined) expect(response.status).to.equal(413);
    expect((await fetch(`${address}/healthz`)).status).to.equal(200);
    expect((await fetch(`${address}/elsewhere`)).status).to.equal(404);
  });
});
