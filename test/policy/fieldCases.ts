import { changed, outcome, type Path, unknown, written } from "../support/policy";
import { expect } from "chai";
import type { Policy } from "../../policy/frame/policy";

/** An object that the policy accepts, and values for one of its fields. `undefined` stands for a missing field. */
export interface ObjectCases {
  readonly type: string;
  readonly good: object;
  readonly path: Path;
  readonly right: readonly unknown[];
  readonly wrong: readonly unknown[];
  readonly settings?: object;
  /** Where a wrong value is reported, if not at `path`. */
  readonly reported?: Path;
}

/** The field right, wrong or missing, and unknown. A wrong one is the only thing that is reported. */
export function describeObjectPolicy<S>(policy: Policy<S>, cases: ObjectCases): void {
  const { type, good, path, settings } = cases;
  const judged = (value: unknown) => outcome(policy, type, changed(good, path, value), settings);

  describe(`${policy.name}: ${type.split(":")[2]} ${written(path)}`, () => {
    for (const value of cases.right) {
      it(`accepts ${JSON.stringify(value) ?? "that it is missing"}`, () => {
        expect(judged(value)).to.deep.equal({ violations: [], undecided: [] });
      });
    }
    for (const value of cases.wrong) {
      it(`refuses ${JSON.stringify(value) ?? "that it is missing"}`, () => {
        const violations = [written(cases.reported ?? path)];
        expect(judged(value)).to.deep.equal({ violations, undecided: [] });
      });
    }
    it("says so when it is unknown", () => {
      expect(judged(unknown)).to.deep.equal({ violations: [], undecided: [written(path)] });
    });
  });
}

/** Type token of a resource of GitHub. */
export function github(kind: string): string {
  return `github:index/${kind.charAt(0).toLowerCase()}${kind.slice(1)}:${kind}`;
}
