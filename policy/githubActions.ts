import { type Answer, answerOf, any, expectOne } from "./frame/answers";
import { belongsTo, githubObjects } from "./frame/github";
import { isAbsent, oneOf } from "./frame/tests";
import { type ObjectPolicy, type Parameter, type Policy, shown, type StackPolicy } from "./frame/policy";
import type { Target } from "./frame/objects";

interface OfEnvironments {
  readonly environments: readonly string[];
}

const environmentsOf: Parameter<readonly string[]> = {
  type: "array",
  items: { type: "string" },
  description: "The environments that it is about.",
  default: ["production"],
};

const environmentLink =
  "https://docs.github.com/en/actions/reference/workflows-and-actions/deployments-and-environments";
const tokenCheck = "https://github.com/ossf/scorecard/blob/main/docs/checks.md#token-permissions";

export const environmentsReviewed: StackPolicy<OfEnvironments> = {
  name: "environments-reviewed",
  area: "github",
  severity: "high",
  description: "A deployment to production waits until somebody else has approved it.",
  why: "A workflow that names an environment which does not exist makes one without any rule, and gets through.",
  remedy: [
    "Create a RepositoryEnvironment of that name with at least one team or user in reviewers.",
    "Set preventSelfReview to true.",
  ],
  link: environmentLink,
  parameters: { environments: environmentsOf },
  checkStack(objects, judgeOf, { environments }) {
    const existing = githubObjects(objects, "RepositoryEnvironment");
    for (const environment of existing) {
      const judge = judgeOf(environment);
      const name = environment.root.at("environment");
      if (!judge.knows(name) || !environments.includes(String(name.value))) continue;
      const reviewers = environment.root.at("reviewers");
      const teams = judge.items(reviewers).flatMap((each) => [each.at("teams"), each.at("users")]);
      const some = any(...teams.map((list) => answerOf(list, isFilled)));
      if (typeof some !== "boolean") judge.knows(some);
      else if (!some && judge.undecided.length === 0) judge.report(reviewers, "has no team and no user");
      judge.expect(environment.root.at("preventSelfReview"), oneOf(true));
    }
    for (const repository of githubObjects(objects, "Repository")) {
      for (const name of environments) {
        const candidates = existing
          .filter(({ root }) => root.at("environment").unknown || root.at("environment").value === name)
          .map((environment) => [environment, belongsTo(environment, repository)] as const);
        expectOne(judgeOf, candidates, () => {
          const field = repository.root.at("name");
          judgeOf(repository).report(field, `is ${shown(field.value)}, which has no environment ${name}`);
        });
      }
    }
  },
};

function isFilled(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}

export const environmentsNameBranches: ObjectPolicy<OfEnvironments> = {
  name: "environments-name-branches",
  area: "github",
  severity: "high",
  description: "Only named branches are deployed to production.",
  why: "Without it a workflow on any branch gets the environment's secrets, whatever rules main has.",
  remedy: [
    "Set deploymentBranchPolicy: protectedBranches, or customBranchPolicies and a deployment policy for each branch.",
    "Name the branches in the deployment policy instead of a pattern that all of them fit.",
  ],
  link: environmentLink,
  parameters: { environments: environmentsOf },
  kinds: [
    "RepositoryEnvironment",
    "RepositoryEnvironmentDeploymentPolicy",
    "RepositoryDeploymentBranchPolicy",
  ],
  checkObject({ group, kind, root }, judge, { environments }) {
    if (group !== "github") return;
    const isOlder = kind === "RepositoryDeploymentBranchPolicy";
    const name = root.at(isOlder ? "environmentName" : "environment");
    if (!judge.knows(name) || !environments.includes(String(name.value))) return;
    if (kind === "RepositoryEnvironment") {
      const policy = root.at("deploymentBranchPolicy");
      const chosen = any(
        ...["protectedBranches", "customBranchPolicies"].map((key) =>
          answerOf(policy.at(key), (value) => value === true),
        ),
      );
      if (typeof chosen !== "boolean") judge.knows(chosen);
      else if (!chosen) judge.report(policy, "names no branches");
      return;
    }
    for (const pattern of isOlder ? ["name"] : ["branchPattern", "tagPattern"]) {
      const accepts = (value: unknown) => isAbsent(value) || !/^[*?/]*$/.test(String(value));
      judge.expect(root.at(pattern), { accepts, wanted: "a pattern that names something" });
    }
  },
};

