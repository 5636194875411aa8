import { expect } from "chai";
import {
  adoptName,
  assignName,
  fieldManager,
  hexSuffix,
  keepManagedByLabel,
} from "../../../../tools/plugins/kubernetes/naming";
import type { CheckRequest } from "../../../../tools/plugins/rpc/provider";
import { Unknown } from "../../../../tools/plugins/rpc/values";

const request = (more: Partial<CheckRequest> = {}) =>
  ({ name: "web", randomSeed: new Uint8Array([1, 2, 3]), ...more }) as CheckRequest;

describe("naming", () => {
  it("makes up a name that follows from the seed, and says so", () => {
    const named = assignName({ metadata: { labels: { a: "b" } } }, request());
    expect(named).to.deep.equal({
      metadata: {
        labels: { a: "b" },
        name: `web-${hexSuffix(new Uint8Array([1, 2, 3]))}`,
        annotations: { "pulumi.com/autonamed": "true" },
      },
    });
    expect(hexSuffix(new Uint8Array([1, 2, 3]))).to.match(/^[0-9a-f]{8}$/);
    expect(assignName({}, request())).to.deep.equal(assignName({}, request()));
    expect(assignName({}, request())).not.to.deep.equal(
      assignName({}, request({ randomSeed: new Uint8Array([4]) })),
    );
  });

  it("keeps the program's name, known or not", () => {
    for (const metadata of [{ name: "fixed" }, { name: Unknown.value }, Unknown.value]) {
      expect(assignName({ metadata }, request())).to.deep.equal({ metadata });
    }
  });

  it("follows the stack's own rule", () => {
    const proposed = assignName({}, request({ autonaming: { mode: "propose", proposedName: "mine" } }));
    expect(proposed.metadata).to.include({ name: "mine" });
    const disabled = request({ autonaming: { mode: "disable", proposedName: "" } });
    expect(() => assignName({}, disabled)).to.throw("set metadata.name");
  });

  it("refuses generateName, which cannot be applied", () => {
    expect(() => assignName({ metadata: { generateName: "a-" } }, request())).to.throw(
      "metadata.generateName",
    );
  });

  it("adopts the made-up name of the last update, but no fixed one", () => {
    const made = { metadata: { name: "web-1234", annotations: { "pulumi.com/autonamed": "true" } } };
    expect(adoptName({ metadata: {} }, made)).to.deep.equal(made);
    expect(adoptName({ metadata: {} }, { metadata: { name: "fixed" } })).to.deep.equal({ metadata: {} });
    expect(adoptName({ metadata: { name: "new" } }, made)).to.deep.equal({ metadata: { name: "new" } });
  });

  it("takes the field manager from the annotation, then from state, then makes one up", () => {
    const own = { metadata: { annotations: { "pulumi.com/patchFieldManager": "mine" } } };
    expect(fieldManager(own, { __fieldManager: "old" })).to.equal("mine");
    expect(fieldManager({}, { __fieldManager: "old" })).to.equal("old");
    expect(fieldManager({}, {})).to.match(/^pulumi-kubernetes-[0-9a-f]{8}$/);
  });

  it("keeps the label of objects from before server-side apply, and gives it to no others", () => {
    const labels = { "app.kubernetes.io/managed-by": "pulumi" };
    expect(keepManagedByLabel({ metadata: {} }, { metadata: { labels } })).to.deep.equal({
      metadata: { labels },
    });
    expect(keepManagedByLabel({ metadata: {} }, { metadata: {} })).to.deep.equal({ metadata: {} });
  });
});
