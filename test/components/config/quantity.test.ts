import { expect } from "chai";
import fc from "fast-check";
import { nearest } from "../../../components/config/field";
import { isQuantity, quantityValue } from "../../../components/config/quantity";

describe("quantities", () => {
  it("are read as Kubernetes reads them", () => {
    expect(quantityValue("250m")).to.equal(0.25);
    expect(quantityValue("1.5")).to.equal(1.5);
    expect(quantityValue("5Gi")).to.equal(5 * 2 ** 30);
    expect(quantityValue("5G")).to.equal(5e9);
  });

  it("are nothing else", () => {
    for (const wrong of ["", "Gi", "5GB", "5 Gi", "-1", "1e3", "0x10", "five"]) {
      expect(isQuantity(wrong), wrong).to.equal(false);
      expect(() => quantityValue(wrong)).to.throw(/is not a Kubernetes quantity/);
    }
  });

  it("grow with their number, whatever their unit", () => {
    const unit = fc.constantFrom("", "m", "Ki", "Mi", "Gi", "k", "M", "G");
    fc.assert(
      fc.property(fc.nat(1e6), fc.nat(1e6), unit, (a, b, suffix) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        return quantityValue(`${low}${suffix}`) <= quantityValue(`${high}${suffix}`);
      }),
    );
  });
});

describe("the nearest key", () => {
  it("is found through a slip of any kind", () => {
    const known = ["replicas", "autoscaling", "strategy"];
    for (const slip of ["replica", "replicsa", "Replicas", "repplicas", "relicas"]) {
      expect(nearest(slip, known), slip).to.equal("replicas");
    }
    expect(nearest("weather", known)).to.equal(undefined);
  });
});