export const allowedActions: StackPolicy = {
  name: "allowed-actions",
  area: "github",
  severity: "high",
  description: "Workflows can only use actions that were chosen.",
  why: "By default any action that anybody publishes can run, with the token and the secrets of the workflow.",
  remedy: [
    'Create an ActionsRepositoryPermissions with allowedActions "selected" or "localOnly".',
    "Allow those of GitHub with githubOwnedAllowed, and others one by one in patternsAlloweds.",
  ],
  link: "https://docs.github.com/en/actions/reference/security/secure-use#using-third-party-actions",
  checkStack(objects, judgeOf) {
    const accepts = (value: unknown) => value === "selected" || value === "localOnly";
    const chosen = ({ root }: Target): Answer =>
      any(
        answerOf(root.at("allowedActions"), accepts),
        answerOf(root.at("enabled"), (value) => value === false),
        answerOf(root.at("enabledRepositories"), (value) => value === "none"),
      );
    expectPermissions(objects, judgeOf, chosen, "allowedActions", 'must be "selected" or "localOnly"', [
      "ActionsRepositoryPermissions",
      "ActionsOrganizationPermissions",
    ]);
  },
};

export const pinnedActions: ObjectPolicy = {
  name: "pinned-actions",
  area: "github",
  severity: "high",
  description: "Workflows name the commit of every action they use.",
  why: "A tag of an action can be moved to other code, which then runs with the token and secrets of the workflow.",
  remedy: [
    "Name every action in .github/workflows by its full commit, with the version in a comment.",
    "Set shaPinningRequired to true.",
  ],
  link: "https://github.com/ossf/scorecard/blob/main/docs/checks.md#pinned-dependencies",
  kinds: ["ActionsRepositoryPermissions", "ActionsOrganizationPermissions"],
  checkObject({ group, root }, judge) {
    if (group !== "github" || root.at("enabled").value === false) return;
    judge.expect(root.at("shaPinningRequired"), oneOf(true));
  },
};

export const readOnlyWorkflowToken: StackPolicy = {
  name: "read-only-workflow-token",
  area: "github",
  severity: "high",
  description: "The token of a workflow can read, unless the workflow asks for more, and approves nothing.",
  why: "With a token that writes by default, one bad step in any workflow changes the code or approves its own change.",
  remedy: [
    'Create a WorkflowRepositoryPermissions with defaultWorkflowPermissions "read".',
    "Set canApprovePullRequestReviews to false; give a job that writes its own permissions in the workflow.",
  ],
  link: tokenCheck,
  checkStack(objects, judgeOf) {
    const kinds = ["WorkflowRepositoryPermissions", "ActionsOrganizationWorkflowPermissions"];
    const reads = ({ root }: Target) =>
      answerOf(root.at("defaultWorkflowPermissions"), (value) => value === "read");
    expectPermissions(objects, judgeOf, reads, "defaultWorkflowPermissions", 'must be "read"', kinds);
    for (const permissions of githubObjects(objects, ...kinds)) {
      const approves = permissions.root.at("canApprovePullRequestReviews");
      const accepts = (value: unknown) => isAbsent(value) || value === false;
      judgeOf(permissions).expect(approves, { accepts, wanted: "false" });
    }
  },
};

/** Expects permissions of each repository, its own or its organisation's, and that none of them are too wide. */
function expectPermissions(
  objects: readonly Target[],
  judgeOf: Parameters<StackPolicy["checkStack"]>[1],
  isRight: (permissions: Target) => Answer,
  key: string,
  must: string,
  [own = "", organization = ""]: readonly string[],
): void {
  const all = githubObjects(objects, own, organization);
  for (const permissions of all) {
    const field = permissions.root.at(key);
    expectOne(judgeOf, [[permissions, isRight(permissions)]], () => {
      judgeOf(permissions).report(field, `is ${shown(field.value)}, ${must}`);
    });
  }
  for (const repository of githubObjects(objects, "Repository")) {
    const candidates = all.map((permissions) => {
      return [permissions, permissions.kind === organization || belongsTo(permissions, repository)] as const;
    });
    expectOne(judgeOf, candidates, () => {
      const name = repository.root.at("name");
      judgeOf(repository).report(name, `is ${shown(name.value)}, which has no ${own}`);
    });
  }
}

export const githubActionsPolicies: readonly Policy[] = [
  environmentsReviewed,
  environmentsNameBranches,
  allowedActions,
  pinnedActions,
  readOnlyWorkflowToken,
];
