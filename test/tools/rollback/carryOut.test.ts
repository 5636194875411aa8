import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect } from "chai";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../../tools/engine/report";
import { Interrupted, NotBegun, type Engine, type UpdateOperation } from "../../../tools/rollback/automation";
import { carryOut } from "../../../tools/rollback/carryOut";
import {
  alone,
  digestOf,
  readJournal,
  rollbackFolder,
  writeJournal,
  type Journal,
} from "../../../tools/rollback/journal";
import { noPlatform, type Platform } from "../../../tools/rollback/platform";
import type { Happened } from "../../../tools/rollback/record";
import { checkoutWith, messageOfFailure, write } from "../engine/support";
import { FakeScreen } from "./support";

const begun: Journal = {
  startedAt: "2026-01-01T12:00:00Z",
  newestKnown: "22",
  stage: "applying",
  target: { id: "11", number: 1, text: "update 1" },
  before: { id: "22", number: 2, text: "update 2" },
  whole: true,
  immediate: false,
  program: "today",
  settings: "config: { then: settings }\n",
  apply: "config: { then: apply }\n",
  restore: "config: { now: restore }\n",
  limits: { errorPercent: 5, minimumRequests: 20, seconds: 0 },
  fromVersion: "1.0.2",
  toVersion: "1.0.1",
};

/** A killed process runs nothing of what was to come, so nothing may catch it. */
class Killed extends Error {}

/** A stack whose settings are what the last update that went through said; every step can fail, or be the last one. */
class Stack {
  readonly root = checkoutWith({ "Pulumi.test.yaml": "config: { now: settings }\n" });
  readonly screen = new FakeScreen();
  readonly ups: UpdateOperation[] = [];
  readonly happened: Happened[] = [];
  runs = "restore";
  /** Steps in the order in which they came, and what is to happen at one of them. */
  readonly steps: string[] = [];
  at: (step: string) => void = () => undefined;

  private step(name: string): void {
    this.steps.push(name);
    this.at(name);
  }

  private readonly engine: Engine = {
    preview: () => Promise.resolve({}),
    up: (operation) => {
      const text = readFileSync(operation.settingsFile, "utf8");
      const name = /: (\w+) }/.exec(text)?.[1] ?? "";
      this.step(`${name} begins`);
      this.runs = "half";
      this.step(`${name} is half done`);
      this.runs = name;
      this.ups.push(operation);
      this.step(`${name} is done`);
      return Promise.resolve();
    },
  };

  private readonly platform: Platform = {
    ...noPlatform,
    check: () => {
      this.step("check");
      return Promise.resolve("all is well");
    },
    switchTo: (release) => {
      this.step(`switch to ${release}`);
      return Promise.resolve(true);
    },
    announce: (happened) => {
      this.step("announce");
      this.happened.push(happened);
      return Promise.resolve();
    },
  };

  async run(journal = readJournal(this.root, "test") ?? begun, resumed = false): Promise<string> {
    const means = {
      root: this.root,
      env: {},
      screen: this.screen,
      engine: this.engine,
      platform: this.platform,
      trail: {
        record: () => {
          this.step("record");
          return Promise.resolve();
        },
      },
    };
    try {
      await alone(this.root, "test", () =>
        carryOut("test", writeJournal(this.root, "test", journal), means, resumed),
      );
      return "done";
    } catch (error) {
      if (error instanceof Killed) return "killed";
      if (!(error instanceof UserError)) throw error;
      return error.message;
    }
  }

  get settings(): string {
    return /(now|then): settings/.exec(readFileSync(join(this.root, "Pulumi.test.yaml"), "utf8"))?.[1] ?? "";
  }

  get left(): boolean {
    return existsSync(rollbackFolder(this.root, "test"));
  }
}

