import { expect } from "chai";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  identify,
  isAlive,
  parseNamespacePids,
  parseStartTime,
  parseState,
} from "../../../tools/cluster/proc";

const stat =
  "4242 (a (strange) name) S 1 4242 4242 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 987654 1000 50 18446744073709551615";

describe("process identities", () => {
  it("reads the start time whatever the command is called", () => {
    expect(parseStartTime(stat)).to.equal("987654");
    expect(parseState(stat)).to.equal("S");
  });

  it("refuses text that is no stat file", () => {
    expect(() => parseStartTime("")).to.throw("/proc/<pid>/stat");
  });

  it("reads the ids of nested namespaces, outermost first", () => {
    expect(parseNamespacePids("Name:\tx\nNSpid:\t900\t12\nThreads:\t1\n")).to.deep.equal([900, 12]);
    expect(parseNamespacePids("Name:\tx\n")).to.deep.equal([]);
  });

  it("does not take a later process with the same id for the one it knew", () => {
    const self = identify(process.pid);
    expect(self).to.not.equal(undefined);
    expect(isAlive({ pid: process.pid, startTime: self?.startTime ?? "" })).to.equal(true);
    expect(isAlive({ pid: process.pid, startTime: "1" })).to.equal(false);
  });

  it("sees the end of a process", async () => {
    const child = spawn("sleep", ["30"]);
    const identity = identify(child.pid ?? 0);
    if (identity === undefined) throw new Error("the child was not found");
    expect(isAlive(identity)).to.equal(true);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(isAlive(identity)).to.equal(false);
  });
});
