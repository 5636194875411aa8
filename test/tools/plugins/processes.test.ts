import { expect } from "chai";
import { existsSync, readdirSync, readlinkSync, realpathSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Workspace } from "./workspace";

/** A program that has started a provider, says so, and then never ends by itself. */
const ENDLESS = `
const fs = require("fs");
const random = require("@pulumi/random");
const label = new random.RandomString("label", { length: 8 });
label.urn.apply(() => fs.writeFileSync("started", ""));
setInterval(() => undefined, 1000);
`;

/** Processes that work in a folder: the CLI, its plugins and the program are all started there. */
function processesIn(folder: string): number[] {
  const real = realpathSync(folder);
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`) === real;
      } catch {
        return false; // it has ended, or it is not ours
      }
    });
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited 60 s for: ${what}`);
    await sleep(50);
  }
}

describe("plugins under the real CLI: nothing is left running", function () {
  this.timeout(300_000);
  let workspace: Workspace;

  before(async function () {
    if (process.platform !== "linux") this.skip(); // processes are found through /proc
    workspace = await Workspace.create(ENDLESS, ["random"]);
  });
  afterEach(async () => {
    await rm(join(workspace.folder, "started"), { force: true });
    for (const pid of processesIn(workspace.folder)) process.kill(pid, "SIGKILL");
  });
  after(() => workspace?.remove());

  for (const [signal, title] of [
    ["SIGINT", "after Ctrl-C"],
    ["SIGKILL", "after the CLI was killed"],
  ] as const) {
    it(title, async () => {
      const { child, done } = workspace.start("preview");
      const started = join(workspace.folder, "started");
      await until("the program to start", () => existsSync(started) || child.exitCode !== null);
      // The CLI, the language host, the program and the provider.
      expect(
        processesIn(workspace.folder).length,
        child.exitCode !== null ? (await done).output : "",
      ).to.be.at.least(4);
      child.kill(signal);
      await done;
      await until("every process to end", () => processesIn(workspace.folder).length === 0);
    });
  }
});
