import {
  allowedActions,
  environmentsNameBranches,
  environmentsReviewed,
  pinnedActions,
  readOnlyWorkflowToken,
} from "../../policy/githubActions";
import { changed, outcome, type Path, stackOutcome, unknown, written } from "../support/policy";
import { describeObjectPolicy, github } from "./fieldCases";
import { expect } from "chai";

const repository = [github("Repository"), { name: "platform" }] as const;
const noEntry = { repository: { violations: ["name"], undecided: [] } };
const environment = {
  repository: "platform",
  environment: "production",
  preventSelfReview: true,
  reviewers: [{ teams: [1] }],
  deploymentBranchPolicy: { protectedBranches: false, customBranchPolicies: true },
};

describe("policy/githubActions", () => {
  describe(environmentsReviewed.name, () => {
    const judged = (path: Path, value: unknown, settings?: object) =>
      stackOutcome(
        environmentsReviewed,
        {
          repository,
          production: [github("RepositoryEnvironment"), changed(environment, path, value)],
        },
        settings,
      );
    const at = (path: Path) => ({ production: { violations: [written(path)], undecided: [] } });

    it("accepts a team or a user", () => {
      for (const who of [{ teams: [1] }, { users: [1], teams: [] }]) {
        expect(judged(["reviewers"], [who])).to.be.empty;
      }
    });
    it("refuses nobody", () => {
      for (const who of [undefined, [], [{}], [{ teams: [] }]]) {
        expect(judged(["reviewers"], who)).to.deep.equal(at(["reviewers"]));
      }
    });
    it("refuses that somebody approves what is their own", () => {
      for (const value of [false, undefined]) {
        expect(judged(["preventSelfReview"], value)).to.deep.equal(at(["preventSelfReview"]));
      }
    });
    it("refuses a repository without the environment", () => {
      expect(stackOutcome(environmentsReviewed, { repository })).to.deep.equal(noEntry);
      expect(judged(["repository"], "other")).to.deep.equal(noEntry);
    });
    it("asks nothing of other environments", () => {
      const found = judged(["reviewers"], [], { environments: [] });
      expect(found).to.be.empty;
    });
    it("says so when something of it is unknown", () => {
      for (const path of [
        ["environment"],
        ["repository"],
        ["preventSelfReview"],
        ["reviewers"],
        ["reviewers", 0, "teams"],
      ]) {
        expect(judged(path, unknown), written(path)).to.deep.equal({
          production: { violations: [], undecided: [written(path)] },
        });
      }
    });
  });

  for (const key of ["protectedBranches", "customBranchPolicies"]) {
    describeObjectPolicy(environmentsNameBranches, {
      type: github("RepositoryEnvironment"),
      good: changed(environment, ["deploymentBranchPolicy"], {}),
      path: ["deploymentBranchPolicy", key],
      right: [true],
      wrong: [false, undefined],
      reported: ["deploymentBranchPolicy"],
    });
  }
  for (const [kind, name, pattern] of [
    ["RepositoryEnvironmentDeploymentPolicy", "environment", "branchPattern"],
    ["RepositoryEnvironmentDeploymentPolicy", "environment", "tagPattern"],
    ["RepositoryDeploymentBranchPolicy", "environmentName", "name"],
  ] as const) {
    describeObjectPolicy(environmentsNameBranches, {
      type: github(kind),
      good: { repository: "platform", [name]: "production" },
      path: [pattern],
      right: ["main", "release/*", "v*", undefined],
      wrong: ["*", "**", "*/*", "**/*"],
    });
    describeObjectPolicy(environmentsNameBranches, {
      type: github(kind),
      good: { repository: "platform", [pattern]: "*" },
      path: [name],
      right: ["staging"],
      wrong: ["production"],
      reported: [pattern],
    });
  }

  for (const [policy, own, organization, key, right, wrong] of [
    [
      allowedActions,
      "ActionsRepositoryPermissions",
      "ActionsOrganizationPermissions",
      "allowedActions",
      ["selected", "localOnly"],
      ["all", undefined],
    ],
    [
      readOnlyWorkflowToken,
      "WorkflowRepositoryPermissions",
      "ActionsOrganizationWorkflowPermissions",
      "defaultWorkflowPermissions",
      ["read"],
      ["write", undefined],
    ],
  ] as const) {
    describe(policy.name, () => {
      const judged = (value: unknown, kind: string = own, more: object = { repository: "platform" }) =>
        stackOutcome(policy, {
          repository,
          permissions: [github(kind), changed(more, [key], value)],
        });

      it("accepts what is right, of the repository or of its organisation", () => {
        for (const value of right) {
          expect(judged(value)).to.be.empty;
          expect(judged(value, organization, {})).to.be.empty;
        }
      });
      it("refuses what is wrong or missing", () => {
        for (const value of wrong) {
          for (const kind of [own, organization]) {
            expect(judged(value, kind)).to.deep.equal({
              permissions: { violations: [key], undecided: [] },
            });
          }
        }
      });
      it("refuses a repository that has none", () => {
        expect(stackOutcome(policy, { repository })).to.deep.equal(noEntry);
        expect(judged(right[0], own, { repository: "other" })).to.deep.equal(noEntry);
      });
      it("says so when they are unknown, or whose they are", () => {
        expect(judged(unknown)).to.deep.equal({ permissions: { violations: [], undecided: [key] } });
        expect(judged(right[0], own, { repository: unknown })).to.deep.equal({
          permissions: { violations: [], undecided: ["repository"] },
        });
      });
    });
  }

  for (const kind of ["ActionsRepositoryPermissions", "ActionsOrganizationPermissions"]) {
    describeObjectPolicy(pinnedActions, {
      type: github(kind),
      good: { allowedActions: "selected" },
      path: ["shaPinningRequired"],
      right: [true],
      wrong: [false, undefined],
    });
  }

  it("accepts a repository where Actions is off", () => {
    const off = { repository: "platform", enabled: false };
    expect(outcome(pinnedActions, github("ActionsRepositoryPermissions"), off).violations).to.be.empty;
    const permissions = [github("ActionsRepositoryPermissions"), off] as const;
    expect(stackOutcome(allowedActions, { repository, permissions })).to.be.empty;
  });

  it("refuses that a workflow approves pull requests", () => {
    const judged = (value: unknown) =>
      stackOutcome(readOnlyWorkflowToken, {
        permissions: [
          github("WorkflowRepositoryPermissions"),
          {
            repository: "platform",
            defaultWorkflowPermissions: "read",
            canApprovePullRequestReviews: value,
          },
        ],
      });
    expect(judged(false)).to.be.empty;
    expect(judged(true).permissions?.violations).to.deep.equal(["canApprovePullRequestReviews"]);
    expect(judged(unknown).permissions?.undecided).to.deep.equal(["canApprovePullRequestReviews"]);
  });
});
