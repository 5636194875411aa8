import { expect } from "chai";
import { GithubRepository } from "../../../components/github";
import { judgeResource, judgeStack } from "../../../policy/frame/evaluate";
import { policies } from "../../../policy/policies";
import { at, settingsWith } from "../../support/components";
import { register, type JsonObject } from "../../support/mocks";
import { sentinel } from "../../support/settings";
import { runProgram } from "../../support/stacks";

const github = (type: string) => `github:index/${type.charAt(0).toLowerCase()}${type.slice(1)}:${type}`;

async function repository(changes: JsonObject = {}) {
  const { github: settings, secrets } = await settingsWith({ github: changes });
  if (settings === undefined) throw new Error("the settings have no repository");
  return register(() => new GithubRepository("github", { settings, secrets: secrets.github }));
}

describe("the repository on GitHub", () => {
  it("protects main and develop with a ruleset each, from which nobody is exempt", async () => {
    const { all } = await repository();
    const rulesets = all(github("RepositoryRuleset"));
    expect(rulesets.map(({ inputs }) => at(inputs, "conditions", "refName", "includes"))).to.deep.equal([
      ["refs/heads/main"],
      ["refs/heads/develop"],
    ]);
    for (const { inputs } of rulesets) {
      expect(inputs).to.include({ enforcement: "active" }).and.not.to.have.property("bypassActors");
      expect(inputs.rules).to.deep.include({
        deletion: true,
        nonFastForward: true,
        requiredLinearHistory: true,
      });
    }
    expect(at(rulesets[0]?.inputs, "rules", "pullRequest")).to.include({
      requiredApprovingReviewCount: 2,
      requireCodeOwnerReview: true,
    });
    expect(at(rulesets[0]?.inputs, "rules", "requiredSignatures")).to.equal(true);
  });

  it("asks for no check where none is named: GitHub would refuse an empty list", async () => {
    const { all } = await repository({ rulesets: { main: {}, develop: {} } });
    for (const { inputs } of all(github("RepositoryRuleset"))) {
      expect(inputs.rules).not.to.have.property("requiredStatusChecks");
    }
  });

  it("deploys to each environment from one branch only, production after a wait and a review", async () => {
    const { all } = await repository();
    const [staging, production] = all(github("RepositoryEnvironment")).map(({ inputs }) => inputs);
    expect(staging).to.deep.include({ environment: "staging", waitTimer: 0, reviewers: [] });
    expect(production).to.deep.include({ environment: "production", waitTimer: 10, canAdminsBypass: false });
    expect(at(production, "reviewers", 0, "teams")).to.have.length(1);
    const branches = all(github("RepositoryEnvironmentDeploymentPolicy")).map(
      ({ inputs }) => inputs.branchPattern,
    );
    expect(branches).to.deep.equal(["develop", "main"]);
  });

  it("lets workflows use GitHub's own actions by their commit, and others by name", async () => {
    const permissions = async (changes: JsonObject) =>
      (await repository(changes)).all(github("ActionsRepositoryPermissions")).map(({ inputs }) => inputs);
    expect(await permissions({})).to.deep.equal([
      {
        repository: "technova-platform",
        allowedActions: "selected",
        allowedActionsConfig: { githubOwnedAllowed: true, verifiedAllowed: false },
        shaPinningRequired: true,
      },
    ]);
    const allowed = ["docker/login-action@*"];
    const [others] = await permissions({ allowedActions: allowed });
    expect(at(others, "allowedActionsConfig", "patternsAlloweds")).to.deep.equal(allowed);
  });

  it("gives workflows a token that reads and approves nothing", async () => {
    const { all } = await repository();
    expect(all(github("WorkflowRepositoryPermissions")).map(({ inputs }) => inputs)).to.deep.equal([
      {
        repository: "technova-platform",
        defaultWorkflowPermissions: "read",
        canApprovePullRequestReviews: false,
      },
    ]);
  });

  it("has GitHub look for secrets, unless the organisation cannot", async () => {
    const status = async (secretScanning: boolean) => {
      const { all } = await repository({ repository: { name: "technova-platform", secretScanning } });
      const [found] = all(github("Repository"));
      expect(found?.inputs).not.to.have.property("secretScanning");
      return ["secretScanning", "secretScanningPushProtection"].map((feature) =>
        at(found?.inputs, "securityAndAnalysis", feature, "status"),
      );
    };
    expect(await status(true)).to.deep.equal(["enabled", "enabled"]);
    expect(await status(false)).to.deep.equal(["disabled", "disabled"]);
  });

  it("hands secrets to Actions without showing them, generated ones too", async () => {
    const { all, resources } = await repository({
      environments: {
        staging: { branch: "develop", generatedSecrets: ["WEBHOOK_KEY"] },
        production: { branch: "main" },
      },
    });
    const [secret] = all(github("ActionsSecret"));
    expect(secret?.inputs).to.include({ secretName: "KUBECONFIG", value: "[secret]" });
    expect(secret?.plain.value).to.equal(sentinel);
    const [generated] = all(github("ActionsEnvironmentSecret"));
    expect(generated?.inputs).to.include({ environment: "staging", secretName: "WEBHOOK_KEY" });
    expect(generated?.inputs.value).to.equal("[secret]");
    expect(JSON.stringify(resources.map(({ inputs }) => inputs))).not.to.contain(sentinel);
  });

  it("has variables and labels", async () => {
    const { all } = await repository();
    expect(all(github("ActionsVariable")).map(({ inputs }) => inputs)).to.deep.include({
      repository: "technova-platform",
      variableName: "REGION",
      value: "north",
    });
    expect(all(github("IssueLabel")).map(({ inputs }) => inputs.name)).to.include("security");
  });

  it("is what the policies want of a repository", async () => {
    const { resources } = await repository();
    const given = resources.map(({ type, name, inputs }) => ({ type, urn: name, props: inputs }));
    const findings = policies
      .filter(({ area }) => area === "github")
      .flatMap((policy) => [
        ...judgeStack(policy, given).values(),
        ...given.map((each) => judgeResource(policy, each)),
      ])
      .flatMap(({ violations, undecided }) => [
        ...violations,
        ...undecided.map((field) => ({ field, found: "" })),
      ]);
    expect(findings.map(({ field, found }) => `${field.path} ${found}`)).to.deep.equal([]);
  });

  it("belongs to one stack only", async () => {
    const owned = async (stack: "local" | "staging" | "production") => {
      const { resources } = await runProgram(stack, { preview: true });
      return resources.some(({ type }) => type.startsWith("github:"));
    };
    expect([await owned("local"), await owned("staging"), await owned("production")]).to.deep.equal([
      false,
      false,
      true,
    ]);
  });
});
