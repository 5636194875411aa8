import { expect } from "chai";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { createOnce } from "../../../tools/engine/lockfile";
import { checkpointFile, openState } from "../../../tools/engine/state";
import { checkoutWith, temporaryFolder, write } from "./support";

describe("where the state lies", () => {
  it("is the checkout, with a passphrase that only its owner can read", () => {
    const root = checkoutWith({});
    const state = openState(root, {});
    expect(state.url).to.equal(`file://${root}/.pulumi-state?metadata=skip`);
    const file = state.passphraseFile ?? "";
    expect(statSync(file).mode & 0o777).to.equal(0o600);
    expect(statSync(join(root, ".pulumi-state")).mode & 0o777).to.equal(0o700);
    expect(readFileSync(file, "utf8").trim()).to.have.lengthOf(43);
  });

  it("keeps its passphrase", () => {
    const root = checkoutWith({});
    const read = (): string => readFileSync(openState(root, {}).passphraseFile ?? "", "utf8");
    expect(read()).to.equal(read());
    expect(read()).not.to.equal(readFileSync(openState(checkoutWith({}), {}).passphraseFile ?? "", "utf8"));
  });

  it("generates none when the user gives one, an empty one included", () => {
    for (const env of [{ PULUMI_CONFIG_PASSPHRASE: "" }, { PULUMI_CONFIG_PASSPHRASE_FILE: "/x" }]) {
      expect(openState(checkoutWith({}), env).passphraseFile).to.equal(undefined);
    }
  });

  it("is what PULUMI_BACKEND_URL says, and then without a generated passphrase", () => {
    const root = checkoutWith({});
    expect(openState(root, { PULUMI_BACKEND_URL: "s3://bucket" })).to.deep.equal({
      url: "s3://bucket",
      directory: undefined,
    });
    expect(openState(root, { PULUMI_BACKEND_URL: "file:///a/b?no_tmp_dir=true" }).directory).to.equal("/a/b");
    expect(openState(root, { PULUMI_BACKEND_URL: "file://./state" }).directory).to.equal(join(root, "state"));
  });

  it("knows the stacks of a file backend, compressed ones too", () => {
    const root = checkoutWith({});
    const state = openState(root, {});
    expect(checkpointFile(root, state, "local")).to.equal(undefined);
    const path = write(root, ".pulumi-state/.pulumi/stacks/technova/local.json.gz", "");
    expect(checkpointFile(root, state, "local")).to.equal(path);
  });
});

describe("a file that is created once", () => {
  it("belongs to the first of many that create it at once", () => {
    const path = join(temporaryFolder(), "folder/file");
    const created = Array.from({ length: 20 }, (_, index) => createOnce(path, `content ${index}`, 0o600));
    expect(created).to.deep.equal([true, ...Array<boolean>(19).fill(false)]);
    expect(readFileSync(path, "utf8")).to.equal("content 0");
  });
});