describe("a rollback that is carried out", () => {
  it("applies, checks, writes the settings and says so", async () => {
    const stack = new Stack();
    expect(await stack.run()).to.equal("done");
    expect(stack.runs).to.equal("apply");
    expect(readFileSync(join(stack.root, "Pulumi.test.yaml"), "utf8")).to.equal(begun.settings);
    expect(stack.ups.map(({ message, rolledBackTo }) => [message, rolledBackTo])).to.deep.equal([
      ["Back to update 1", "11"],
    ]);
    expect(stack.happened[0]).to.deep.include({ outcome: "succeeded", from: "1.0.2", version: "1.0.1" });
    expect(stack.left).to.equal(false);
  });

  it("keeps what somebody has written into the settings meanwhile", async () => {
    const stack = new Stack();
    const path = join(stack.root, "Pulumi.test.yaml");
    const settingsBefore = digestOf(readFileSync(path, "utf8"));
    stack.at = (step) => {
      if (step === "check") write(stack.root, "Pulumi.test.yaml", "config: { now: edited }\n");
    };
    expect(await stack.run({ ...begun, settingsBefore })).to.equal("done");
    expect(readFileSync(path, "utf8")).to.equal(begun.settings);
    const copy = /edited meanwhile; it is kept as (\S+)/.exec(stack.screen.text)?.[1] ?? "";
    expect(readFileSync(copy, "utf8")).to.equal("config: { now: edited }\n");
    const calm = new Stack();
    await calm.run({ ...begun, settingsBefore });
    expect(calm.screen.text).not.to.contain("edited meanwhile");
  });

  it("leaves no mark of a whole state where only a part came back", async () => {
    const stack = new Stack();
    await stack.run({ ...begun, whole: false });
    expect(stack.ups[0]?.rolledBackTo).to.equal("part");
  });

  it("gives users the earlier version first where that is wanted at once", async () => {
    const stack = new Stack();
    await stack.run({ ...begun, immediate: true, release: "abc" });
    expect(stack.steps.slice(0, 2)).to.deep.equal(["switch to abc", "apply begins"]);
  });

  for (const failing of ["apply begins", "apply is half done", "check", "switch to abc"]) {
    it(`leaves the stack where it was when this fails: ${failing}`, async () => {
      const stack = new Stack();
      stack.at = (step) => {
        if (step === failing) throw new UserError("the reason");
      };
      const told = await stack.run({ ...begun, immediate: true, release: "abc" });
      expect(told).to.match(
        /rollback to update 1 failed: the reason\nThe stack is where it was: update 2\.$/,
      );
      expect([stack.runs, stack.settings, stack.left]).to.deep.equal(["restore", "now", false]);
      // It is a state that was there before, too: the next rollback goes on from there.
      expect(stack.ups.at(-1)?.rolledBackTo).to.equal("22");
      expect(stack.happened.map(({ outcome }) => outcome)).to.deep.equal(["failed"]);
    });
  }

  for (const failing of ["switch to abc", "apply begins", "check"]) {
    it(`gives users the version that they had at once, when this fails: ${failing}`, async () => {
      const stack = new Stack();
      stack.at = (step) => {
        if (step === failing) throw new UserError("the reason");
      };
      const journal = { ...begun, immediate: true, release: "abc", releaseBefore: "def" };
      expect(await stack.run(journal)).to.match(/The stack is where it was: update 2\.$/);
      const after = stack.steps.slice(stack.steps.indexOf(failing) + 1);
      expect(after.slice(0, 2)).to.deep.equal(["switch to def", "restore begins"]);
    });
  }

  it("does not say that it is where it was as long as the version before does not serve", async () => {
    const stack = new Stack();
    stack.at = (step) => {
      if (/switch to/.test(step)) throw new UserError(`no ${step}`);
    };
    const told = await stack.run({ ...begun, immediate: true, release: "abc", releaseBefore: "def" });
    expect(told).to.match(/could not be brought back either: no switch to def/);
    expect(readJournal(stack.root, "test")?.stage).to.equal("returning");
  });

  it("says so when neither state can be had, and goes on with the way back when it is started again", async () => {
    const stack = new Stack();
    stack.at = (step) => {
      if (/ begins/.test(step)) throw new UserError(`no ${step}`);
    };
    const told = await stack.run();
    expect(told).to.match(
      /failed: no apply begins\nThe stack could not be brought back either: no restore begins/,
    );
    expect(readJournal(stack.root, "test")?.stage).to.equal("returning");
    stack.at = () => undefined;
    expect(await stack.run()).to.match(/The stack is where it was: update 2/);
    expect([stack.runs, stack.left]).to.deep.equal(["restore", false]);
  });

  it("is not brought back to what was no whole state", async () => {
    const stack = new Stack();
    stack.at = (step) => {
      if (step === "check") throw new UserError("the reason");
    };
    const told = await stack.run({ ...begun, restore: undefined });
    expect(told).to.match(/in no whole state before/);
    expect(stack.ups).to.have.length(1);
  });

  it("is neither done nor failed when somebody stops it", async () => {
    const stack = new Stack();
    stack.at = (step) => {
      if (step === "apply is half done") throw new Interrupted("it was stopped");
    };
    expect(await stack.run()).to.match(
      /^Stopped: the stack is on its way to update 1\. To go on: npm run rollback/,
    );
    stack.at = () => undefined;
    expect(await stack.run()).to.equal("done");
  });

  const locked = (step: string) => {
    if (step === "apply begins") throw new NotBegun("The stack test is locked: bob@laptop.");
  };

  it("has changed nothing when its update is refused before it begins, and leaves nothing to go on with", async () => {
    const stack = new Stack();
    stack.at = locked;
    expect(await stack.run()).to.match(/^The stack test is locked: bob@laptop\.\nNothing was changed\./);
    expect([stack.runs, stack.settings, stack.left]).to.deep.equal(["restore", "now", false]);
    expect(stack.steps).to.deep.equal(["apply begins"]);
  });

  for (const [what, journal, resumed] of [
    ["was begun before", begun, true],
    ["has given users the earlier version", { ...begun, immediate: true, release: "abc" }, false],
  ] as const) {
    it(`can be gone on with when its update is refused before it begins, and it ${what}`, async () => {
      const stack = new Stack();
      stack.at = locked;
      const told = await stack.run(journal, resumed);
      expect(told).to.match(/^The stack test is locked: .*\nStopped: the stack is on its way to update 1\./);
      expect(readJournal(stack.root, "test")?.stage).to.equal("applying");
      stack.at = () => undefined;
      expect(await stack.run(undefined, true)).to.equal("done");
    });
  }

  const all = async (fails: boolean): Promise<string[]> => {
    const stack = new Stack();
    stack.at = failingAt(fails);
    await stack.run();
    return stack.steps;
  };
  const failingAt = (fails: boolean) => (step: string) => {
    if (fails && step === "check") throw new UserError("the reason");
  };
  for (const fails of [false, true]) {
    it(`ends whole when it is killed at any step and started again, ${fails ? "failing" : "succeeding"}`, async () => {
      for (const [index, last] of (await all(fails)).entries()) {
        const stack = new Stack();
        // What a killed process would leave: here the error of the step is caught where a failure would be, so that
        // the journal has to be put back to what it was at that moment.
        const before = snapshot(stack);
        stack.at = before.killAt(stack, index, failingAt(fails));
        await stack.run();
        before.restore(stack);
        stack.at = failingAt(fails);
        const told = await stack.run();
        const state = [stack.runs, stack.settings, stack.left];
        const whole = fails ? ["restore", "now", false] : ["apply", "then", false];
        expect(state, `killed at ${last}: ${told}`).to.deep.equal(whole);
      }
    });
  }
});

