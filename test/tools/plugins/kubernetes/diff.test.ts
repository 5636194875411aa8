import { expect } from "chai";
import fc from "fast-check";
import { detailedDiff, parsePath, pathText, withoutIgnored } from "../../../../tools/plugins/kubernetes/diff";
import { Unknown } from "../../../../tools/plugins/rpc/values";

describe("diff", () => {
  it("names each change by its path", () => {
    const before = { spec: { replicas: 1, gone: true, list: ["a", "b", "c"], map: { "a.b/c": "1" } } };
    const after = { spec: { replicas: 2, added: {}, list: ["a", "x"], map: { "a.b/c": "2" } } };
    expect(detailedDiff(before, after, [])).to.deep.equal({
      "spec.replicas": { kind: "update", inputDiff: false },
      "spec.gone": { kind: "delete", inputDiff: true },
      "spec.added": { kind: "add", inputDiff: false },
      "spec.list[1]": { kind: "update", inputDiff: false },
      "spec.list[2]": { kind: "delete", inputDiff: true },
      'spec.map["a.b/c"]': { kind: "update", inputDiff: false },
    });
  });

  it("takes an unknown for a change, and no value for none", () => {
    const diff = detailedDiff({ a: 1, b: null }, { a: Unknown.value, c: Unknown.value, d: null }, []);
    expect(diff).to.deep.equal({
      a: { kind: "update", inputDiff: false },
      c: { kind: "add", inputDiff: false },
    });
  });

  it("finds nothing between equal objects", () => {
    const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify({ value })) as never);
    fc.assert(
      fc.property(json, (value) => {
        expect(detailedDiff(value, value, [])).to.deep.equal({});
      }),
    );
  });

  it("reads the paths that it writes", () => {
    const key = fc.oneof(
      fc.stringMatching(/^[a-zA-Z][\w-]*$/),
      fc.constantFrom('a"b', "app.kubernetes.io/name", "x[0]"),
    );
    const path = fc.tuple(key, fc.array(fc.oneof(key, fc.nat(9)))).map(([first, rest]) => [first, ...rest]);
    fc.assert(
      fc.property(path, (parts) => {
        expect(parsePath(pathText(parts))).to.deep.equal(parts);
      }),
    );
  });

  it("leaves out what is ignored, and all below it", () => {
    const before = { spec: { replicas: 1, template: { a: 1, b: [{ c: 1 }] } } };
    const after = { spec: { replicas: 2, template: { a: 2, b: [{ c: 2 }] } } };
    const left = (ignore: string[]) => Object.keys(withoutIgnored(detailedDiff(before, after, []), ignore));
    expect(left(["spec.replicas"])).to.deep.equal(["spec.template.a", "spec.template.b[0].c"]);
    expect(left(["spec.template"])).to.deep.equal(["spec.replicas"]);
    expect(left(["spec.template.b[*].c"])).to.deep.equal(["spec.replicas", "spec.template.a"]);
    expect(left(["spec.temp"])).to.have.length(3);
  });
});
