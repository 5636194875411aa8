import { expect } from "chai";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Captured } from "../../../tools/engine/processes";
import { openState } from "../../../tools/engine/state";
import { prepareStateBefore, stateVariable } from "../../../tools/engine/stateBefore";
import { parseState, stateVariable as variableOfPack } from "../../../policy/frame/state";
import { checkoutWith, write } from "./support";

const elsewhere = { PULUMI_BACKEND_URL: "s3://bucket" };
const answer = (code: number, stderr = ""): Captured => ({ code, stdout: "", stderr });

/** A CLI that exports a state, or fails. */
function cli(result: Captured) {
  const calls: (readonly string[])[] = [];
  const run = (args: readonly string[]): Promise<Captured> => {
    calls.push(args);
    if (result.code === 0) writeFileSync(args.at(-1) ?? "", '{"deployment":{"resources":[]}}');
    return Promise.resolve(result);
  };
  return { calls, run };
}

describe("the state before a command", () => {
  it("has the name that the policy pack looks for", () => {
    expect(stateVariable).to.equal(variableOfPack);
  });

  it("is the file of a file backend, without a call of the CLI", async () => {
    const root = checkoutWith({});
    const path = write(root, ".pulumi-state/.pulumi/stacks/technova/local.json", "{}");
    const { calls, run } = cli(answer(0));
    const before = await prepareStateBefore(root, openState(root, {}), "local", run);
    expect(before.path).to.equal(path);
    before.finish();
    expect(existsSync(path)).to.equal(true);
    expect(calls).to.deep.equal([]);
  });

  it("is exported from any other backend, and the copy removed at the end", async () => {
    const root = checkoutWith({});
    const { calls, run } = cli(answer(0));
    const before = await prepareStateBefore(root, openState(root, elsewhere), "staging", run);
    expect(calls.map((args) => args.slice(0, -1))).to.deep.equal([
      ["stack", "export", "--stack", "staging", "--file"],
    ]);
    expect(existsSync(before.path)).to.equal(true);
    before.finish();
    expect(existsSync(before.path)).to.equal(false);
  });

  it("is empty for a stack that is not there yet", async () => {
    const root = checkoutWith({});
    const { run } = cli(answer(255, "error: no stack named 'staging' found"));
    const before = await prepareStateBefore(root, openState(root, elsewhere), "staging", run);
    expect(parseState(readFileSync(before.path, "utf8"))).to.deep.equal({ known: true, resources: [] });
    before.finish();
  });

  it("is not known when the backend cannot be asked", async () => {
    const root = checkoutWith({});
    const { run } = cli(answer(255, "error: could not reach the bucket"));
    const before = await prepareStateBefore(root, openState(root, elsewhere), "staging", run);
    expect(before.path).to.equal("");
    before.finish();
  });
});
