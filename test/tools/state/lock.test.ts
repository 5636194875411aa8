import { existsSync, readdirSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { clearStaleLocks } from "../../../tools/engine/locks";
import { openState } from "../../../tools/engine/state";
import { lockFolder } from "../../../tools/history/names";
import { whileLocked } from "../../../tools/state/lock";
import { openStore } from "../../../tools/state/store";
import { checkoutWith, messageOfFailure } from "../engine/support";

describe("the lock of a stack whose state is written", () => {
  const reference = { project: "technova", stack: "local" };

  function opened() {
    const root = checkoutWith({});
    const state = openState(root, {});
    const store = openStore(state, {});
    if (store === undefined) throw new Error("a folder is a store");
    const folder = join(root, ".pulumi-state/.pulumi", lockFolder(reference));
    const locks = () => (existsSync(folder) ? readdirSync(folder) : []);
    const clear = () => clearStaleLocks(root, state, reference.stack);
    return { store, locks, clear };
  }

  it("keeps every other command away until the work is done", async () => {
    const { store, locks, clear } = opened();
    const message = await whileLocked(store, reference, () => messageOfFailure(clear));
    expect(message).to.include("The stack local is locked").and.to.include(`process ${process.pid}`);
    expect(locks()).to.deep.equal([]);
    clear();
  });

  it("is not had while somebody else has one, and nothing is done then", async () => {
    const { store, locks } = opened();
    let done = false;
    const message = await whileLocked(store, reference, () =>
      messageOfFailure(() => whileLocked(store, reference, () => Promise.resolve((done = true)))),
    );
    expect(message).to.include(`process ${process.pid}`).and.to.include("nothing was written");
    expect(done).to.equal(false);
    expect(locks()).to.deep.equal([]);
  });

  it("is given back when the work fails", async () => {
    const { store, locks } = opened();
    const fails = () => whileLocked(store, reference, () => Promise.reject(new Error("disk full")));
    expect(await messageOfFailure(fails)).to.equal("disk full");
    expect(locks()).to.deep.equal([]);
  });

  it("names its owner by number where the account has no name, as in a container", async () => {
    const { store, locks } = opened();
    const { userInfo } = os;
    os.userInfo = () => {
      throw new Error("uv_os_get_passwd returned ENOENT");
    };
    try {
      const held = await whileLocked(store, reference, () => Promise.resolve(locks()));
      expect(held).to.have.length(1);
    } finally {
      os.userInfo = userInfo;
    }
  });
});
