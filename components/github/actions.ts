import { ActionsRepositoryPermissions } from "@pulumi/github/actionsRepositoryPermissions";
import { WorkflowRepositoryPermissions } from "@pulumi/github/workflowRepositoryPermissions";
import * as pulumi from "@pulumi/pulumi";

export interface RepositoryActionsArgs {
  readonly repository: pulumi.Input<string>;
  /** Actions of others that workflows may use, besides GitHub's own. */
  readonly allowed: readonly string[];
}

/** What workflows may use and do: chosen actions by their commit, and a token that reads unless a job asks for more. */
export class RepositoryActions extends pulumi.ComponentResource {
  constructor(name: string, args: RepositoryActionsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:github:RepositoryActions", name, {}, opts);
    const { repository, allowed } = args;
    const parent = { parent: this };
    new ActionsRepositoryPermissions(
      `${name}-allowed`,
      {
        repository,
        allowedActions: "selected",
        allowedActionsConfig: {
          githubOwnedAllowed: true,
          verifiedAllowed: false,
          ...(allowed.length === 0 ? {} : { patternsAlloweds: [...allowed] }),
        },
        shaPinningRequired: true,
      },
      parent,
    );
    new WorkflowRepositoryPermissions(
      `${name}-token`,
      { repository, defaultWorkflowPermissions: "read", canApprovePullRequestReviews: false },
      parent,
    );
    this.registerOutputs();
  }
}
