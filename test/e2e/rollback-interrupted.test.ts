import { expect } from "chai";
import { spawn } from "node:child_process";
import { existsSync, renameSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { clientOptions } from "../../tools/history/s3";
import { openHistory } from "../../tools/history/source";
import { rollback } from "../../tools/rollback/rollback";
import { Objects } from "../../tools/state/objects";
import {
  back,
  backFromNothing,
  failedUpdate,
  lock,
  refusedWhileLocked,
  stateOf,
  states,
  surroundings,
  updates,
  usual,
  withHistory,
} from "../support/rollbacks";
import { S3Store } from "../support/s3Store";
import { TinyCheckout } from "../support/tinyCheckout";
import { messageOfFailure } from "../tools/engine/support";
import { FakeScreen } from "../tools/rollback/support";

describe("a rollback that is killed under the real CLI", function () {
  this.timeout(600_000);
  let tiny: TinyCheckout;
  before(async () => {
    tiny = TinyCheckout.create();
    await withHistory(tiny);
  });
  after(() => tiny.remove());

  // What is printed when each step begins; the kill comes right then.
  const moments: readonly (readonly [string, RegExp])[] = [
    ["while it previews", /Previewing update/],
    ["when the update begins", /Updating \(test\)/],
    ["when resources are being made", /RandomString slow (creating|created|replacing|create)/],
    ["when the update is done", /Duration:/],
    ["when what serves is checked", /nothing to look at/],
  ];
  for (const [when, pattern] of moments) {
    it(`${when}, is where it was or where it should be once it is started again`, async () => {
      const made = await updates(tiny);
      const [from, to] = (await stateOf(tiny)).image === "2222" ? [states[4], "1"] : [states[1], "4"];
      await killed(tiny, to, pattern);
      // Between the two there is no telling; afterwards there is.
      const screen = new FakeScreen();
      await rollback({ ...usual, to }, await surroundings(tiny, { screen }));
      expect(await stateOf(tiny), `from ${JSON.stringify(from)}`).to.deep.equal(states[Number(to) as 1 | 4]);
      expect(existsSync(join(tiny.root, ".pulumi-state/rollback/test"))).to.equal(false);
      expect((await updates(tiny)).length).to.be.greaterThan(made.length);
      expect(await tiny.up()).to.match(/3 unchanged/);
    });
  }

  it("is given up once somebody has updated the stack", async () => {
    const [from, to] = (await stateOf(tiny)).image === "2222" ? ["4", "1"] : ["1", "4"];
    await killed(tiny, to, /Updating \(test\)/);
    await sleep(1_000);
    await tiny.up();
    const screen = new FakeScreen();
    await rollback({ ...usual, to: from, dryRun: true }, await surroundings(tiny, { screen }));
    expect(screen.text)
      .to.match(/is given up, for update \d+ was made since/)
      .and.match(/in that state already/);
  });

  it("is given up as well once somebody has rolled the stack back from another machine", async () => {
    const from = (await stateOf(tiny)).image === "2222" ? "4" : "1";
    await killed(tiny, from === "4" ? "1" : "4", /Updating \(test\)/);
    await sleep(1_000);
    const own = join(tiny.root, ".pulumi-state/rollback/test");
    renameSync(own, `${own}-aside`);
    await rollback({ ...usual, to: "2" }, await surroundings(tiny));
    renameSync(`${own}-aside`, own);
    const screen = new FakeScreen();
    await rollback({ ...usual, to: "2", dryRun: true }, await surroundings(tiny, { screen }));
    expect(screen.text).to.match(/is given up, for update \d+ was made since.*in that state already/s);
  });
});

/** Starts a rollback in a process of its own, and kills it with the CLI as soon as it prints something. */
async function killed(tiny: TinyCheckout, to: string, pattern: RegExp): Promise<void> {
  const script = resolve(__dirname, "../support/rollbackProcess.ts");
  const child = spawn(process.execPath, ["--import=tsx", script, tiny.root, to], {
    env: tiny.env,
    cwd: resolve(__dirname, "../.."),
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let done = false;
  const look = (chunk: Buffer) => {
    output += chunk.toString();
    if (done || !pattern.test(output)) return;
    done = true;
    process.kill(-(child.pid ?? 0), "SIGKILL");
  };
  child.stdout.on("data", look);
  child.stderr.on("data", look);
  await new Promise((ended) => child.once("close", ended));
  if (!done) throw new Error(`it ended before it printed ${pattern}:\n${output}`);
  // The kernel needs a moment until nobody of the group is left.
  await sleep(200);
}

describe("a rollback on an S3-compatible backend", function () {
  this.timeout(600_000);
  let store: S3Store;
  let tiny: TinyCheckout;
  before(async () => {
    store = await S3Store.start();
    tiny = TinyCheckout.create(store.url("state"));
    Object.assign(tiny.env, S3Store.credentials);
    Object.assign(process.env, S3Store.credentials);
    await tiny.pulumi("stack", "init", "--stack", "test", "--non-interactive");
    await withHistory(tiny);
  });
  after(async () => {
    for (const name of Object.keys(S3Store.credentials)) Reflect.deleteProperty(process.env, name);
    tiny?.remove();
    await store?.stop();
  });

  it("reads the history from the bucket, and goes back", async () => {
    expect((await updates(tiny)).map(({ number }) => number)).to.deep.equal([1, 2, 3, 4]);
    await back(tiny);
    expect(await stateOf(tiny)).to.deep.equal(states[3]);
    await back(tiny);
    expect(await stateOf(tiny)).to.deep.equal(states[2]);
  });

  it("changes nothing while another command has the stack, whenever that has begun", async () => {
    const bucket = new Objects(clientOptions(store.url("state"), tiny.env), "state", "", "");
    await refusedWhileLocked(tiny, {
      put: () => bucket.write(lock.path, Buffer.from(lock.text)),
      remove: () => bucket.remove(lock.path),
    });
  });

  it("goes back behind an update that failed", async () => {
    await back(tiny, { to: "4" });
    expect(await failedUpdate(tiny)).to.match(/told to fail/);
    const failed = (await updates(tiny)).at(-1);
    expect(failed?.succeeded).to.equal(false);
    expect(await messageOfFailure(() => back(tiny, { to: String(failed?.number) }))).to.match(/ failed: /);
    await back(tiny);
    expect(await stateOf(tiny)).to.deep.equal(states[4]);
    await back(tiny);
    expect(await stateOf(tiny)).to.deep.equal(states[3]);
  });

  it("brings back what was destroyed", async () => {
    await backFromNothing(tiny, states[3]);
  });

  it("knows what an update left, what is there now, and who has the stack", async () => {
    const source = () => openHistory(tiny.root, "test", tiny.env);
    const [first] = await (await source()).updates();
    expect((await (await source()).leftBehind(first?.id ?? ""))?.image).to.match(/@sha256:1{64}$/);
    expect((await (await source()).current())?.secretsProvider?.type).to.equal("passphrase");
    expect(await (await source()).lockedBy()).to.equal(undefined);
  });
});
