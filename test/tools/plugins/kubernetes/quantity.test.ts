import { expect } from "chai";
import fc from "fast-check";
import { canonicalQuantity } from "../../../../tools/plugins/kubernetes/quantity";

describe("quantity", () => {
  // As the API server answers them.
  const spellings: [given: string, answered: string][] = [
    ["1000m", "1"],
    ["0.5", "500m"],
    ["1.5", "1500m"],
    [".5", "500m"],
    ["100m", "100m"],
    ["1024Mi", "1Gi"],
    ["1Gi", "1Gi"],
    ["1536Mi", "1536Mi"],
    ["0.5Gi", "512Mi"],
    ["1.5Gi", "1536Mi"],
    ["512Ki", "512Ki"],
    ["1000", "1k"],
    ["1024", "1024"],
    ["1500k", "1500k"],
    ["1000M", "1G"],
    ["0", "0"],
    ["0Gi", "0"],
    ["0.1Ki", "102400m"],
    ["500Ki", "500Ki"],
    ["1e3", "1e3"],
    ["12e2", "1200"],
    ["0.0000000001", "1n"],
    ["-5m", "-5m"],
    ["+2", "2"],
  ];
  for (const [given, answered] of spellings) {
    it(`${given} is ${answered}`, () => expect(canonicalQuantity(given)).to.equal(answered));
  }

  it("leaves what is no quantity to the API server", () => {
    for (const text of ["", "lots", "1GB", "1..2", "Gi"]) expect(canonicalQuantity(text)).to.equal(text);
  });

  it("gives the same text when asked again", () => {
    const suffix = fc.constantFrom("", "n", "u", "m", "k", "M", "G", "Ki", "Mi", "Gi", "Ti");
    fc.assert(
      fc.property(fc.nat(10_000_000), fc.nat(999), suffix, (whole, part, unit) => {
        const once = canonicalQuantity(`${whole}.${part}${unit}`);
        expect(canonicalQuantity(once)).to.equal(once);
      }),
    );
  });
});
