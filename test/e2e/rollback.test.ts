import { expect } from "chai";
import { kubectl } from "./support/cluster";
import { killGroupAndWait, npm, npmOk, start, type Outcome } from "./support/command";
import { lateFault, makeFaultyApp } from "./support/faultyApp";
import { record } from "./support/figures";
import { gatewayOf, type Gateway } from "./support/gateway";
import { createSubject } from "./support/load";
import { strategies, subject, underLoad } from "./support/releases";
import { seenState, type SeenState } from "./support/states";
import { sql } from "./support/database";
import { Platform } from "./delivery/platform";
import { add, addMigration, drop } from "./delivery/schema";
import { LocalSettings } from "./rollback/localSettings";

/** The image in the settings, however it is written there. */
const image = /\bimage:[^]*?(?=\n\s+schemaRevision)/;

const usual = ["--stack", "local", "--yes", "--watch", "10"];

function succeeded({ code, output }: Outcome): void {
  expect(code, output).to.equal(0);
}

/** Five updates of the local stack, and back to each of them under its users' eyes. */
describe("rollback", function () {
  this.timeout("25m");

  const settings = new LocalSettings();
  /** What each update left, by its number in the history. */
  const left = new Map<number, SeenState>();
  let gateway: Gateway;

  const up = () => npm("up", "--stack", "local", "--yes", "--skip-preview");
  const rollback = (...args: string[]) => underLoad(gateway, () => npm("rollback", ...usual, ...args));
  /** A release under load, without which its measurements would decide nothing. */
  const update = async (): Promise<void> => {
    const { result } = await underLoad(gateway, up);
    succeeded(result);
    left.set(await newest(), await seenState());
  };

  before(async () => {
    await npmOk("cluster", "up");
    settings.edit(/server: localhost:5050/, "server: localhost:5050\n    username: platform");
    settings.edit(/(autoscaling: \{ maxReplicas: 3 \})/, `$1\n    strategy: ${strategies.blueGreen}`);
    await settings.setSecret("registryPassword", "the-first-password");
    succeeded(await up());
    left.set(await newest(), await seenState());
    makeFaultyApp();
    gateway = await gatewayOf("local");
    await createSubject(gateway, subject);

    settings.edit(/version: 1\.0\.0/, "version: 1.0.1");
    await update();
    settings.edit(/rateLimitPerMinute: \d+/, "rateLimitPerMinute: 900000");
    await update();
    await settings.setSecret("registryPassword", "the-second-password");
    await update();
    addMigration("0005", add, drop, "0001", '"items.test_note",');
    settings.edit(/context: app/, "context: dist/faulty-app");
    settings.edit(/version: 1\.0\.1/, "version: 1.0.2");
    settings.edit(/schemaRevision: "0004"/, 'schemaRevision: "0005"');
    await update();
    settings.edit(/strategy: .*/, `strategy: ${strategies.rolling}`);
    await update();
  });
  after(async () => {
    settings.restore();
    await Platform.takeDown();
  });

  it("brings the version before back by a rolling release, Pod by Pod, and no request fails", async () => {
    settings.edit(/version: 1\.0\.2/, "version: 1.0.3");
    await update();
    const { result, report } = await rollback("--to", "6");
    succeeded(result);
    const seen = await seenState();
    expect(seen).to.deep.equal(left.get(6));
    expect(seen.strategy).to.equal("rolling");
    expect(report.failed, JSON.stringify({ ...report, answers: undefined })).to.equal(0);
    record({
      scenario: "back by a rolling release",
      measured: `${result.seconds.toFixed(0)} s, ${report.failed} of ${report.answers.length} requests failed`,
      toReach: "0 failed",
    });
  });

  /** The updates in the order of the list above: 1 is the first one, 6 the strategy. */
  for (const [index, number] of [4, 2, 5, 3].entries()) {
    it(`brings update ${number} back: settings, secret, image and schema, and keeps what was written`, async () => {
      const before = await movements();
      const { result, report } = await rollback("--to", String(number));
      succeeded(result);
      expect(result.output).not.to.match(/the-(first|second)-password/);
      expect(await seenState()).to.deep.equal(left.get(number));
      expect(report.failed, JSON.stringify({ ...report, answers: undefined })).to.equal(0);
      expect(await movements()).to.be.at.least(before + report.acknowledgedUnits);
      record({
        scenario: `back to update ${number} (${index + 1} of 4)`,
        measured: `${result.seconds.toFixed(0)} s, ${report.failed} of ${report.answers.length} requests failed`,
        toReach: "0 failed",
      });
    });
  }

  it("goes two states back when it is called twice, and forward again by name", async () => {
    const start = await newest();
    settings.edit(/rateLimitPerMinute: \d+/, "rateLimitPerMinute: 800000");
    await update();
    settings.edit(/rateLimitPerMinute: \d+/, "rateLimitPerMinute: 700000");
    await update();
    const begun = await seenState();
    succeeded((await rollback()).result);
    expect(await seenState()).to.deep.equal(left.get(start + 1));
    succeeded((await rollback()).result);
    expect((await seenState()).rateLimitPerMinute).not.to.equal("800000");
    succeeded((await rollback("--to", String(start + 2))).result);
    expect(await seenState()).to.deep.equal(begun);
  });

  it("refuses a downgrade that would lose rows, naming them, and changes nothing", async () => {
    succeeded((await rollback("--to", "5")).result);
    await sql("UPDATE items SET test_note = 'kept' WHERE id = (SELECT min(id) FROM items)");
    const before = await seenState();
    const { result: refused } = await rollback("--to", "4");
    expect(refused.code, refused.output).to.equal(1);
    expect(refused.output).to.match(/would lose test_note in 1 row of items/);
    expect(await seenState()).to.deep.equal(before);
    succeeded((await rollback("--to", "4", "--allow-data-loss")).result);
    expect(await seenState()).to.deep.equal(left.get(4));
  });

  // What is printed when each step begins; the kill comes right then.
  const moments: readonly (readonly [string, RegExp])[] = [
    ["while the schema goes down", /inventory-downgrade creat/],
    ["while the version before is released", /:Rollout inventory\S* (updating|updated)/],
    ["when the update is done", /Duration:/],
  ];
  for (const [when, moment] of moments) {
    it(`killed ${when} and started again, is where it should be, and no request fails`, async () => {
      succeeded((await rollback("--to", "5")).result);
      const { result, report } = await underLoad(gateway, async () => {
        const running = start("npm", ["run", "--silent", "rollback", "--", ...usual, "--to", "4"]);
        await running.seen(moment);
        await killGroupAndWait(running);
        return npm("rollback", ...usual, "--to", "4");
      });
      succeeded(result);
      expect(await seenState()).to.deep.equal(left.get(4));
      expect(report.failed, JSON.stringify({ ...report, answers: undefined })).to.equal(0);
    });
  }

  it("blue-green, at once: users have the version before within seconds, and no request fails", async () => {
    settings.edit(/version: 1\.0\.\d+/, "version: 1.0.9");
    settings.edit(image, "image: { build: { repository: technova/inventory, offline: true } }");
    settings.edit(/strategy: .*/, `strategy: ${strategies.blueGreen}`);
    await update();
    const began = performance.now();
    const { result, report } = await underLoad(gateway, async () => {
      const running = start("npm", ["run", "--silent", "rollback", "--", ...usual, "--immediate"]);
      await running.seen(/going back from version 1\.0\.9/);
      const begun = performance.now() - began;
      return { begun, outcome: await running.finished };
    });
    succeeded(result.outcome);
    const lastNew = report.answers.findLast(({ version }) => version === "1.0.9")?.at ?? 0;
    const toUsers = (lastNew - result.begun) / 1000;
    expect(report.failed, JSON.stringify({ ...report, answers: undefined })).to.equal(0);
    expect(toUsers).to.be.below(10);
    // Else what is written for another version would stay in the Rollout beside what the next ones say.
    expect(await strangersOf("inventory"), "who else has written the Rollout").to.deep.equal([]);
    record({
      scenario: "rollback --immediate, blue-green",
      measured: `${toUsers.toFixed(1)} s until no user had it, ${result.outcome.seconds.toFixed(0)} s in all, 0 failed`,
      toReach: "under 10 s, 0 failed",
    });
  });

  it("leaves the stack where it was when what serves afterwards is not well", async () => {
    settings.edit(/version: 1\.0\.\d+/, `version: 1.0.3-${lateFault}`);
    settings.edit(
      image,
      "image: { build: { repository: technova/inventory, context: dist/faulty-app, offline: true } }",
    );
    settings.edit(
      /strategy: .*/,
      "strategy: { type: rolling, minReadySeconds: 2, progressDeadlineSeconds: 60 }",
    );
    await update();
    const bad = await newest();
    settings.edit(/version: 1\.0\.3-\w+/, "version: 1.0.4");
    await update();
    const good = await seenState();
    const { result } = await rollback("--to", String(bad));
    expect(result.code, result.output).to.equal(1);
    expect(result.output).to.match(/% of \d+ requests fail.*The stack is where it was/s);
    expect(await seenState()).to.deep.equal(good);
  });
});

async function newest(): Promise<number> {
  const { stdout } = await npmOk("history", "--stack", "local", "--limit", "1", "--json");
  return (JSON.parse(stdout) as { number: number }[])[0]?.number ?? 0;
}

interface Written {
  readonly metadata: {
    readonly managedFields: readonly {
      readonly manager: string;
      readonly operation: string;
      readonly fieldsV1: object;
    }[];
  };
}

/** Who has written a Rollout's Pod template besides the program. */
async function strangersOf(name: string): Promise<string[]> {
  const text = await kubectl(
    ...["get", "rollout", name, "-n", "inventory", "-o", "json", "--show-managed-fields"],
  );
  return (JSON.parse(text) as Written).metadata.managedFields
    .filter(({ fieldsV1 }) => JSON.stringify(fieldsV1).includes('"f:template"'))
    .map(({ manager, operation }) => `${manager} (${operation})`)
    .filter((writer) => !/^pulumi-kubernetes-\w+ \(Apply\)$/.test(writer));
}

async function movements(): Promise<number> {
  return Number((await sql("SELECT count(*) FROM movements"))[0]);
}
