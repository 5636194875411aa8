import { expect } from "chai";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { hasInterrupted } from "../../tools/engine/interrupted";
import { prepare } from "../../tools/engine/run";
import { openState } from "../../tools/engine/state";
import { Unread } from "../../tools/engine/unread";
import { openHistory } from "../../tools/history/source";
import { storeOf } from "../../tools/state/store";
import { storedState, type Stored } from "../../tools/engine/stored";
import { S3Store } from "../support/s3Store";
import { TinyCheckout } from "../support/tinyCheckout";
import { messageOfFailure } from "../tools/engine/support";

/** So many that one is always being made while others wait. */
const program = `
const { RandomString } = require("@pulumi/random");
for (let index = 0; index < 150; index += 1) new RandomString("each-" + index, { length: 8 });
`;

for (const [name, env] of [
  ["test.json", {}],
  ["test.json.gz", { PULUMI_DIY_BACKEND_GZIP: "true" }],
] as const)
  describe(`an up that is killed on an S3-compatible backend, with its state in ${name}`, function () {
    this.timeout("3m");
    this.bail(true);
    let store: S3Store;
    let tiny: TinyCheckout;

    before(async () => {
      store = await S3Store.start();
      tiny = TinyCheckout.create(store.url("interrupted"));
      Object.assign(tiny.env, S3Store.credentials, env);
      tiny.write("index.js", program);
      tiny.write("Pulumi.test.yaml", "config: {}\n");
      await tiny.pulumi("stack", "init", "--stack", "test", "--no-select");
    });
    after(async () => {
      tiny?.remove();
      await store?.stop();
    });

    const stored = async (): Promise<Stored> => {
      const none = () => Promise.reject(new Error("the bucket is read itself"));
      const found = await storedState(tiny.root, openState(tiny.root, tiny.env), "test", tiny.env, none);
      if (found === undefined) throw new Error("there is no state");
      return found;
    };

    it("leaves operations of which nobody knows whether they happened", async () => {
      const args = [
        "up",
        "--yes",
        "--skip-preview",
        "--non-interactive",
        "--stack",
        "test",
        "--parallel",
        "1",
      ];
      const { cli, args: prepared, env, finish } = await prepare(tiny.root, args, tiny.env);
      const child = spawn(cli, prepared, { cwd: tiny.root, env, detached: true, stdio: "ignore" });
      const closed = once(child, "close");
      const group = child.pid ?? 0;
      // Stopped, so that what is seen is what is left.
      for (let interrupted = false; !interrupted;) {
        if (child.exitCode !== null) throw new Error(`it ended by itself with ${child.exitCode}`);
        process.kill(-group, "SIGSTOP");
        interrupted = hasInterrupted((await stored()).text);
        process.kill(-group, interrupted ? "SIGKILL" : "SIGCONT");
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await closed;
      finish();
      expect(hasInterrupted((await stored()).text)).to.equal(true);
      expect(await storeOf(openState(tiny.root, tiny.env), tiny.env)?.list("stacks/tiny")).to.include(name);
    });

    it("keeps its lock, and nothing is settled while somebody holds one", async () => {
      const before = (await stored()).text;
      expect(await messageOfFailure(() => tiny.up())).to.include("locked");
      expect((await stored()).text).to.equal(before);
    });

    it("is settled by the next one once the lock is given up", async () => {
      await tiny.pulumi("cancel", "--yes", "--stack", "test");
      expect(await tiny.up()).to.match(/\d+ created/);
      expect(hasInterrupted((await stored()).text)).to.equal(false);
      expect(await tiny.up()).to.match(/151 unchanged/);
    });

    it("is read by the next one where that settling was killed before it had read everything", async () => {
      const unread = new Unread(tiny.root, tiny.env.PULUMI_BACKEND_URL ?? "", "test");
      const urn = /urn:pulumi:test::tiny::random[^"]*/.exec((await stored()).text)?.[0] ?? "";
      unread.remember([urn, `${urn}-gone`]);
      await tiny.up();
      expect(unread.urns).to.deep.equal([]);
      const source = await openHistory(tiny.root, "test", tiny.env);
      const kinds = (await source.updates(2)).map(({ kind }) => kind);
      expect(kinds).to.deep.equal(["refresh", "update"]);
    });
  });
