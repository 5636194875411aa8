import { changed, outcome, unknown, runOf } from "../support/policy";
import { expect } from "chai";
import { judgeResource, judgeStack } from "../../policy/frame/evaluate";
import { maximumDeletesFrom, noHiddenObjects, whatMustStayIsProtected } from "../../policy/stack";
import type { Resource } from "../../policy/frame/objects";
import type { StateBefore } from "../../policy/frame/state";
import type { StackValidationPolicy } from "@pulumi/policy";
import { toPulumi } from "../../policy/frame/pulumi";
import { unknownCheckingProxy } from "@pulumi/policy";

const configMap = "kubernetes:core/v1:ConfigMap";
const urn = (name: string, type = configMap) => `urn:pulumi:staging::technova::${type}::${name}`;

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

  describe(whatMustStayIsProtected.name, () => {
    const claim = "kubernetes:core/v1:PersistentVolumeClaim";
    const statefulSet = "kubernetes:apps/v1:StatefulSet";
    const judged = (
      type: string,
      protect: boolean | undefined,
      props: object = {},
      settings: object = {},
    ) => {
      const resource = { type, urn: urn("x", type), props: unknownCheckingProxy(props), protect };
      const judge = judgeResource(whatMustStayIsProtected, resource, { required: true, ...settings });
      return [judge.violations.length, judge.undecided.map(({ path }) => path)];
    };
    const withVolumes = { spec: { volumeClaimTemplates: [{}] } };

    it("accepts what is protected", () => {
      expect(judged(claim, true)).to.deep.equal([0, []]);
      expect(judged(statefulSet, true, withVolumes)).to.deep.equal([0, []]);
    });
    it("refuses what is not, or does not say", () => {
      for (const protect of [false, undefined]) {
        expect(judged(claim, protect)).to.deep.equal([1, []]);
        expect(judged("github:index/repository:Repository", protect)).to.deep.equal([1, []]);
        expect(judged(statefulSet, protect, withVolumes)).to.deep.equal([1, []]);
      }
    });
    it("asks none of a StatefulSet without volumes, of other types, and where nothing must stay", () => {
      expect(judged(statefulSet, false)).to.deep.equal([0, []]);
      expect(judged(configMap, false)).to.deep.equal([0, []]);
      expect(judged(claim, false, {}, { required: false })).to.deep.equal([0, []]);
      expect(judged(claim, false, {}, { types: [configMap] })).to.deep.equal([0, []]);
      expect(judged(configMap, false, {}, { types: [configMap] })).to.deep.equal([1, []]);
    });
    it("says so when it is unknown whether a StatefulSet has volumes", () => {
      const path = ["spec", "volumeClaimTemplates"];
      expect(judged(statefulSet, false, changed({}, path, unknown))).to.deep.equal([0, [path.join(".")]]);
    });
  });

  describe("maximum-deletes", () => {
    const names = (count: number) => Array.from({ length: count }, (_, index) => `map${index}`);
    const known = (...urns: readonly string[]): StateBefore => ({
      known: true,
      resources: urns.map((each) => ({ urn: each, type: each.split("::")[2] ?? "" })),
    });
    const existing = (count: number) => known(...names(count).map((name) => urn(name)));
    const resource = (name: string, more: object = {}): Resource => ({
      type: configMap,
      urn: urn(name),
      props: {},
      ...more,
    });
    const judged = (before: StateBefore, resources: readonly Resource[], settings: object = {}) =>
      [...judgeStack(maximumDeletesFrom(before), resources, settings)].map(([{ urn: on }, judge]) => ({
        on,
        found: judge.violations.map(({ found }) => found),
        missing: judge.missing,
      }));

    it("accepts as many as are allowed", () => {
      expect(judged(existing(10), [])).to.be.empty;
      expect(judged(existing(12), [resource("map0"), resource("map1")])).to.be.empty;
      expect(judged(known(), [resource("new")])).to.be.empty;
      expect(judged(existing(1), [resource("map0")], { maximum: 0 })).to.be.empty;
    });
    it("refuses more, and names them, on a stack that may have nothing left", () => {
      const [finding, ...others] = judged(existing(11), []);
      expect(others).to.be.empty;
      expect(finding?.on).to.equal("urn:pulumi:staging::technova::pulumi:pulumi:Stack::technova-staging");
      expect(finding?.found[0])
        .to.contain("would lose 11, may lose at most 10")
        .and.to.contain(`${configMap} map0`)
        .and.to.contain("and 6 more");
      expect(judged(existing(1), [], { maximum: 0 })).to.have.length(1);
    });
    it("counts no object that only has another name, and nothing that no policy sees", () => {
      const renamed = names(11).map((name) => resource(`new-${name}`, { aliases: [urn(name)] }));
      expect(judged(existing(11), renamed)).to.be.empty;
      const others = names(11).map((name) => urn(name, "random:index/randomPassword:RandomPassword"));
      expect(judged(known(...others), [])).to.be.empty;
    });
    it("says so when nobody told what there was before", () => {
      const because = "Nobody said.";
      const [finding] = judged({ known: false, because }, [resource("map0")]);
      expect(finding).to.deep.include({ found: [], missing: [because] });
      expect(judged({ known: false, because }, [])).to.have.length(1);
    });

    for (const updating of [false, true]) {
      it(`is then an advisory finding in ${updating ? "an update" : "a preview"}, by the engine's own error`, () => {
        const because = "Nobody said.";
        const policy = maximumDeletesFrom({ known: false, because });
        const { validateStack } = toPulumi(policy as never, runOf({ updating })) as StackValidationPolicy;
        const reported: string[] = [];
        const args = { resources: [], getConfig: () => ({}) } as unknown as Parameters<
          typeof validateStack
        >[0];
        expect(() => void validateStack(args, (message) => reported.push(message)))
          .to.throw(because)
          .with.property("unknownTypeSentinel");
        expect(reported).to.be.empty;
      });
    }
  });
});
