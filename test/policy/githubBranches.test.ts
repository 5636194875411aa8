import {
  branchesProtected,
  codeOwnerReview,
  noAdminBypass,
  noRewrittenHistory,
  requiredStatusChecks,
  reviewsRequired,
  signedCommits,
} from "../../policy/githubBranches";
import { changed, type Path, stackOutcome, unknown, written } from "../support/policy";
import { describeObjectPolicy, github } from "./fieldCases";
import { expect } from "chai";
import type { StackPolicy } from "../../policy/frame/policy";

const kinds = ["RepositoryRuleset", "BranchProtection", "BranchProtectionV3"] as const;
type Kind = (typeof kinds)[number];

/** What every policy accepts, for one branch. */
const good: Record<Kind, (branch: string) => object> = {
  RepositoryRuleset: (branch) => ({
    repository: "platform",
    target: "branch",
    enforcement: "active",
    conditions: { refName: { includes: [`refs/heads/${branch}`], excludes: [] } },
    rules: {
      deletion: true,
      nonFastForward: true,
      requiredSignatures: true,
      pullRequest: {
        requiredApprovingReviewCount: 2,
        requireCodeOwnerReview: true,
        dismissStaleReviewsOnPush: true,
      },
      requiredStatusChecks: {
        requiredChecks: [{ context: "test" }],
        strictRequiredStatusChecksPolicy: true,
      },
    },
  }),
  BranchProtection: (branch) => ({
    repositoryId: "R_1",
    pattern: branch,
    enforceAdmins: true,
    requireSignedCommits: true,
    requiredPullRequestReviews: [
      { requiredApprovingReviewCount: 2, requireCodeOwnerReviews: true, dismissStaleReviews: true },
    ],
    requiredStatusChecks: [{ contexts: ["test"], strict: true }],
  }),
  BranchProtectionV3: (branch) => ({
    repository: "platform",
    branch,
    enforceAdmins: true,
    requireSignedCommits: true,
    requiredPullRequestReviews: {
      requiredApprovingReviewCount: 2,
      requireCodeOwnerReviews: true,
      dismissStaleReviews: true,
    },
    requiredStatusChecks: { checks: ["test"], strict: true },
  }),
};
const repository = [github("Repository"), { name: "platform", nodeId: "R_1" }] as const;

/** The repository with a protection of main, as it is or changed, and a good one of develop. */
function judged<S>(policy: StackPolicy<S>, kind: Kind, path: Path = [], value?: unknown, settings?: object) {
  const main = path.length === 0 ? good[kind]("main") : changed(good[kind]("main"), path, value);
  const resources = {
    repository,
    main: [github(kind), main] as const,
    develop: [github(kind), good[kind]("develop")] as const,
  };
  return stackOutcome(policy, resources, settings);
}

interface Case<S> {
  readonly policy: StackPolicy<S>;
  readonly paths: Readonly<Partial<Record<Kind, Path>>>;
  readonly right: readonly unknown[];
  readonly wrong: readonly unknown[];
  readonly settings?: object;
}

function describeBranchPolicy<S>({ policy, paths, right, wrong, settings }: Case<S>): void {
  for (const [kind, path] of Object.entries(paths) as [Kind, Path][]) {
    describe(`${policy.name}: ${kind} ${written(path)}`, () => {
      const given = (value: unknown) => judged(policy, kind, path, value, settings);
      it("accepts what is right", () => {
        for (const value of right) expect(given(value), JSON.stringify(value)).to.be.empty;
      });
      it("refuses what is wrong or missing", () => {
        for (const value of wrong) {
          expect(given(value), JSON.stringify(value)).to.deep.equal({
            main: { violations: [written(path)], undecided: [] },
          });
        }
      });
      it("says so when it is unknown", () => {
        expect(given(unknown)).to.deep.equal({ main: { violations: [], undecided: [written(path)] } });
      });
    });
  }
}

const reviews = (inRuleset: string, inProtection = inRuleset): Readonly<Record<Kind, Path>> => ({
  RepositoryRuleset: ["rules", "pullRequest", inRuleset],
  BranchProtection: ["requiredPullRequestReviews", 0, inProtection],
  BranchProtectionV3: ["requiredPullRequestReviews", inProtection],
});

