import { RepositoryRuleset } from "@pulumi/github/repositoryRuleset";
import * as pulumi from "@pulumi/pulumi";
import type { RulesetSettings } from "../config/github";

export interface BranchRulesetArgs {
  readonly repository: pulumi.Input<string>;
  readonly branch: string;
  readonly settings: RulesetSettings;
}

/** The rules of one branch: reviewed pull requests, passed checks, no rewriting of history; nobody is exempt. */
export class BranchRuleset extends pulumi.ComponentResource {
  constructor(name: string, args: BranchRulesetArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:github:BranchRuleset", name, {}, opts);
    const { repository, branch, settings } = args;
    const checks = settings.requiredChecks;
    new RepositoryRuleset(
      `${name}-ruleset`,
      {
        repository,
        name: branch,
        target: "branch",
        enforcement: "active",
        conditions: { refName: { includes: [`refs/heads/${branch}`], excludes: [] } },
        rules: {
          deletion: true,
          nonFastForward: true,
          requiredLinearHistory: true,
          requiredSignatures: settings.signedCommits,
          pullRequest: {
            requiredApprovingReviewCount: settings.approvals,
            requireCodeOwnerReview: settings.codeOwnerReview,
            dismissStaleReviewsOnPush: true,
            requireLastPushApproval: settings.approvals > 0,
            requiredReviewThreadResolution: true,
          },
          ...(checks.length === 0
            ? {}
            : {
                requiredStatusChecks: {
                  requiredChecks: checks.map((context) => ({ context })),
                  strictRequiredStatusChecksPolicy: true,
                },
              }),
        },
      },
      { parent: this },
    );
    this.registerOutputs();
  }
}
