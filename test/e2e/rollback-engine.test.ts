import { expect } from "chai";
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { noPlatform } from "../../tools/rollback/platform";
import {
  back,
  backFromNothing,
  failedUpdate,
  lock,
  refusedWhileLocked,
  settings,
  stateOf,
  states,
  updates,
  withHistory,
} from "../support/rollbacks";
import { TinyCheckout } from "../support/tinyCheckout";
import { messageOfFailure } from "../tools/engine/support";

describe("a rollback under the real CLI", function () {
  this.timeout(600_000);
  let lived: TinyCheckout;
  let tiny: TinyCheckout;
  before(async () => {
    lived = TinyCheckout.create();
    await withHistory(lived);
  });
  after(() => lived.remove());
  beforeEach(() => (tiny = lived.copy()));
  afterEach(() => tiny.remove());

  it("goes one state back each time, and is an update that can be gone back from", async () => {
    const first = await back(tiny);
    expect(await stateOf(tiny)).to.deep.equal(states[3]);
    expect(first.printed).to.match(/technova@v/, "the policies were part of it");
    expect(first.screen.text).to.contain("tiny:secrets.database changed (secret)");
    expect(first.screen.text + first.printed).not.to.match(/first-secret|second-secret|v1:/);
    expect(tiny.read("Pulumi.test.yaml")).to.match(/^# Comments stay\.$/m);

    await back(tiny);
    expect(await stateOf(tiny)).to.deep.equal(states[2]);
    await back(tiny);
    expect(await stateOf(tiny)).to.deep.equal(states[1]);
    expect(await messageOfFailure(() => back(tiny))).to.match(/no earlier state/);

    await back(tiny, { to: "4" });
    expect(await stateOf(tiny)).to.deep.equal(states[4]);
    const made = await updates(tiny);
    expect(made.slice(4).map(({ message }) => /^Back to update \d+/.exec(message)?.[0])).to.deep.equal(
      [3, 2, 1, 4].map((number) => `Back to update ${number}`),
    );
    expect(existsSync(join(tiny.root, ".pulumi-state/rollback/test"))).to.equal(false);
    // The next update has nothing to do: the file says what runs.
    expect(await tiny.up()).to.match(/3 unchanged/);
  });

  it("brings back a part alone", async () => {
    tiny.write("Pulumi.test.yaml", tiny.read("Pulumi.test.yaml").replace("length: 8", "length: 9"));
    await tiny.up();
    await back(tiny, { to: "1", only: "image" });
    expect(await stateOf(tiny)).to.deep.equal({ ...states[4], image: "1111", version: "1.0.1", length: 9 });
    await back(tiny, { to: "3", only: "config" });
    expect(await stateOf(tiny)).to.deep.equal({ ...states[3], image: "1111", version: "1.0.1" });
    // Neither is the state of an update as a whole: what is before it is what ran before it.
    await back(tiny);
    expect(await stateOf(tiny)).to.deep.equal({ ...states[4], image: "1111", version: "1.0.1", length: 9 });
  });

  it("changes nothing when it is only to show what it would do, or is not wanted", async () => {
    const { screen } = await back(tiny, { to: "1", dryRun: true });
    expect(screen.text)
      .to.match(/^to +update 1 /m)
      .and.match(/resources: .*1 the same/)
      .and.match(/Nothing was changed/);
    await back(tiny, { to: "1", yes: false }, { confirm: () => Promise.resolve(false) });
    expect(await stateOf(tiny)).to.deep.equal(states[4]);
    expect(await updates(tiny)).to.have.length(4);
    expect(existsSync(join(tiny.root, ".pulumi-state/rollback/test"))).to.equal(false);
  });

  it("says that it is there already", async () => {
    const { screen } = await back(tiny, { to: "4" });
    expect(screen.text).to.match(/in that state already/);
  });

  it("refuses an update that failed, and goes back behind it", async () => {
    expect(await failedUpdate(tiny)).to.match(/told to fail/);
    expect(await messageOfFailure(() => back(tiny, { to: "5" }))).to.match(/Update 5 .* failed.* is 4\./s);
    await back(tiny);
    expect(await stateOf(tiny)).to.deep.equal(states[4]);
    expect(tiny.read("Pulumi.test.yaml")).not.to.contain("fails");
  });

  it("leaves the stack where it was when the update fails, or what serves is not well", async () => {
    const before = tiny.read("Pulumi.test.yaml");
    const check = () => Promise.reject(new Error("7 % of 100 requests fail"));
    const told = await messageOfFailure(() =>
      back(tiny, { to: "1" }, { platform: { ...noPlatform, check } }),
    );
    expect(told).to.match(/failed: 7 % of 100 requests fail\nThe stack is where it was: update 4/);
    expect(tiny.read("Pulumi.test.yaml")).to.equal(before);
    expect(await stateOf(tiny)).to.deep.equal(states[4]);
    // What was tried and taken back is not the state before.
    await back(tiny);
    expect(await stateOf(tiny)).to.deep.equal(states[3]);
  });

  it("refuses secrets of another passphrase", async () => {
    const other = { ...tiny.env, PULUMI_CONFIG_PASSPHRASE: "another passphrase" };
    const passphrase = readFileSync(join(tiny.root, ".pulumi-state/passphrase"), "utf8").trim();
    const change = spawn("pulumi", ["stack", "change-secrets-provider", "passphrase", "--stack", "test"], {
      cwd: tiny.root,
      env: {
        ...tiny.env,
        PULUMI_BACKEND_URL: `file://${tiny.root}/.pulumi-state`,
        PULUMI_CONFIG_PASSPHRASE: passphrase,
      },
      stdio: ["pipe", "pipe", "pipe"],
    });
    change.stdin.end("another passphrase\nanother passphrase\n");
    const code = await new Promise((ended) => change.once("close", ended));
    expect(code).to.equal(0);
    Object.assign(tiny.env, { PULUMI_CONFIG_PASSPHRASE: other.PULUMI_CONFIG_PASSPHRASE });
    expect(await messageOfFailure(() => back(tiny, { to: "3" }))).to.match(/another passphrase than/);
    // What has no secrets, and a part that has none, can still be had.
    await back(tiny, { to: "1", only: "image" });
    expect(await stateOf(tiny)).to.deep.equal({ ...states[4], image: "1111", version: "1.0.1" });
    await back(tiny, { to: "2" });
    expect(await stateOf(tiny)).to.deep.equal(states[2]);
  });

  it("changes nothing while another command has the stack, whenever that has begun", async () => {
    const path = `.pulumi-state/${lock.path}`;
    await refusedWhileLocked(tiny, {
      put: () => Promise.resolve(tiny.write(path, lock.text)),
      remove: () => Promise.resolve(rmSync(join(tiny.root, path))),
    });
    await back(tiny);
    expect(await stateOf(tiny)).to.deep.equal(states[3]);
  });

  it("brings back what was destroyed", async () => {
    await backFromNothing(tiny, states[4]);
  });

  it("keeps settings that nobody has applied yet", async () => {
    tiny.write("Pulumi.test.yaml", tiny.read("Pulumi.test.yaml").replace("length: 8", "length: 12"));
    const { screen } = await back(tiny);
    const copy = /is kept as (\S+)/.exec(screen.text)?.[1] ?? "";
    expect(readFileSync(copy, "utf8")).to.contain("length: 12");
  });
});

describe("the program of a rollback under the real CLI", function () {
  this.timeout(600_000);
  let tiny: TinyCheckout;
  let commit: string;
  beforeEach(async () => {
    tiny = TinyCheckout.create();
    await tiny.git("init", "--quiet");
    tiny.write("Pulumi.test.yaml", settings("1"));
    await tiny.git("add", ".");
    await tiny.git("commit", "--quiet", "--message", "first");
    commit = await tiny.git("rev-parse", "HEAD");
    await tiny.up();
    tiny.write(
      "index.js",
      tiny.read("index.js").replace('exports.program = "first"', 'exports.program = "second"'),
    );
    tiny.write("Pulumi.test.yaml", settings("2"));
    await tiny.git("commit", "--quiet", "--all", "--message", "second");
    await tiny.up();
  });
  afterEach(() => tiny.remove());

  it("is today's, or that of then from its commit", async () => {
    await back(tiny, { dryRun: true, program: "then", to: commit });
    await back(tiny, { to: commit.slice(0, 8) });
    expect([await tiny.output("program"), (await stateOf(tiny)).image]).to.deep.equal(["second", "1111"]);
    await back(tiny, { to: "2" });
    await back(tiny, { to: commit, program: "then" });
    expect([await tiny.output("program"), (await stateOf(tiny)).image]).to.deep.equal(["first", "1111"]);
    expect(await tiny.git("worktree", "list")).to.match(/^[^\n]+$/);
  });

  it("is refused when its commit is gone, and when it does not understand the settings", async () => {
    rmSync(join(tiny.root, ".git"), { recursive: true });
    await tiny.git("init", "--quiet");
    expect(await messageOfFailure(() => back(tiny, { to: "1", program: "then" }))).to.match(
      new RegExp(`The commit ${commit.slice(0, 12)} .* is not in this checkout`),
    );
    const notUnderstood = () => ["tiny:application.old: there is no such key"];
    const told = await messageOfFailure(() => back(tiny, { to: "1" }, { notUnderstood }));
    expect(told).to.match(/does not understand.*\n {2}tiny:application\.old.*\n.*--program then/);
  });

  it("is previewed first, and nothing is changed when that fails", async () => {
    tiny.write(
      "index.js",
      `${tiny.read("index.js")}\nif (application.version === "1.0.1") throw new Error("too old");`,
    );
    const told = await messageOfFailure(() => back(tiny, { to: "1" }));
    expect(told).to.match(/preview fails, and nothing was changed.*too old/s);
    expect(await updates(tiny)).to.have.length(2);
  });
});
