import { expect } from "chai";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { clearStaleLocks } from "../../../tools/engine/locks";
import { openState } from "../../../tools/engine/state";
import { checkoutWith, messageOfFailure, write } from "./support";

describe("the lock of a stack", () => {
  let root: string;

  beforeEach(() => {
    root = checkoutWith({});
  });

  function lock(pid: number, host = hostname(), content?: string): string {
    const text = JSON.stringify({ pid, username: "me", hostname: host, timestamp: "2026-01-02T03:04:05Z" });
    const folder = ".pulumi-state/.pulumi/locks/organization/technova/local";
    write(root, `${folder}/1.json.attrs`, "{}");
    return write(root, `${folder}/1.json`, content ?? text);
  }
  const clear = (): void => clearStaleLocks(root, openState(root, {}), "local");
  const ended = (): number => spawnSync(process.execPath, ["-e", "0"]).pid;

  it("is taken away when its process is gone", () => {
    const path = lock(ended());
    clear();
    expect(existsSync(path)).to.equal(false);
    expect(existsSync(`${path}.attrs`)).to.equal(false);
  });

  it("is taken away when its process number now belongs to something else", async () => {
    const other = spawn("/bin/sleep", ["30"]);
    await once(other, "spawn");
    try {
      const path = lock(other.pid ?? 0);
      clear();
      expect(existsSync(path)).to.equal(false);
    } finally {
      other.kill();
      await once(other, "exit");
    }
  });

  it("of a command of this project that still runs stays", async () => {
    const path = lock(process.pid);
    expect(await messageOfFailure(clear)).to.include(`process ${process.pid}`);
    expect(existsSync(path)).to.equal(true);
  });

  it("of a command that still runs is explained and stays", async () => {
    const program = join(root, "pulumi");
    copyFileSync("/bin/sleep", program);
    const running = spawn(program, ["30"]);
    await once(running, "spawn");
    try {
      const path = lock(running.pid ?? 0);
      expect(await messageOfFailure(clear))
        .to.include(`process ${running.pid}`)
        .and.to.include("Wait for");
      expect(existsSync(path)).to.equal(true);
    } finally {
      running.kill();
      await once(running, "exit");
    }
  });

  it("of another machine is explained and stays", async () => {
    const path = lock(ended(), "elsewhere");
    const message = await messageOfFailure(clear);
    expect(message).to.include("me@elsewhere").and.to.include("2026-01-02T03:04:05Z").and.to.include(path);
    expect(message).to.include("npm run pulumi -- cancel --stack local");
    expect(existsSync(path)).to.equal(true);
  });

  it("that cannot be read is explained and stays", async () => {
    const path = lock(0, "", "torn");
    expect(await messageOfFailure(clear))
      .to.include("a file that cannot be read")
      .and.to.include(path);
    expect(existsSync(path)).to.equal(true);
  });

  it("does not concern other stacks, nor a stack without any", () => {
    const path = lock(process.pid, "elsewhere");
    clearStaleLocks(root, openState(root, {}), "staging");
    expect(existsSync(path)).to.equal(true);
  });
});
