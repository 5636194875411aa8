import { expect } from "chai";
import { noHiddenObjects } from "../../policy/stack";
import { outcome } from "../support/policy";

describe("policy/stack", () => {
  it("refuses a Helm release, whose objects no policy sees", () => {
    expect(
      outcome(noHiddenObjects, "kubernetes:helm.sh/v3:Release", { chart: "x" }).violations,
    ).to.have.length(1);
  });
  it("accepts a chart, whose objects are resources, and another kind of that name", () => {
    expect(outcome(noHiddenObjects, "kubernetes:helm.sh/v4:Chart", { chart: "x" }).violations).to.be.empty;
    expect(outcome(noHiddenObjects, "kubernetes:shop.example/v1:Release", {}).violations).to.be.empty;
  });
});