/** Keeps what is on the disk and in the cluster at the moment of the kill, whatever is done afterwards. */
function snapshot(begin: Stack) {
  let kept: { journal: Journal | undefined; runs: string; settings: string } | undefined;
  const file = join(begin.root, "Pulumi.test.yaml");
  return {
    killAt: (stack: Stack, index: number, otherwise: (step: string) => void) => {
      let seen = 0;
      return (step: string) => {
        if (seen++ === index) {
          kept = {
            journal: readJournal(stack.root, "test"),
            runs: stack.runs,
            settings: readFileSync(file, "utf8"),
          };
          throw new Killed();
        }
        otherwise(step);
      };
    },
    restore: (stack: Stack) => {
      if (kept === undefined) throw new Error("nothing was killed");
      if (kept.journal !== undefined) writeJournal(stack.root, "test", kept.journal);
      stack.runs = kept.runs;
      write(stack.root, "Pulumi.test.yaml", kept.settings);
    },
  };
}

describe("two rollbacks of one stack", () => {
  it("do not run at the same time, and one that is gone holds nobody up", async () => {
    const root = checkoutWith({});
    await alone(root, "test", async () => {
      const told = await messageOfFailure(() => alone(root, "test", () => Promise.resolve()));
      expect(told).to.match(/Process \d+ is rolling the stack test back/);
    });
    write(root, ".pulumi-state/rollback/test.lock", "999999999");
    expect(await alone(root, "test", () => Promise.resolve("done"))).to.equal("done");
    // Its number belongs to something else, as after the machine was started anew.
    const other = spawn("/bin/sleep", ["30"]);
    await once(other, "spawn");
    try {
      write(root, ".pulumi-state/rollback/test.lock", String(other.pid));
      expect(await alone(root, "test", () => Promise.resolve("done"))).to.equal("done");
    } finally {
      other.kill();
    }
  });
});
