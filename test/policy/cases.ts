import { changed, goodPod, outcome, type Path, podTypes, unknown, written } from "../support/policy";
import { expect } from "chai";
import type { Policy } from "../../policy/frame/policy";

/** Values for one field of an otherwise good pod. `undefined` stands for a field that is left out. */
export interface FieldCases {
  /** The field, from the pod's spec. */
  readonly pod?: Path;
  /** The field, from the container. */
  readonly container?: Path;
  readonly right: readonly unknown[];
  readonly wrong: readonly unknown[];
  readonly settings?: object;
  /** Other fields of the container that the pod has besides. */
  readonly before?: readonly (readonly [path: Path, value: unknown])[];
  /** The settings make the policy blind to the field. */
  readonly ignoresUnknown?: boolean;
}

/** The field right, wrong or missing, and unknown. A wrong one is the only thing that is reported, at its path. */
export function describePodPolicy<S>(policy: Policy<S>, cases: FieldCases): void {
  const path = ["spec", ...(cases.pod ?? ["containers", 0, ...(cases.container ?? [])])];
  const pod = (cases.before ?? []).reduce<object>(
    (object, [field, value]) => changed(object, ["spec", "containers", 0, ...field], value),
    goodPod(),
  );
  const judged = (value: unknown) => outcome(policy, podTypes.Pod, changed(pod, path, value), cases.settings);

  describe(`${policy.name}: ${written(path)}`, () => {
    for (const value of cases.right) {
      it(`accepts ${JSON.stringify(value) ?? "that it is missing"}`, () => {
        expect(judged(value)).to.deep.equal({ violations: [], undecided: [] });
      });
    }
    for (const value of cases.wrong) {
      it(`refuses ${JSON.stringify(value) ?? "that it is missing"}`, () => {
        expect(judged(value)).to.deep.equal({ violations: [written(path)], undecided: [] });
      });
    }
    it(`${cases.ignoresUnknown === true ? "does not care" : "says so"} when it is unknown`, () => {
      const undecided = cases.ignoresUnknown === true ? [] : [written(path)];
      expect(judged(unknown)).to.deep.equal({ violations: [], undecided });
    });
  });
}
