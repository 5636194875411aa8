import { expect } from "chai";
import { setTimeout as sleep } from "node:timers/promises";
import { isAlive, runCaptured, runForeground } from "../../../tools/engine/processes";
import { messageOfFailure } from "./support";

const options = { cwd: "/", env: process.env };
const node = (script: string) => runForeground(process.execPath, ["-e", script], options);

describe("a command on this terminal", () => {
  it("passes its exit code on", async () => {
    expect(await node("process.exit(32)")).to.equal(32);
  });

  it("ends with 128 and the number of the signal that killed it", async () => {
    expect(await node("process.kill(process.pid, 'SIGKILL')")).to.equal(137);
  });

  it("gets the signals that this process gets, and decides itself", async () => {
    const running = node("process.on('SIGTERM', () => process.exit(9)); setTimeout(() => {}, 10000)");
    // The command needs a moment until it listens.
    await sleep(1_500);
    process.kill(process.pid, "SIGTERM");
    expect(await running).to.equal(9);
    expect(process.listenerCount("SIGTERM")).to.equal(0);
  });

  it("that does not exist is named", async () => {
    expect(await messageOfFailure(() => runForeground("/no/such/command", [], options))).to.include(
      "/no/such/command",
    );
  });
});

describe("a command whose output is kept", () => {
  it("gets its input and tells its lines as they come", async () => {
    const lines: string[] = [];
    const script = "process.stdin.on('data', (d) => { console.error('a\\nb'); process.stdout.write(d) })";
    const result = await runCaptured(process.execPath, ["-e", script], {
      ...options,
      input: "hello",
      onLine: (line) => lines.push(line),
    });
    expect(result).to.deep.equal({ code: 0, stdout: "hello", stderr: "a\nb\n" });
    expect(lines).to.deep.equal(["a", "b"]);
  });

  it("is ended when it takes too long", async () => {
    const script = "setTimeout(() => {}, 60000)";
    const result = await runCaptured(process.execPath, ["-e", script], { ...options, timeoutMs: 500 });
    expect(result.code).not.to.equal(0);
  });
});

describe("a process", () => {
  it("is alive or not", () => {
    expect(isAlive(process.pid)).to.equal(true);
    expect(isAlive(4_194_305)).to.equal(false);
  });
});
