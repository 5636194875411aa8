import { ActionsSecret } from "@pulumi/github/actionsSecret";
import { ActionsVariable } from "@pulumi/github/actionsVariable";
import { Branch } from "@pulumi/github/branch";
import { BranchDefault } from "@pulumi/github/branchDefault";
import { IssueLabel } from "@pulumi/github/issueLabel";
import { Provider } from "@pulumi/github/provider";
import { Repository } from "@pulumi/github/repository";
import * as pulumi from "@pulumi/pulumi";
import type { Secrets } from "../config";
import type { GithubSettings } from "../config/github";
import { RepositoryActions } from "./actions";
import { DeploymentEnvironment } from "./environment";
import { BranchRuleset } from "./ruleset";

export interface GithubRepositoryArgs {
  readonly settings: GithubSettings;
  /** Values of Actions secrets by name. */
  readonly secrets: Secrets["github"];
}

/**
 * The repository as the platform wants it: rules for its branches, environments to deploy to, what Actions may know.
 * The provider takes its token from `GITHUB_TOKEN`.
 */
export class GithubRepository extends pulumi.ComponentResource {
  /** Name of the repository, once it is there. */
  readonly repository: pulumi.Output<string>;

  constructor(name: string, args: GithubRepositoryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:github:GithubRepository", name, {}, opts);
    const { settings, secrets } = args;
    const provider = new Provider(`${name}-provider`, { owner: settings.owner }, { parent: this });
    const parent = { parent: this, provider };
    const { secretScanning, ...described } = settings.repository;
    const status = secretScanning ? "enabled" : "disabled";
    const created = new Repository(
      `${name}-repository`,
      {
        ...described,
        autoInit: true,
        hasIssues: true,
        hasWiki: false,
        hasProjects: false,
        deleteBranchOnMerge: true,
        allowMergeCommit: false,
        allowRebaseMerge: false,
        allowSquashMerge: true,
        allowAutoMerge: true,
        vulnerabilityAlerts: true,
        securityAndAnalysis: { secretScanning: { status }, secretScanningPushProtection: { status } },
        // What this program removes by mistake is archived, not gone.
        archiveOnDestroy: true,
      },
      parent,
    );
    const repository = created.name;
    this.repository = repository;
    new BranchDefault(`${name}-default-branch`, { repository, branch: "main" }, parent);
    const develop = new Branch(
      `${name}-develop`,
      { repository, branch: "develop", sourceBranch: "main" },
      parent,
    );
    for (const branch of ["main", "develop"] as const) {
      new BranchRuleset(
        `${name}-${branch}-rules`,
        { repository, branch, settings: settings.rulesets[branch] },
        { ...parent, dependsOn: [develop] },
      );
    }
    new RepositoryActions(`${name}-actions`, { repository, allowed: settings.allowedActions }, { ...parent });
    for (const environment of ["staging", "production"] as const) {
      new DeploymentEnvironment(
        `${name}-${environment}`,
        { repository, environment, settings: settings.environments[environment], secrets },
        { ...parent },
      );
    }
    for (const [variableName, value] of Object.entries(settings.variables)) {
      new ActionsVariable(`${name}-variable-${variableName}`, { repository, variableName, value }, parent);
    }
    for (const secretName of settings.secrets) {
      const value = secrets[secretName];
      new ActionsSecret(`${name}-secret-${secretName}`, { repository, secretName, value }, parent);
    }
    for (const [label, { color, description }] of Object.entries(settings.labels)) {
      new IssueLabel(`${name}-label-${label}`, { repository, name: label, color, description }, parent);
    }
    this.registerOutputs({ repository });
  }
}
