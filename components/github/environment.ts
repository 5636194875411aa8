import { ActionsEnvironmentSecret } from "@pulumi/github/actionsEnvironmentSecret";
import { ActionsEnvironmentVariable } from "@pulumi/github/actionsEnvironmentVariable";
import { RepositoryEnvironment } from "@pulumi/github/repositoryEnvironment";
import { RepositoryEnvironmentDeploymentPolicy } from "@pulumi/github/repositoryEnvironmentDeploymentPolicy";
import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword";
import type { Secrets } from "../config";
import type { EnvironmentSettings } from "../config/github";

export interface DeploymentEnvironmentArgs {
  readonly repository: pulumi.Input<string>;
  readonly environment: string;
  readonly settings: EnvironmentSettings;
  /** Values of Actions secrets by name. */
  readonly secrets: Secrets["github"];
}

/** An environment that Actions deploys to: from one branch only, after a wait and a review where the stack wants it. */
export class DeploymentEnvironment extends pulumi.ComponentResource {
  constructor(name: string, args: DeploymentEnvironmentArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:github:DeploymentEnvironment", name, {}, opts);
    const parent = { parent: this };
    const { repository, settings } = args;
    const teams = settings.reviewerTeamIds;
    const { environment } = new RepositoryEnvironment(
      `${name}-environment`,
      {
        repository,
        environment: args.environment,
        canAdminsBypass: false,
        preventSelfReview: settings.preventSelfReview,
        waitTimer: settings.waitMinutes,
        reviewers: teams.length === 0 ? [] : [{ teams }],
        deploymentBranchPolicy: { protectedBranches: false, customBranchPolicies: true },
      },
      parent,
    );
    new RepositoryEnvironmentDeploymentPolicy(
      `${name}-branch`,
      { repository, environment, branchPattern: settings.branch },
      parent,
    );
    for (const [variableName, value] of Object.entries(settings.variables)) {
      new ActionsEnvironmentVariable(
        `${name}-variable-${variableName}`,
        { repository, environment, variableName, value },
        parent,
      );
    }
    const secret = (secretName: string, value: pulumi.Input<string> | undefined) =>
      new ActionsEnvironmentSecret(
        `${name}-secret-${secretName}`,
        { repository, environment, secretName, value },
        parent,
      );
    for (const secretName of settings.secrets) secret(secretName, args.secrets[secretName]);
    for (const secretName of settings.generatedSecrets) {
      const generated = new RandomPassword(
        `${name}-generated-${secretName}`,
        { length: 40, special: false },
        parent,
      );
      secret(secretName, generated.result);
    }
    this.registerOutputs();
  }
}
