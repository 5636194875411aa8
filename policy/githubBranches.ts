import { all, expectOne } from "./frame/answers";
import { belongsTo, githubObjects } from "./frame/github";
import { covers, expectOnBranches, githubProtections, type Need } from "./frame/branches";
import { type ObjectPolicy, type Parameter, type Policy, shown, type StackPolicy } from "./frame/policy";
import { absentOr, isAbsent, oneOf, type Test } from "./frame/tests";
import type { Field } from "./frame/field";

type Path = readonly (string | number)[];

const branchesOf = (branches: readonly string[]): Parameter<readonly string[]> => ({
  type: "array",
  items: { type: "string" },
  description: "The branches that it is about.",
  default: branches,
});

interface OfBranches {
  readonly branches: readonly string[];
}

const ruleLink =
  "https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/available-rules-for-rulesets";
const protectionCheck = "https://github.com/ossf/scorecard/blob/main/docs/checks.md#branch-protection";

type Wish = Omit<Test, "cel">;
const on: Wish = oneOf(true);

/** The same wish for all three kinds of protection, each with its own path. */
const need = (wish: Wish, paths: Readonly<Record<keyof Need, Path>>): Need => ({
  RepositoryRuleset: (root) => ({ ...wish, field: root.at("rules", ...paths.RepositoryRuleset) }),
  BranchProtection: (root) => ({ ...wish, field: root.at(...paths.BranchProtection) }),
  BranchProtectionV3: (root) => ({ ...wish, field: root.at(...paths.BranchProtectionV3) }),
});

const ofReviews = (wish: Wish, inRuleset: string, inProtection = inRuleset): Need =>
  need(wish, {
    RepositoryRuleset: ["pullRequest", inRuleset],
    BranchProtection: ["requiredPullRequestReviews", 0, inProtection],
    BranchProtectionV3: ["requiredPullRequestReviews", inProtection],
  });

export const branchesProtected: StackPolicy<OfBranches> = {
  name: "branches-protected",
  area: "github",
  severity: "critical",
  description:
    "Every repository's main branches are under a ruleset or a branch protection that is in force.",
  why: "Without one everybody who may write pushes to the branch that releases come from, unseen by anyone else.",
  remedy: [
    'Create a RepositoryRuleset with target "branch", enforcement "active" and refs/heads/<branch> in its includes.',
  ],
  link: protectionCheck,
  parameters: { branches: branchesOf(["main", "develop"]) },
  checkStack(objects, judgeOf, { branches }) {
    for (const repository of githubObjects(objects, "Repository")) {
      for (const branch of branches) {
        const candidates = githubProtections(objects).map((protection) => {
          return [protection, all(belongsTo(protection, repository), covers(protection, branch))] as const;
        });
        expectOne(judgeOf, candidates, () => {
          const name = repository.root.at("name");
          judgeOf(repository).report(
            name,
            `is ${shown(name.value)}, which has no rules in force for ${branch}`,
          );
        });
      }
    }
  },
};

export const reviewsRequired: StackPolicy<OfBranches & { approvals: number }> = {
  name: "reviews-required",
  area: "github",
  severity: "high",
  description: "What gets into a protected branch was approved, as it is, by somebody else.",
  why: "One account that is stolen or mistaken is otherwise enough to release anything.",
  remedy: [
    "Set requiredApprovingReviewCount in the ruleset's pullRequest rule.",
    "Set dismissStaleReviewsOnPush, so that an approval does not count for what is pushed after it.",
  ],
  link: protectionCheck,
  parameters: {
    branches: branchesOf(["main", "develop"]),
    approvals: { type: "integer", description: "The least number of approvals.", minimum: 1, default: 1 },
  },
  checkStack(objects, judgeOf, { branches, approvals }) {
    const enough: Wish = {
      accepts: (value) => typeof value === "number" && value >= approvals,
      wanted: `at least ${approvals}`,
    };
    expectOnBranches(objects, judgeOf, branches, [
      ofReviews(enough, "requiredApprovingReviewCount"),
      ofReviews(on, "dismissStaleReviewsOnPush", "dismissStaleReviews"),
    ]);
  },
};

export const codeOwnerReview: StackPolicy<OfBranches> = {
  name: "code-owner-review",
  area: "github",
  severity: "medium",
  description: "What gets into main was approved by an owner of the code.",
  why: "Somebody who does not know the code approves what its owners would have stopped.",
  remedy: [
    "Name the owners in .github/CODEOWNERS.",
    "Set requireCodeOwnerReview in the ruleset's pullRequest rule.",
  ],
  link: "https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners",
  parameters: { branches: branchesOf(["main"]) },
  checkStack(objects, judgeOf, { branches }) {
    const byOwners = ofReviews(on, "requireCodeOwnerReview", "requireCodeOwnerReviews");
    expectOnBranches(objects, judgeOf, branches, [byOwners]);
  },
};

export const signedCommits: StackPolicy<OfBranches> = {
  name: "signed-commits",
  area: "github",
  severity: "medium",
  description: "Commits on main are signed.",
  why: "The author of a commit is just text: without a signature anybody can commit in the name of another.",
  remedy: ["Set requiredSignatures in the ruleset's rules, and tell everybody how to sign."],
  link: "https://docs.github.com/en/authentication/managing-commit-signature-verification/about-commit-signature-verification",
  parameters: { branches: branchesOf(["main"]) },
  checkStack(objects, judgeOf, { branches }) {
    const signed = need(on, {
      RepositoryRuleset: ["requiredSignatures"],
      BranchProtection: ["requireSignedCommits"],
      BranchProtectionV3: ["requireSignedCommits"],
    });
    expectOnBranches(objects, judgeOf, branches, [signed]);
  },
};

