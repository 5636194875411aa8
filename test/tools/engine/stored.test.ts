import { expect } from "chai";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import type { Captured } from "../../../tools/engine/processes";
import { openState } from "../../../tools/engine/state";
import { storedState } from "../../../tools/engine/stored";
import { checkoutWith, write } from "./support";

const answer = (code: number, stdout = "") => {
  const calls: string[] = [];
  const run = (args: readonly string[]): Promise<Captured> => {
    calls.push(args.join(" "));
    return Promise.resolve({ code, stdout, stderr: "" });
  };
  return { calls, run };
};

describe("the state that a backend has", () => {
  for (const [name, content] of [
    ["local.json", Buffer.from("as it is")],
    ["local.json.gz", gzipSync("as it is")],
  ] as const) {
    it(`is read from its file without the CLI, and put back byte by byte: ${name}`, async () => {
      const root = checkoutWith({});
      const path = write(root, `.pulumi-state/.pulumi/stacks/technova/${name}`, content);
      const { calls, run } = answer(1);
      const stored = await storedState(root, openState(root, {}), "local", {}, run);
      expect(stored?.text).to.equal("as it is");
      write(root, `.pulumi-state/.pulumi/stacks/technova/${name}`, "changed");
      await stored?.putBack?.();
      expect(readFileSync(path).equals(content)).to.equal(true);
      expect(calls).to.deep.equal([]);
    });
  }

  it("is what the CLI exports where there are no files to be reached", async () => {
    for (const url of ["https://api.example.com", "azblob://container", "gs://bucket"]) {
      const { calls, run } = answer(0, "exported");
      const root = checkoutWith({});
      const stored = await storedState(
        root,
        openState(root, { PULUMI_BACKEND_URL: url }),
        "staging",
        {},
        run,
      );
      expect([stored?.text, stored?.putBack]).to.deep.equal(["exported", undefined]);
      expect(calls).to.deep.equal(["stack export --stack staging"]);
    }
  });

  it("is nothing for a stack that is not there yet", async () => {
    const root = checkoutWith({});
    const cloud = openState(root, { PULUMI_BACKEND_URL: "https://api.example.com" });
    expect(await storedState(root, cloud, "staging", {}, answer(255).run)).to.equal(undefined);
    expect(await storedState(root, openState(root, {}), "local", {}, answer(0).run)).to.equal(undefined);
  });
});
