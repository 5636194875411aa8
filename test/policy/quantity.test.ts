import { absentOrAtMost, absentOrWithPositive, parseQuantity } from "../../policy/frame/quantity";
import { expect } from "chai";
import fc from "fast-check";

const billion = 10n ** 9n;

describe("policy/frame/quantity", () => {
  const quantities: Record<string, bigint> = {
    "0": 0n,
    "1": billion,
    "+1": billion,
    "-1": -billion,
    "500m": billion / 2n,
    "0.5": billion / 2n,
    ".5": billion / 2n,
    "1.": billion,
    "1n": 1n,
    "1u": 1000n,
    "0.1n": 1n,
    "1k": 1000n * billion,
    "1Ki": 1024n * billion,
    "1.5Gi": 1536n * 2n ** 20n * billion,
    "1e3": 1000n * billion,
    "1E3": 1000n * billion,
    "1E": 10n ** 18n * billion,
    "1Ei": 2n ** 60n * billion,
    "5e-1": billion / 2n,
    "9007199254740993": 9007199254740993n * billion,
  };
  for (const [text, quantity] of Object.entries(quantities)) {
    it(`reads ${text}`, () => expect(parseQuantity(text)).to.equal(quantity));
  }
  it("reads numbers", () => expect(parseQuantity(1.5)).to.equal((billion * 3n) / 2n));
  for (const text of ["", ".", "1 Gi", "1gi", "1Kib", "Gi", "one", "1e", "1e999", "--1", "0x10"]) {
    it(`refuses ${JSON.stringify(text)}`, () => expect(parseQuantity(text)).to.equal(undefined));
  }
  it("refuses what is neither text nor a number", () => {
    for (const value of [undefined, null, true, {}, [1]]) expect(parseQuantity(value)).to.equal(undefined);
  });
  it("reads a thousand thousandths as one", () => {
    fc.assert(
      fc.property(fc.nat(), (count) => {
        expect(parseQuantity(`${count}m`)).to.equal((parseQuantity(String(count)) ?? 0n) / 1000n);
      }),
    );
  });

  it("writes the same limits as expressions", () => {
    expect(absentOrAtMost("maximum", "2Gi").cel("c.?memory")).to.equal(
      '(!c.?memory.hasValue() || (isQuantity(string(c.?memory.value())) && quantity(string(c.?memory.value())).compareTo(quantity("2Gi")) <= 0))',
    );
    expect(absentOrWithPositive("size").cel("v.?dir")).to.equal(
      '(v.?dir.orValue(null) == null || (v.?dir.?size.hasValue() && isQuantity(string(v.?dir.?size.value())) && quantity(string(v.?dir.?size.value())).isGreaterThan(quantity("0"))))',
    );
  });
});
