import { expect } from "chai";
import {
  Asset,
  containsSecret,
  containsUnknown,
  sameValue,
  Secret,
  Unknown,
  withoutSecrets,
} from "../../../../tools/plugins/rpc/values";

describe("rpc: values", () => {
  it("are the same whatever is secret about them", () => {
    expect(sameValue({ a: new Secret([1, { b: "x" }]) }, { a: [1, { b: new Secret("x") }] })).to.equal(true);
    expect(sameValue(new Secret("x"), "y")).to.equal(false);
  });

  it("are never the same as something unknown", () => {
    expect(sameValue(Unknown.value, Unknown.value)).to.equal(false);
    expect(sameValue({ a: [Unknown.value] }, { a: [1] })).to.equal(false);
  });

  it("differ by type, length and missing keys", () => {
    expect(sameValue([1, 2], [1])).to.equal(false);
    expect(sameValue({ a: 1 }, { a: 1, b: 2 })).to.equal(false);
    expect(sameValue({}, [])).to.equal(false);
    expect(sameValue("1", 1)).to.equal(false);
    expect(sameValue(null, undefined)).to.equal(false);
  });

  it("compare files by their hash", () => {
    const file = (path: string, hash: string) => new Asset({ path, hash });
    expect(sameValue(file("a", "1"), file("b", "1"))).to.equal(true);
    expect(sameValue(file("a", "1"), file("a", "2"))).to.equal(false);
    expect(sameValue(file("a", "1"), "a")).to.equal(false);
  });

  it("are searched at any depth", () => {
    const nested = { list: [{ secret: new Secret({ later: Unknown.value }) }] };
    expect(containsSecret(nested)).to.equal(true);
    expect(containsUnknown(nested)).to.equal(true);
    expect(containsUnknown(undefined)).to.equal(false);
    expect(containsSecret(withoutSecrets(nested))).to.equal(false);
    expect(withoutSecrets(nested)).to.deep.equal({ list: [{ secret: { later: Unknown.value } }] });
  });
});
