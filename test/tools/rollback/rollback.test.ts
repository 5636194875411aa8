import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { UserError } from "../../../tools/engine/report";
import { byCiphertext } from "../../../tools/history/secrets";
import type { Update } from "../../../tools/history/update";
import { Interrupted, NotBegun, type Engine } from "../../../tools/rollback/automation";
import { rollbackFolder } from "../../../tools/rollback/journal";
import { noPlatform } from "../../../tools/rollback/platform";
import { fileSettings, rollback, type RollbackOptions } from "../../../tools/rollback/rollback";
import { usual } from "../../support/rollbacks";
import { checkoutWith } from "../engine/support";
import { FakeHistory, FakeScreen, updatesOf, type Made } from "./support";

const config = (replicas: number) => ({ "technova:application": { version: "1.0.0", replicas } });
const made: readonly Made[] = [{ config: config(1) }, { config: config(2) }];
/** Began before anything that a test does, and ended later. */
const bobs: Made = { config: config(3), startedAt: new Date(0) };
const bob = "bob@laptop, process 1, since 12:00";

const options: RollbackOptions = { ...usual, yes: false };

/** A stack of two updates whose history goes on while a rollback waits for an answer, or for its update. */
class Stack {
  readonly root = checkoutWith({
    "Pulumi.test.yaml": "config:\n  technova:application: { version: 1.0.0, replicas: 2 }\n",
  });
  readonly screen = new FakeScreen();
  readonly ups: string[] = [];
  updates: readonly Update[] = updatesOf(...made);
  holder: string | undefined;
  asked: () => void = () => undefined;
  upBegins: (message: string) => void = () => undefined;

  /** As a backend has it at that moment: a source lists its names once. */
  private history(): FakeHistory {
    const history = new FakeHistory(this.updates);
    Object.defineProperty(history, "holder", { get: () => this.holder });
    return history;
  }

  private readonly engine: Engine = {
    preview: () => Promise.resolve({}),
    up: ({ message }) => {
      this.upBegins(message);
      this.ups.push(message);
      return Promise.resolve();
    },
  };

  async run(changes: Partial<RollbackOptions> = {}): Promise<string> {
    const around = {
      root: this.root,
      env: {},
      project: "technova",
      screen: this.screen,
      history: this.history(),
      openHistory: () => Promise.resolve(this.history()),
      settings: () => fileSettings(this.root, "test", "technova"),
      secrets: () => byCiphertext,
      engine: this.engine,
      platform: noPlatform,
      trail: { record: () => Promise.resolve() },
      confirm: () => {
        this.asked();
        return Promise.resolve(true);
      },
      notUnderstood: () => [],
    };
    try {
      await rollback({ ...options, ...changes }, around);
      return "done";
    } catch (error) {
      if (error instanceof UserError) return error.message;
      throw error;
    }
  }

  get replicas(): string {
    return /replicas: (\d)/.exec(readFileSync(join(this.root, "Pulumi.test.yaml"), "utf8"))?.[1] ?? "";
  }

  get left(): boolean {
    return existsSync(rollbackFolder(this.root, "test"));
  }
}

describe("a rollback beside somebody else's update", () => {
  it("goes back where nobody else is at it", async () => {
    const stack = new Stack();
    expect(await stack.run()).to.equal("done");
    expect([stack.replicas, stack.left]).to.deep.equal(["1", false]);
  });

  for (const [what, happens, told] of [
    ["has the stack", (stack: Stack) => (stack.holder = bob), /is locked: bob@laptop.*Nothing was done/s],
    [
      "has updated it",
      (stack: Stack) => (stack.updates = updatesOf(...made, bobs)),
      /Update 3 of the stack test was made meanwhile\. Nothing was done/,
    ],
  ] as const) {
    it(`does nothing where somebody ${what} by the time of the answer, and begins anew when it is run again`, async () => {
      const stack = new Stack();
      stack.asked = () => happens(stack);
      expect(await stack.run()).to.match(told);
      expect([stack.ups, stack.replicas, stack.left]).to.deep.equal([[], "2", false]);
      // Bob is done.
      [stack.holder, stack.asked] = [undefined, () => undefined];
      stack.updates = updatesOf(...made, bobs);
      expect(await stack.run()).to.equal("done");
      expect(stack.ups.join()).to.match(/^Back to update 2 /);
    });
  }

  it("never leads back from an update that was begun before it, and ended after it", async () => {
    const stack = new Stack();
    stack.upBegins = (message) => {
      throw /^Back to/.test(message) ? new UserError("the update failed") : new NotBegun(`locked: ${bob}`);
    };
    expect(await stack.run()).to.match(
      /failed: the update failed\nThe stack could not be brought back either/,
    );
    stack.upBegins = () => undefined;
    stack.updates = updatesOf(...made, { config: config(1), succeeded: false, backTo: 1 }, bobs);
    expect(await stack.run()).to.equal("done");
    expect(stack.screen.text).to.match(/is given up, for update 4 was made since/);
    // From what Bob has left to the state before it.
    expect(stack.ups.join()).to.match(/^Back to update 2 of [^,]*$/);
    expect([stack.replicas, stack.left]).to.deep.equal(["2", false]);
  });

  it("goes on after its own updates, unless somebody else has made one by the time of the answer", async () => {
    const stack = new Stack();
    stack.upBegins = () => {
      throw new Interrupted("it was stopped");
    };
    expect(await stack.run()).to.match(/^Stopped/);
    const own: Made = { config: config(1), succeeded: false, backTo: 1 };
    stack.updates = updatesOf(...made, own);
    stack.upBegins = () => undefined;
    stack.asked = () => (stack.updates = updatesOf(...made, own, bobs));
    expect(await stack.run()).to.match(/Update 4 of the stack test was made meanwhile/);
    expect(stack.screen.text).to.match(/was interrupted on its way to update 1/);
    expect(stack.ups).to.deep.equal([]);
    [stack.updates, stack.asked] = [updatesOf(...made, own), () => undefined];
    expect(await stack.run()).to.equal("done");
    expect([stack.replicas, stack.left]).to.deep.equal(["1", false]);
  });
});
