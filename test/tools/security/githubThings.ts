import type { Body, Thing } from "./things";

/** The repository and its rules, as every policy about GitHub wants them. */
export function githubThings(): Thing[] {
  const github = (type: string, object: Body): Thing => ({ type: `github:index/${type}`, object, path: [] });
  const repository = "platform";
  const enabled = { status: "enabled" };
  const ruleset = (branch: string) =>
    github("repositoryRuleset:RepositoryRuleset", {
      repository,
      name: branch,
      target: "branch",
      enforcement: "active",
      conditions: { refName: { includes: [`refs/heads/${branch}`], excludes: [] } },
      rules: {
        deletion: true,
        nonFastForward: true,
        requiredLinearHistory: true,
        requiredSignatures: true,
        pullRequest: {
          requiredApprovingReviewCount: 2,
          requireCodeOwnerReview: true,
          dismissStaleReviewsOnPush: true,
          requireLastPushApproval: true,
          requiredReviewThreadResolution: true,
        },
        requiredStatusChecks: {
          requiredChecks: [{ context: "test" }, { context: "preview" }],
          strictRequiredStatusChecksPolicy: true,
        },
      },
    });
  const environment = (name: string) =>
    github("repositoryEnvironment:RepositoryEnvironment", {
      repository,
      environment: name,
      canAdminsBypass: false,
      preventSelfReview: true,
      reviewers: [{ teams: [1] }],
      deploymentBranchPolicy: { protectedBranches: false, customBranchPolicies: true },
    });
  const branchOf = (name: string, branchPattern: string) =>
    github("repositoryEnvironmentDeploymentPolicy:RepositoryEnvironmentDeploymentPolicy", {
      repository,
      environment: name,
      branchPattern,
    });
  return [
    github("repository:Repository", {
      name: repository,
      visibility: "private",
      vulnerabilityAlerts: true,
      securityAndAnalysis: { secretScanning: enabled, secretScanningPushProtection: enabled },
    }),
    github("branchDefault:BranchDefault", { repository, branch: "main" }),
    ruleset("main"),
    ruleset("develop"),
    environment("production"),
    branchOf("production", "main"),
    github("actionsRepositoryPermissions:ActionsRepositoryPermissions", {
      repository,
      allowedActions: "selected",
      allowedActionsConfig: { githubOwnedAllowed: true, verifiedAllowed: false },
      shaPinningRequired: true,
    }),
    github("workflowRepositoryPermissions:WorkflowRepositoryPermissions", {
      repository,
      defaultWorkflowPermissions: "read",
      canApprovePullRequestReviews: false,
    }),
  ];
}
