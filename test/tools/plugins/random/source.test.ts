import { expect } from "chai";
import fc from "fast-check";
import { below, seededBytes, shuffled, systemBytes } from "../../../../tools/plugins/random/source";

/** Yields the given bytes, one after the other. */
function fixedBytes(...bytes: number[]) {
  return (count: number) => Buffer.from(bytes.splice(0, count));
}

describe("random: source", () => {
  it("throws away bytes that would favour low numbers", () => {
    // 256 = 25 * 10 + 6: with 250 to 255 wrapped around, 0 to 5 would come up more often.
    expect(below(10, fixedBytes(250, 255, 249))).to.equal(9);
    expect(below(10, fixedBytes(9))).to.equal(9);
  });

  it("stays in range for every bound, and takes wide ones", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (bound) => {
        const value = below(bound, systemBytes);
        expect(value).to.be.at.least(0).and.below(bound);
      }),
    );
    expect(() => below(0, systemBytes)).to.throw(RangeError);
  });

  it("reaches each number about as often", () => {
    const bytes = seededBytes("counts");
    const counts = new Array<number>(6).fill(0);
    for (let draw = 0; draw < 6000; draw++) {
      const face = below(6, bytes);
      counts[face] = (counts[face] ?? 0) + 1;
    }
    // Five degrees of freedom: a fair die is above 20.5 once in a thousand seeds, and this seed is fixed.
    const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquare).to.be.below(20.5);
  });

  it("gives the same bytes for the same seed only", () => {
    expect(seededBytes("a")(40).equals(seededBytes("a")(40))).to.equal(true);
    expect(seededBytes("a")(40).equals(seededBytes("b")(40))).to.equal(false);
    const pieces = seededBytes("a");
    expect(Buffer.concat([pieces(7), pieces(33)]).equals(seededBytes("a")(40))).to.equal(true);
  });

  it("shuffles without loss, into every order", () => {
    const orders = new Set<string>();
    const bytes = seededBytes("orders");
    for (let draw = 0; draw < 300; draw++) orders.add(shuffled(["a", "b", "c"], bytes).join(""));
    expect([...orders].sort()).to.deep.equal(["abc", "acb", "bac", "bca", "cab", "cba"]);
  });
});