export const requiredStatusChecks: StackPolicy<OfBranches> = {
  name: "required-status-checks",
  area: "github",
  severity: "high",
  description: "Nothing gets into a protected branch before its checks have passed on the newest code.",
  why: "Tests that may fail stop nothing, and two changes that each pass can break the branch together.",
  remedy: [
    "Name at least one check in the ruleset's requiredStatusChecks rule.",
    "Set strictRequiredStatusChecksPolicy to true.",
  ],
  link: "https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/managing-protected-branches/about-protected-branches#require-status-checks-before-merging",
  parameters: { branches: branchesOf(["main", "develop"]) },
  checkStack(objects, judgeOf, { branches }) {
    const some: Wish = {
      accepts: (value) => Array.isArray(value) && value.length > 0,
      wanted: "a list with at least one check",
    };
    const checks = need(some, {
      RepositoryRuleset: ["requiredStatusChecks", "requiredChecks"],
      BranchProtection: ["requiredStatusChecks", 0, "contexts"],
      BranchProtectionV3: ["requiredStatusChecks", "checks"],
    });
    const strict = need(on, {
      RepositoryRuleset: ["requiredStatusChecks", "strictRequiredStatusChecksPolicy"],
      BranchProtection: ["requiredStatusChecks", 0, "strict"],
      BranchProtectionV3: ["requiredStatusChecks", "strict"],
    });
    const older = (root: Field) => root.at("requiredStatusChecks", "contexts");
    const BranchProtectionV3: Need["BranchProtectionV3"] = (root) => {
      const wanted = checks.BranchProtectionV3(root);
      return wanted && { ...wanted, field: wanted.field.or(older(root)) };
    };
    expectOnBranches(objects, judgeOf, branches, [{ ...checks, BranchProtectionV3 }, strict]);
  },
};

export const noRewrittenHistory: StackPolicy<OfBranches> = {
  name: "no-rewritten-history",
  area: "github",
  severity: "high",
  description: "Nobody can force-push to a protected branch or delete it.",
  why: "A rewritten branch no longer shows what was reviewed and released, and what was there before is lost.",
  remedy: ["Set nonFastForward and deletion in the ruleset's rules."],
  link: ruleLink,
  parameters: { branches: branchesOf(["main", "develop"]) },
  checkStack(objects, judgeOf, { branches }) {
    // A ruleset forbids what it names; the older protection forbids it unless it names it.
    const forbids = (rule: string, permission: string): Need => ({
      RepositoryRuleset: (root) => ({ ...on, field: root.at("rules", rule) }),
      BranchProtection: (root) => ({ ...absentOr(false), field: root.at(permission) }),
      BranchProtectionV3: () => undefined,
    });
    expectOnBranches(objects, judgeOf, branches, [
      forbids("nonFastForward", "allowsForcePushes"),
      forbids("deletion", "allowsDeletions"),
    ]);
  },
};

const nobody: Wish = {
  accepts: (value) => isAbsent(value) || (Array.isArray(value) && value.length === 0),
  wanted: "absent or empty",
};

export const noAdminBypass: ObjectPolicy = {
  name: "no-admin-bypass",
  area: "github",
  severity: "high",
  description: "Rules of branches and environments hold for everybody, administrators too.",
  why: "A rule that some may pass by is no help against a stolen account, and those accounts are what is stolen.",
  remedy: [
    "Leave bypassActors out of the ruleset; in a branch protection set enforceAdmins and name nobody who may bypass.",
    "Set canAdminsBypass to false in the environment.",
    "For an emergency, change the rule by this program, so that it is seen and taken back.",
  ],
  link: protectionCheck,
  kinds: [
    "RepositoryRuleset",
    "OrganizationRuleset",
    "BranchProtection",
    "BranchProtectionV3",
    "RepositoryEnvironment",
  ],
  checkObject({ group, kind, root }, judge) {
    if (group !== "github") return;
    if (kind.endsWith("Ruleset")) judge.expect(root.at("bypassActors"), nobody);
    if (kind === "RepositoryEnvironment") judge.expect(root.at("canAdminsBypass"), oneOf(false));
    if (!kind.startsWith("BranchProtection")) return;
    judge.expect(root.at("enforceAdmins"), oneOf(true));
    const reviews = root.at("requiredPullRequestReviews");
    if (kind === "BranchProtection") {
      judge.expect(root.at("forcePushBypassers"), nobody);
      judge.expect(reviews.at(0, "pullRequestBypassers"), nobody);
      return;
    }
    for (const who of ["users", "teams", "apps"]) {
      judge.expect(reviews.at("bypassPullRequestAllowances", who), nobody);
    }
  },
};

export const githubBranchPolicies: readonly Policy[] = [
  branchesProtected,
  reviewsRequired,
  codeOwnerReview,
  signedCommits,
  requiredStatusChecks,
  noRewrittenHistory,
  noAdminBypass,
];
