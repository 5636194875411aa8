import { expect } from "chai";
import { byCiphertext, type SecretComparison } from "../../../tools/history/secrets";
import type { Config } from "../../../tools/history/update";
import { makePlan, type Plan, type Wanted } from "../../../tools/rollback/plan";
import { renderChanges, renderPlan } from "../../../tools/rollback/render";
import { messageOfFailure } from "../engine/support";
import { digestOf, FakeHistory, idOf, updatesOf, type Made } from "./support";

const config = (version: string, more: object = {}, others: Config = {}): Config => ({
  "technova:registry": { server: "ghcr.io" },
  "technova:application": {
    version: `1.0.${version}`,
    image: { repository: "technova/inventory", digest: digestOf(version) },
    schemaRevision: "0003",
    ...more,
  },
  ...others,
});

const wanted: Wanted = { stack: "staging", to: "previous", allowDataLoss: false, watchSeconds: 30 };

/** What the stack's file says. */
let inFile: Config = {};

const planOf = (
  history: FakeHistory,
  more: Partial<Wanted> = {},
  secrets: SecretComparison = byCiphertext,
): Promise<Plan | undefined> =>
  makePlan(
    { ...wanted, ...more },
    { project: "technova", history, secrets: () => secrets, settings: () => inFile },
  );

const historyOf = (...made: readonly Made[]) => new FakeHistory(updatesOf(...made));
const refusal = (history: FakeHistory, more: Partial<Wanted> = {}) =>
  messageOfFailure(() => planOf(history, more));

const now = { type: "passphrase", state: { salt: "v1:now" } };
const secret = (ciphertext: string): Config => ({
  "technova:secrets": { databaseUrl: { secure: ciphertext } },
});

