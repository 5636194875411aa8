import { expect } from "chai";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { countsOf, goldenTest } from "../../../tools/engine/checks";
import { projectRoot } from "../../../tools/engine/project";

const output = (stdout: string, code = 0) => countsOf({ code, stdout, stderr: "" });

describe("the totals of a test run", () => {
  it("are read from mocha and from pytest", () => {
    expect(output("\n  12 passing (3s)\n  2 pending\n  3 failing\n", 3)).to.deep.equal({
      passed: 12,
      failed: 3,
    });
    expect(output("=== 40 passed, 2 failed, 1 error in 3.2s ===", 1)).to.deep.equal({
      passed: 40,
      failed: 3,
    });
    expect(output("40 passed in 3.2s")).to.deep.equal({ passed: 40, failed: 0 });
  });

  it("are the last ones printed", () => {
    expect(output("1 passed\n2 passed")).to.deep.equal({ passed: 2, failed: 0 });
  });

  it("have a failure when the run failed without counting one", () => {
    expect(output("index.ts(1,1): error TS2304", 2)).to.deep.equal({ passed: 0, failed: 1 });
    expect(output("40 passed\ncoverage is below 90 %", 1)).to.deep.equal({ passed: 40, failed: 1 });
  });

  it("are one pass for a run that only checks", () => {
    expect(countsOf({ code: 0, stdout: "", stderr: "" }, false)).to.deep.equal({ passed: 1, failed: 0 });
  });

  it("have a failure when the run was interrupted before it counted, though it exits with 0", () => {
    expect(output("  rollback\n    1) brings update 4 back")).to.deep.equal({ passed: 0, failed: 1 });
  });
});

describe("npm run golden", () => {
  it("runs the test that writes the golden files", () => {
    expect(readFileSync(join(projectRoot, goldenTest), "utf8")).to.include("expectGolden");
  });
});
