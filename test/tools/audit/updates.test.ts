import { expect } from "chai";
import { stackFile } from "../../../tools/engine/project";
import { bringUpdates, type Done } from "../../../tools/audit/updates";
import { parseStackEvent } from "../../../tools/audit/trail";
import { trailOfRollbacks } from "../../../tools/audit/rollbacks";
import { connect } from "../../../tools/release/api";
import { write } from "../engine/support";
import { minutesAgo, place, type Place } from "./support";

const stack = "staging";
const secret = "v1:AAAAAAAAAAAAAAAA:BBBB";

/** Writes an entry of the history as a backend that keeps files does; returns its ID. */
function updated({ root }: Place, ended: Date, change: object = {}): string {
  const id = `${BigInt(ended.getTime()) * 1_000_000n}`;
  const seconds = Math.floor(ended.getTime() / 1000);
  const entry = {
    kind: "update",
    startTime: seconds - 20,
    endTime: seconds,
    message: "More logs\n\nBecause of …",
    environment: {
      "git.head": "3f1c2d4a",
      "git.dirty": "true",
      "exec.agent": "technova-platform user=alice@laptop",
    },
    config: { "technova:application": { version: "1.0.0" } },
    result: "succeeded",
    resourceChanges: { same: 100, update: 2 },
    ...change,
  };
  write(
    root,
    `.pulumi-state/.pulumi/history/technova/${stack}/${stack}-${id}.history.json`,
    JSON.stringify(entry),
  );
  return id;
}

async function bring(there: Place, done: Partial<Done> = {}): Promise<string[]> {
  const said: string[] = [];
  await bringUpdates(
    there.root,
    { stack, removed: false, ...done },
    there.env,
    (line) => void said.push(line),
  );
  return said;
}

const events = ({ loki }: Place) => loki.stored.map(({ text }) => parseStackEvent(text));
const pushes = ({ loki }: Place) => loki.requests.filter((request) => request.startsWith("POST")).length;

describe("the stack's updates in the audit trail", () => {
  it("are brought with who, when, which version and the names of what changed, and no value of it", async () => {
    const there = await place();
    updated(there, minutesAgo(60));
    const config = {
      "technova:application": { version: "1.0.1", configuration: { logLevel: "DEBUG" } },
      "technova:secrets": { databaseUrl: { secure: secret } },
    };
    const ended = minutesAgo(30);
    const id = updated(there, ended, { config, result: "failed" });
    expect(await bring(there)).to.deep.equal([]);
    const [, second] = events(there);
    expect(second).to.deep.equal({
      id,
      at: new Date(Math.floor(ended.getTime() / 1000) * 1000).toISOString(),
      kind: "update",
      result: "failed",
      who: "alice@laptop",
      message: "More logs",
      commit: "3f1c2d4a*",
      version: "1.0.1",
      changed: [
        "technova:application.configuration.logLevel",
        "technova:application.version",
        "technova:secrets.databaseUrl",
      ],
      resources: { same: 100, update: 2 },
    });
    const [line] = there.loki.stored.slice(-1);
    expect(line?.labels).to.deep.equal({ job: "audit", source: "stack", stack });
    expect(line?.metadata).to.deep.equal({ who: "alice@laptop", kind: "update", id });
    expect(JSON.stringify(there.loki.stored.map(({ text }) => text)))
      .to.not.contain("AAAA")
      .and.not.contain("DEBUG");
  });

  it("are brought once, and what was missed is made up for", async () => {
    const there = await place();
    const ids = [updated(there, minutesAgo(300)), updated(there, minutesAgo(200))];
    await bring(there);
    await bring(there);
    expect(pushes(there)).to.equal(1);
    there.loki.failure = 503;
    ids.push(updated(there, minutesAgo(100)));
    expect(await bring(there)).to.have.lengthOf(1);
    there.loki.failure = undefined;
    ids.push(updated(there, minutesAgo(50)));
    await bring(there);
    expect(events(there).map((event) => event?.id)).to.deep.equal(ids);
  });

  it("are all brought to a Loki that has none of them, but for those that it would not keep", async () => {
    const there = await place("{ logs: { retentionDays: 7 } }");
    const day = 24 * 60;
    for (let index = 0; index < 60; index++) updated(there, minutesAgo(6 * day - index * 10));
    updated(there, minutesAgo(8 * day));
    await bring(there);
    expect(events(there)).to.have.lengthOf(60);
  });

  it("are nobody's business where the stack keeps no logs", async () => {
    for (const monitoring of ["{}", "{ logs: { enabled: false } }", "{ enabled: false, logs: {} }"]) {
      const there = await place(monitoring);
      updated(there, minutesAgo(5));
      expect(await bring(there)).to.deep.equal([]);
      expect(there.loki.requests, monitoring).to.deep.equal([]);
    }
  });

  it("are looked for by the settings that the command took", async () => {
    const there = await place("{}");
    updated(there, minutesAgo(5));
    const settingsFile = write(there.root, "other.yaml", 'config: { "technova:monitoring": { logs: {} } }');
    expect(stackFile(there.root, stack)).to.not.equal(settingsFile);
    await bring(there, { settingsFile });
    expect(events(there)).to.have.lengthOf(1);
  });

  it("are told of in one line when Loki is away, and not at all when the stack is gone or never had one", async () => {
    const there = await place();
    updated(there, minutesAgo(5));
    there.loki.failure = 404;
    expect(await bring(there)).to.deep.equal([]);
    there.loki.failure = 503;
    expect(await bring(there, { removed: true })).to.deep.equal([]);
    const [line, ...others] = await bring(there);
    expect(others).to.deep.equal([]);
    expect(line).to.match(
      /^warning: the audit trail lacks the latest updates of staging.*next npm run up brings them/,
    );
    expect(line).to.contain("kubectl get pods -n monitoring").and.not.contain("\n");
    await there.loki.stop();
    expect(await bring(there)).to.have.lengthOf(1);
  });
});

describe("a rollback in the audit trail", () => {
  it("is told with who, and nothing is told where the stack keeps no logs", async () => {
    const { loki, root, env } = await place();
    const trail = trailOfRollbacks(() => connect(root, stack, env));
    const happened = { stack, outcome: "succeeded", from: "1.0.1", version: "1.0.0", update: 3 } as const;
    await trail.record({ ...happened, at: minutesAgo(1), by: "alice@laptop", message: "from 4 back to 3" });
    expect(parseStackEvent(loki.stored[0]?.text ?? "")).to.include({
      kind: "rollback",
      result: "succeeded",
      who: "alice@laptop",
      version: "1.0.0",
      message: "from 4 back to 3",
    });
    loki.failure = 404;
    await trail.record({ ...happened, at: minutesAgo(0), by: "alice@laptop", message: "" });
    expect(loki.stored).to.have.lengthOf(1);
  });
});