describe("the plan of a rollback", () => {
  it("brings back configuration, image and schema of the state before", async () => {
    const newer = { schemaRevision: "0004", replicas: 3 };
    const plan = await planOf(historyOf({ config: config("1") }, { config: config("2", newer) }));
    expect(plan?.target.update.number).to.equal(1);
    expect(plan?.config).to.deep.equal(config("1"));
    expect(plan?.downgrade).to.deep.equal({
      from: "0004",
      to: "0003",
      image: `ghcr.io/technova/inventory@${digestOf("2")}`,
    });
    expect(plan?.apply["technova:application"]).to.deep.include({
      migration: {
        downgrade: {
          to: "0003",
          image: { repository: "technova/inventory", digest: digestOf("2") },
          allowDataLoss: false,
        },
      },
    });
    expect(plan?.restore).to.deep.equal(config("2", newer));
    expect(plan && renderPlan(plan, "today's")).to.equal(
      [
        "from     update 2 of 2026-01-01 12:01 UTC (version 1.0.2, image 222222222222, schema 0004)",
        "to       update 1 of 2026-01-01 12:00 UTC (version 1.0.1, image 111111111111, schema 0003)",
        "program  today's",
        "schema   from 0004 down to 0003: a snapshot first, then the migrations of image 222222222222",
        "         backwards",
        "settings technova:application.replicas 3 -> (none)",
        '         technova:application.schemaRevision "0004" -> "0003"',
        '         technova:application.version "1.0.2" -> "1.0.1"',
        "         application image 222222222222 -> 111111111111",
      ].join("\n"),
    );
  });

  it("brings no schema down where the configuration alone comes back, or a newer state", async () => {
    const history = historyOf({ config: config("1") }, { config: config("2", { schemaRevision: "0004" }) });
    expect((await planOf(history, { only: "config" }))?.downgrade).to.equal(undefined);
    const forward = historyOf(
      { config: config("1") },
      { config: config("2", { schemaRevision: "0004" }) },
      { config: config("1"), backTo: 1 },
    );
    const plan = await planOf(forward, { to: "2" });
    expect(plan?.config).to.deep.equal(config("2", { schemaRevision: "0004" }));
    expect(plan?.downgrade).to.equal(undefined);
  });

  it("shows a secret as changed and never its ciphertext", async () => {
    const history = historyOf(
      { config: config("1", {}, secret("v1:old:text")) },
      { config: config("1", {}, secret("v1:new:text")) },
    );
    history.left.set(idOf(1), { secretsProvider: now });
    history.now = { secretsProvider: now };
    const plan = await planOf(history, {}, { same: () => false });
    const text = plan === undefined ? "" : renderPlan(plan, "today's");
    expect(text).to.contain("technova:secrets.databaseUrl changed (secret)").and.not.to.contain("v1:");
    // Encrypted anew with the same value, it is the same state.
    expect(await planOf(history, { to: "1" }, { same: () => true })).to.equal(undefined);
  });

  it("refuses secrets of another passphrase, of another provider, and of one that nobody knows", async () => {
    for (const [then, told] of [
      [{ secretsProvider: { type: "passphrase", state: { salt: "v1:old" } } }, /another passphrase than/],
      [
        { secretsProvider: { type: "cloud", state: { url: "awskms://x" } } },
        /by the provider cloud, and the stack has passphrase/,
      ],
      [undefined, /not kept any more/],
    ] as const) {
      const history = historyOf({ config: config("1", {}, secret("v1:a:b")) }, { config: config("2") });
      if (then !== undefined) history.left.set(idOf(1), then);
      history.now = { secretsProvider: now };
      expect(await refusal(history))
        .to.match(told)
        .and.match(/--only image/);
      expect((await planOf(history, { only: "image" }))?.config).to.deep.equal(config("1"));
    }
  });

  it("takes secrets that were encrypted anew from the stack's file, not from the history", async () => {
    const history = historyOf({ config: config("1") }, { config: config("2", {}, secret("v1:old:text")) });
    history.left.set(idOf(2), { secretsProvider: { type: "passphrase", state: { salt: "v1:old" } } });
    history.now = { secretsProvider: now };
    inFile = config("2", {}, secret("v1:new:text"));
    const plan = await planOf(history, { only: "image" });
    expect(plan?.config).to.deep.equal(config("1", {}, secret("v1:new:text")));
    expect(plan?.restore).to.deep.equal(inFile);
  });

  it("needs no key of then where that state has no secrets", async () => {
    const history = historyOf({ config: config("1") }, { config: config("2") });
    history.left.set(idOf(1), { secretsProvider: { type: "cloud", state: { url: "awskms://x" } } });
    expect((await planOf(history))?.target.update.number).to.equal(1);
  });

  it("is refused while somebody has the stack, without a history, and without an earlier state", async () => {
    const locked = historyOf({ config: config("1") }, { config: config("2") });
    locked.holder = "alice@laptop, process 1, since yesterday";
    expect(await refusal(locked)).to.match(/is locked: alice@laptop.*cancel --stack staging/s);
    expect(await refusal(historyOf())).to.match(/no history/);
    expect(await refusal(historyOf({ config: config("1") }))).to.match(/no earlier state/);
  });

  it("is nothing where the stack is in that state already", async () => {
    const history = historyOf({ config: config("1") }, { config: config("2") });
    expect(await planOf(history, { to: "2" })).to.equal(undefined);
  });

  it("leads nowhere back from an update that failed", async () => {
    const history = historyOf({ config: config("1") }, { config: config("2"), succeeded: false });
    const plan = await planOf(history);
    expect([plan?.target.update.number, plan?.restore]).to.deep.equal([1, undefined]);
    expect(plan && renderPlan(plan, "today's")).to.match(/which\s+failed$/m);
  });

  it("takes the digest of a built image from what its update left", async () => {
    const build = (version: string) =>
      config(version, { image: { build: { repository: "technova/inventory" } } });
    const history = historyOf({ config: build("1") }, { config: build("2") });
    for (const number of [1, 2]) {
      const image = `ghcr.io/technova/inventory@${digestOf(String(number))}`;
      history.left.set(idOf(number), { image, secretsProvider: now });
    }
    const plan = await planOf(history);
    expect([plan?.config, plan?.restore]).to.deep.equal([config("1"), config("2")]);
  });

  it("holds what serves afterwards against the limits of its releases", async () => {
    const strategy = { type: "canary", analysis: { errorPercent: { limit: 2 }, minimumRequests: 50 } };
    const plan = await planOf(historyOf({ config: config("1", { strategy }) }, { config: config("2") }));
    expect(plan?.limits).to.deep.equal({ errorPercent: 2, minimumRequests: 50, seconds: 30 });
    const other = await planOf(historyOf({ config: config("1") }, { config: config("2") }));
    expect(other?.limits).to.deep.equal({ errorPercent: 5, minimumRequests: 20, seconds: 30 });
  });

  it("says how many resources change", () => {
    expect(renderChanges({ create: 1, same: 40, update: 2, delete: 0 })).to.equal(
      "resources: 1 created, 40 the same, 2 changed",
    );
    expect(renderChanges({})).to.equal("resources: none");
  });
});
