import { expect } from "chai";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { withLock } from "../../../tools/cluster/lock";
import { identify } from "../../../tools/cluster/proc";

describe("the lock of up and down", () => {
  let folder: string;
  let lock: string;
  const unexpected = () => {
    throw new Error("waited for a lock that nobody holds");
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "technova-lock-"));
    lock = join(folder, "cluster", "lock");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is released after work, also after work that fails", async () => {
    expect(await withLock(lock, unexpected, async () => existsSync(lock))).to.equal(true);
    expect(existsSync(lock)).to.equal(false);
    const failing = withLock(lock, unexpected, () => Promise.reject(new Error("no luck")));
    expect(await failing.catch((error: Error) => error.message)).to.equal("no luck");
    expect(existsSync(lock)).to.equal(false);
  });

  it("is taken over from a process that was killed, also when its id is in use again", async () => {
    await withLock(lock, unexpected, async () => undefined);
    writeFileSync(lock, JSON.stringify({ pid: process.pid, startTime: "1" }));
    expect(await withLock(lock, unexpected, async () => "done")).to.equal("done");
  });

  it("is taken over when it was cut short", async () => {
    await withLock(lock, unexpected, async () => undefined);
    writeFileSync(lock, '{"pid":');
    expect(await withLock(lock, unexpected, async () => "done")).to.equal("done");
  });

  it("makes the second one wait and says for whom", async () => {
    const order: string[] = [];
    let holder: number | undefined;
    const first = withLock(lock, unexpected, async () => {
      await sleep(300);
      order.push("first");
    });
    const second = withLock(
      lock,
      (pid) => (holder = pid),
      async () => order.push("second"),
    );
    await Promise.all([first, second]);
    expect(order).to.deep.equal(["first", "second"]);
    expect(holder).to.equal(identify(process.pid)?.pid);
  });
});
