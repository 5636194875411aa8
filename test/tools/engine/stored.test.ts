import { expect } from "chai";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
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

  it("is put back as the only form of it", async () => {
    const root = checkoutWith({});
    const folder = ".pulumi-state/.pulumi/stacks/technova";
    const path = write(root, `${folder}/local.json.gz`, gzipSync("as it is"));
    const stored = await storedState(root, openState(root, {}), "local", {}, answer(1).run);
    // As the CLI does that was told nothing of compression.
    rmSync(path);
    write(root, `${folder}/local.json`, "imported");
    await stored?.putBack?.();
    expect(readdirSync(dirname(path))).to.deep.equal(["local.json.gz"]);
  });

  it("is what the CLI exports where its file cannot be read here", async () => {
    const compressed = checkoutWith({});
    write(compressed, ".pulumi-state/.pulumi/stacks/technova/local.json.zst", "of another kind");
    const bucket = { PULUMI_BACKEND_URL: "s3://bucket?endpoint=http://127.0.0.1:1&s3ForcePathStyle=true" };
    const keys = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };
    for (const [root, env] of [
      [compressed, {}],
      [checkoutWith({}), { ...bucket, ...keys }],
      [checkoutWith({}), { ...bucket, ...keys, AWS_CA_BUNDLE: "/nowhere" }],
    ] as const) {
      const { calls, run } = answer(0, "exported");
      const stored = await storedState(root, openState(root, env), "local", env, run);
      expect([stored?.text, stored?.putBack]).to.deep.equal(["exported", undefined]);
      expect(calls).to.deep.equal(["stack export --stack local"]);
    }
  });

  it("is nothing for a stack that is not there yet", async () => {
    const root = checkoutWith({});
    const cloud = openState(root, { PULUMI_BACKEND_URL: "https://api.example.com" });
    expect(await storedState(root, cloud, "staging", {}, answer(255).run)).to.equal(undefined);
    expect(await storedState(root, openState(root, {}), "local", {}, answer(0).run)).to.equal(undefined);
  });
});