describe("policy/githubBranches", () => {
  describe(branchesProtected.name, () => {
    const unprotected = { repository: { violations: ["name"], undecided: [] } };
    const conditions = ["conditions", "refName"];
    const ruleset = (path: Path, value: unknown) =>
      judged(branchesProtected, "RepositoryRuleset", path, value);

    for (const kind of kinds) {
      it(`accepts a ${kind} for each branch`, () => expect(judged(branchesProtected, kind)).to.be.empty);
    }
    it("accepts patterns", () => {
      for (const names of ["refs/heads/m*", "refs/heads/**", "~ALL", "~DEFAULT_BRANCH"]) {
        expect(ruleset([...conditions, "includes"], [names]), names).to.be.empty;
      }
      expect(judged(branchesProtected, "BranchProtection", ["pattern"], "ma?n")).to.be.empty;
    });
    it("refuses a repository without any", () => {
      expect(stackOutcome(branchesProtected, { repository })).to.deep.equal({
        repository: { violations: ["name", "name"], undecided: [] },
      });
    });
    it("asks only for the branches that it is told", () => {
      expect(stackOutcome(branchesProtected, { repository }, { branches: [] })).to.be.empty;
    });
    for (const [what, path, value] of [
      ["is not in force", ["enforcement"], "evaluate"],
      ["is for tags", ["target"], "tag"],
      ["is for another branch", [...conditions, "includes"], ["refs/heads/other"]],
      ["has no slash in its pattern", [...conditions, "includes"], ["refs/*"]],
      ["names no branch", [...conditions, "includes"], undefined],
      ["leaves the branch out", [...conditions, "excludes"], ["refs/heads/ma*"]],
      ["belongs to another repository", ["repository"], "other"],
    ] as const) {
      it(`refuses a ruleset that ${what}`, () => expect(ruleset(path, value)).to.deep.equal(unprotected));
    }
    it("refuses an older protection for another branch or repository", () => {
      for (const [kind, key] of [
        ["BranchProtection", "pattern"],
        ["BranchProtection", "repositoryId"],
        ["BranchProtectionV3", "branch"],
        ["BranchProtectionV3", "repository"],
      ] as const) {
        expect(judged(branchesProtected, kind, [key], "other"), key).to.deep.equal(unprotected);
      }
    });
    it("says so when it is unknown whether one covers the branch", () => {
      for (const path of [["enforcement"], ["target"], ["repository"], [...conditions, "includes"]]) {
        expect(ruleset(path, unknown)).to.deep.equal({
          main: { violations: [], undecided: [written(path)] },
        });
      }
      for (const [kind, key] of [
        ["BranchProtection", "pattern"],
        ["BranchProtectionV3", "branch"],
      ] as const) {
        expect(judged(branchesProtected, kind, [key], unknown)).to.deep.equal({
          main: { violations: [], undecided: [key] },
        });
      }
    });
  });

  describeBranchPolicy({
    policy: reviewsRequired,
    paths: reviews("requiredApprovingReviewCount"),
    right: [1, 2, 6],
    wrong: [0, undefined],
  });
  describeBranchPolicy({
    policy: reviewsRequired,
    paths: reviews("requiredApprovingReviewCount"),
    right: [2],
    wrong: [1],
    settings: { approvals: 2 },
  });
  describeBranchPolicy({
    policy: reviewsRequired,
    paths: reviews("dismissStaleReviewsOnPush", "dismissStaleReviews"),
    right: [true],
    wrong: [false, undefined],
  });
  describeBranchPolicy({
    policy: codeOwnerReview,
    paths: reviews("requireCodeOwnerReview", "requireCodeOwnerReviews"),
    right: [true],
    wrong: [false, undefined],
  });
  describeBranchPolicy({
    policy: signedCommits,
    paths: {
      RepositoryRuleset: ["rules", "requiredSignatures"],
      BranchProtection: ["requireSignedCommits"],
      BranchProtectionV3: ["requireSignedCommits"],
    },
    right: [true],
    wrong: [false, undefined],
  });
  describeBranchPolicy({
    policy: requiredStatusChecks,
    paths: {
      RepositoryRuleset: ["rules", "requiredStatusChecks", "requiredChecks"],
      BranchProtection: ["requiredStatusChecks", 0, "contexts"],
      BranchProtectionV3: ["requiredStatusChecks", "checks"],
    },
    right: [["test"]],
    wrong: [[], undefined],
  });
  describeBranchPolicy({
    policy: requiredStatusChecks,
    paths: {
      RepositoryRuleset: ["rules", "requiredStatusChecks", "strictRequiredStatusChecksPolicy"],
      BranchProtection: ["requiredStatusChecks", 0, "strict"],
      BranchProtectionV3: ["requiredStatusChecks", "strict"],
    },
    right: [true],
    wrong: [false, undefined],
  });
  it("accepts the older name of the checks", () => {
    const older = { contexts: ["test"], strict: true };
    const found = judged(requiredStatusChecks, "BranchProtectionV3", ["requiredStatusChecks"], older);
    expect(found).to.be.empty;
  });
  for (const rule of ["nonFastForward", "deletion"]) {
    describeBranchPolicy({
      policy: noRewrittenHistory,
      paths: { RepositoryRuleset: ["rules", rule] },
      right: [true],
      wrong: [false, undefined],
    });
  }
  for (const permission of ["allowsForcePushes", "allowsDeletions"]) {
    describeBranchPolicy({
      policy: noRewrittenHistory,
      paths: { BranchProtection: [permission] },
      right: [false, undefined],
      wrong: [true],
    });
  }
  it("knows that the third version of branch protection never lets history be rewritten", () => {
    expect(judged(noRewrittenHistory, "BranchProtectionV3")).to.be.empty;
  });

  describe("several protections of one branch", () => {
    const main = good.RepositoryRuleset("main");
    const lax = changed(main, ["rules", "pullRequest"], undefined);
    const judgedTogether = (...others: readonly object[]) =>
      stackOutcome(
        reviewsRequired,
        Object.fromEntries(
          [lax, ...others].map((each, index) => [
            `rules${index}`,
            [github("RepositoryRuleset"), each] as const,
          ]),
        ),
      );

    it("add up", () => expect(judgedTogether(main)).to.be.empty);
    it("are judged although their repository is not in the stack", () => {
      expect(judgedTogether()).to.deep.equal({
        rules0: {
          violations: [
            "rules.pullRequest.requiredApprovingReviewCount",
            "rules.pullRequest.dismissStaleReviewsOnPush",
          ],
          undecided: [],
        },
      });
    });
    it("do not add up when they are in different repositories", () => {
      expect(judgedTogether(changed(main, ["repository"], "other"))).to.have.property("rules0");
    });
  });

  const nobody = { right: [undefined, []] };
  for (const kind of ["RepositoryRuleset", "OrganizationRuleset"]) {
    describeObjectPolicy(noAdminBypass, {
      type: github(kind),
      good: good.RepositoryRuleset("main"),
      path: ["bypassActors"],
      ...nobody,
      wrong: [[{ actorType: "OrganizationAdmin", bypassMode: "always" }]],
    });
  }
  for (const kind of ["BranchProtection", "BranchProtectionV3"] as const) {
    describeObjectPolicy(noAdminBypass, {
      type: github(kind),
      good: good[kind]("main"),
      path: ["enforceAdmins"],
      right: [true],
      wrong: [false, undefined],
    });
  }
  for (const [kind, path] of [
    ["BranchProtection", ["forcePushBypassers"]],
    ["BranchProtection", ["requiredPullRequestReviews", 0, "pullRequestBypassers"]],
    ["BranchProtectionV3", ["requiredPullRequestReviews", "bypassPullRequestAllowances", "users"]],
    ["BranchProtectionV3", ["requiredPullRequestReviews", "bypassPullRequestAllowances", "apps"]],
  ] as const) {
    describeObjectPolicy(noAdminBypass, {
      type: github(kind),
      good: good[kind]("main"),
      path,
      ...nobody,
      wrong: [["/somebody"]],
    });
  }
  describeObjectPolicy(noAdminBypass, {
    type: github("RepositoryEnvironment"),
    good: { repository: "platform", environment: "production" },
    path: ["canAdminsBypass"],
    right: [false],
    wrong: [true, undefined],
  });
});
