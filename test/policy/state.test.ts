import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { parseState, readStateBefore, stateVariable } from "../../policy/frame/state";
import { expect } from "chai";
import { gzipSync } from "node:zlib";
import { join } from "node:path";
import { tmpdir } from "node:os";

const type = "kubernetes:core/v1:ConfigMap";
const urn = `urn:pulumi:staging::technova::${type}::settings`;
const resources = [
  { urn: "stack", type: "pulumi:pulumi:Stack" },
  { urn: "component", type: "technova:cluster:Cluster" },
  { urn: "provider", type: "pulumi:providers:kubernetes", custom: true },
  { urn: "read", type, custom: true, external: true },
  { urn: "replaced", type, custom: true, delete: true },
  { urn, type, custom: true, inputs: { data: {} } },
];
const exported = { version: 3, deployment: { resources } };
const checkpoint = { version: 3, checkpoint: { stack: "staging", latest: { resources } } };
const found = { known: true, resources: [{ urn, type }] };
const parsed = (content: unknown) => parseState(JSON.stringify(content));

describe("the state before an update", () => {
  it("is what an export or a checkpoint has, without what cannot be lost", () => {
    expect(parsed(exported)).to.deep.equal(found);
    expect(parsed(checkpoint)).to.deep.equal(found);
  });
  it("is empty for a stack that nothing was done with yet", () => {
    for (const content of [
      { version: 3, deployment: { resources: null } },
      { version: 3, deployment: {} },
      { version: 3, checkpoint: { stack: "staging", latest: null } },
      { version: 3, checkpoint: { stack: "staging" } },
    ]) {
      expect(parsed(content), JSON.stringify(content)).to.deep.equal({ known: true, resources: [] });
    }
  });
  it("is not known from anything else", () => {
    for (const text of ["", "{", "null", "[]", "{}", '{"deployment":{"resources":{}}}']) {
      expect(parseState(text), text).to.have.property("known", false);
    }
  });

  describe("in a file", () => {
    let folder: string;
    before(() => (folder = mkdtempSync(join(tmpdir(), "technova-state-"))));
    after(() => rmSync(folder, { recursive: true, force: true }));
    const read = (name: string) => readStateBefore({ [stateVariable]: join(folder, name) });

    it("is read, compressed or not", () => {
      writeFileSync(join(folder, "state.json"), JSON.stringify(checkpoint));
      writeFileSync(join(folder, "state.json.gz"), gzipSync(JSON.stringify(checkpoint)));
      expect(read("state.json")).to.deep.equal(found);
      expect(read("state.json.gz")).to.deep.equal(found);
    });
    it("is not known without one, and why is said in a sentence", () => {
      for (const state of [readStateBefore({}), readStateBefore({ [stateVariable]: "" }), read("none")]) {
        if (state.known) throw new Error("it was expected to be unknown");
        expect(state.because).to.match(/^[A-Z].*\.$/);
      }
    });
  });
});
