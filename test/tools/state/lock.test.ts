import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import os, { hostname } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { clearStaleLocks } from "../../../tools/engine/locks";
import { openState } from "../../../tools/engine/state";
import { lockFolder } from "../../../tools/history/names";
import { whileLocked } from "../../../tools/state/lock";
import { abandonedLocks, removeAbandonedLocks } from "../../../tools/state/ownLocks";
import { openStore } from "../../../tools/state/store";
import { checkoutWith, messageOfFailure } from "../engine/support";

const lockHolder = join(__dirname, "../../support/lockHolder.ts");

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
    return { root, store, locks, clear };
  }

  it("keeps every other command away until the work is done", async () => {
    const { root, store, locks, clear } = opened();
    const message = await whileLocked(root, store, reference, () => messageOfFailure(clear));
    expect(message).to.include("The stack local is locked").and.to.include(`process ${process.pid}`);
    expect(locks()).to.deep.equal([]);
    clear();
  });

  it("is not had while somebody else has one, and nothing is done then", async () => {
    const { root, store, locks } = opened();
    let done = false;
    const message = await whileLocked(root, store, reference, () =>
      messageOfFailure(() => whileLocked(root, store, reference, () => Promise.resolve((done = true)))),
    );
    expect(message).to.include(`process ${process.pid}`).and.to.include("nothing was written");
    expect(done).to.equal(false);
    expect(locks()).to.deep.equal([]);
  });

  it("is given back when the work fails", async () => {
    const { root, store, locks } = opened();
    const fails = () => whileLocked(root, store, reference, () => Promise.reject(new Error("disk full")));
    expect(await messageOfFailure(fails)).to.equal("disk full");
    expect(locks()).to.deep.equal([]);
  });

  it("names its owner by number where the account has no name, as in a container", async () => {
    const { root, store, locks } = opened();
    const { userInfo } = os;
    os.userInfo = () => {
      throw new Error("uv_os_get_passwd returned ENOENT");
    };
    try {
      const held = await whileLocked(root, store, reference, () => Promise.resolve(locks()));
      expect(held).to.have.length(1);
    } finally {
      os.userInfo = userInfo;
    }
  });

  describe("of a process that was killed", () => {
    it("goes with the next one of the same checkout, whatever the machine is called", async () => {
      const { root, store, locks } = opened();
      const path = await lockAndDie(root);
      const text = readFileSync(path, "utf8");
      // A shared folder: by the name alone it may be the lock of another machine.
      writeFileSync(path, text.replace(JSON.stringify(hostname()), '"elsewhere"'));
      expect(await whileLocked(root, store, reference, () => Promise.resolve(locks()))).to.have.length(1);
      expect(locks()).to.deep.equal([]);
      expect(abandonedLocks(root)).to.deep.equal([]);
    });

    it("is nothing that another checkout would take away", async () => {
      const { root } = opened();
      const path = await lockAndDie(root);
      const other = opened();
      const store = openStore(openState(root, {}), {});
      if (store === undefined) throw new Error("a folder is a store");
      const refused = await messageOfFailure(() =>
        whileLocked(other.root, store, reference, () => Promise.resolve()),
      );
      expect(refused).to.include(path).and.to.include("nothing was written");
      expect(refused).to.include("cancel --stack local").and.to.include("delete the lock itself");
      expect(existsSync(path)).to.equal(true);
    });

    it("stays while its process may be another machine's", async () => {
      const { root } = opened();
      await lockAndDie(root);
      const notes = join(root, ".pulumi-state/own-locks");
      const [name = ""] = readdirSync(notes);
      const note = JSON.parse(readFileSync(join(notes, name), "utf8")) as object;
      writeFileSync(join(notes, name), JSON.stringify({ ...note, processes: "another boot pid:[1]" }));
      expect(abandonedLocks(root)).to.deep.equal([]);
    });

    it("stays in a backend that is not the one of the command", async () => {
      const { root, locks } = opened();
      await lockAndDie(root);
      const elsewhere = openStore({ url: "file:///nowhere", directory: "/nowhere" }, {});
      if (elsewhere === undefined) throw new Error("a folder is a store");
      await removeAbandonedLocks(root, elsewhere);
      expect(locks()).to.have.length(1);
      expect(abandonedLocks(root)).to.have.length(1);
    });
  });

  /** Has another process take the lock, and kills it; the file that it leaves. */
  async function lockAndDie(root: string): Promise<string> {
    const store = openStore(openState(root, {}), {});
    const child = spawn(process.execPath, ["--import", "tsx", lockHolder, root, JSON.stringify(reference)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "close");
    const [lock] = abandonedLocks(root);
    return store?.locate(lock?.path ?? "") ?? "";
  }
});
