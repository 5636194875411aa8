import { changed, outcome, stackOutcome, unknown } from "../support/policy";
import {
  defaultBranch,
  deployKeysReadOnly,
  noPublicRepositories,
  noSecretsInActionsVariables,
  repositoriesAreArchived,
  safeWebhooks,
  secretScanning,
  vulnerabilityAlerts,
} from "../../policy/github";
import { describeObjectPolicy, github } from "./fieldCases";
import { expect } from "chai";
import { judgeResource } from "../../policy/frame/evaluate";

const on = { status: "enabled" };
const repository = {
  name: "platform",
  visibility: "private",
  archiveOnDestroy: true,
  vulnerabilityAlerts: true,
  securityAndAnalysis: { secretScanning: on, secretScanningPushProtection: on },
};
const ofRepository = { type: github("Repository"), good: repository };
const sentinel = "correct-horse-battery";

describe("policy/github", () => {
  describeObjectPolicy(noPublicRepositories, {
    ...ofRepository,
    path: ["visibility"],
    right: ["private", "internal"],
    wrong: ["public", undefined],
  });
  describeObjectPolicy(noPublicRepositories, {
    ...ofRepository,
    path: ["visibility"],
    right: ["internal"],
    wrong: ["private", undefined],
    settings: { visibilities: ["internal"] },
  });
  describeObjectPolicy(noPublicRepositories, {
    type: github("Repository"),
    good: { name: "platform" },
    path: ["private"],
    right: [true],
    wrong: [false],
  });
  describeObjectPolicy(repositoriesAreArchived, {
    ...ofRepository,
    path: ["archiveOnDestroy"],
    right: [true],
    wrong: [false, undefined],
  });
  for (const feature of ["secretScanning", "secretScanningPushProtection"]) {
    describeObjectPolicy(secretScanning, {
      ...ofRepository,
      path: ["securityAndAnalysis", feature, "status"],
      right: ["enabled"],
      wrong: ["disabled", undefined],
    });
  }

  describe(vulnerabilityAlerts.name, () => {
    const alertsType = github("RepositoryVulnerabilityAlerts");
    const judged = (own: unknown, alerts?: object) =>
      stackOutcome(vulnerabilityAlerts, {
        repository: [github("Repository"), changed(repository, ["vulnerabilityAlerts"], own)],
        ...(alerts === undefined ? {} : { alerts: [alertsType, alerts] as const }),
      });
    const violation = { repository: { violations: ["vulnerabilityAlerts"], undecided: [] } };

    it("accepts the setting and a resource of its own", () => {
      expect(judged(true)).to.be.empty;
      expect(judged(undefined, { repository: "platform" })).to.be.empty;
      expect(judged(unknown, { repository: "platform", enabled: true })).to.be.empty;
    });
    it("refuses neither, and one that is off or another's", () => {
      for (const own of [false, undefined]) expect(judged(own)).to.deep.equal(violation);
      expect(judged(undefined, { repository: "platform", enabled: false })).to.deep.equal(violation);
      expect(judged(undefined, { repository: "other" })).to.deep.equal(violation);
    });
    it("says so when either is unknown", () => {
      expect(judged(unknown)).to.deep.equal({
        repository: { violations: [], undecided: ["vulnerabilityAlerts"] },
      });
      expect(judged(undefined, { repository: unknown })).to.deep.equal({
        alerts: { violations: [], undecided: ["repository"] },
      });
    });
  });

  describe(defaultBranch.name, () => {
    const judged = (choice?: object, settings?: object, own?: unknown) =>
      stackOutcome(
        defaultBranch,
        {
          repository: [github("Repository"), changed(repository, ["defaultBranch"], own)],
          ...(choice === undefined ? {} : { choice: [github("BranchDefault"), choice] as const }),
        },
        settings,
      );

    it("accepts main, or what the stack wants", () => {
      expect(judged({ repository: "platform", branch: "main" })).to.be.empty;
      expect(judged({ repository: "platform", branch: "trunk" }, { branch: "trunk" })).to.be.empty;
      expect(judged(undefined, {}, "main")).to.be.empty;
    });
    it("refuses another and none", () => {
      expect(judged({ repository: "platform", branch: "develop" })).to.deep.equal({
        choice: { violations: ["branch"], undecided: [] },
      });
      expect(judged()).to.deep.equal({ repository: { violations: ["defaultBranch"], undecided: [] } });
      expect(judged({ repository: "other", branch: "main" })).to.have.property("repository");
    });
    it("says so when it is unknown", () => {
      expect(judged({ repository: "platform", branch: unknown })).to.deep.equal({
        choice: { violations: [], undecided: ["branch"] },
      });
      expect(judged({ repository: unknown, branch: "main" })).to.deep.equal({
        choice: { violations: [], undecided: ["repository"] },
      });
    });
  });

  const webhook = { configuration: { url: "https://ci.example/hook", secret: sentinel }, events: ["push"] };
  for (const kind of ["RepositoryWebhook", "OrganizationWebhook"]) {
    const ofWebhook = { type: github(kind), good: webhook };
    describeObjectPolicy(safeWebhooks, {
      ...ofWebhook,
      path: ["configuration", "url"],
      right: ["https://ci.example/hook"],
      wrong: ["http://ci.example/hook", undefined],
    });
    describeObjectPolicy(safeWebhooks, {
      ...ofWebhook,
      path: ["configuration", "secret"],
      right: [sentinel],
      wrong: ["", undefined],
    });
    describeObjectPolicy(safeWebhooks, {
      ...ofWebhook,
      path: ["configuration", "insecureSsl"],
      right: [false, undefined],
      wrong: [true],
    });
    describeObjectPolicy(safeWebhooks, {
      ...ofWebhook,
      path: ["active"],
      right: [true, undefined],
      wrong: [false],
    });
  }
  it("never shows a webhook's address, which can have a token in it", () => {
    const props = changed(webhook, ["configuration", "url"], `http://ci.example/${sentinel}`);
    const resource = { type: github("RepositoryWebhook"), urn: "urn", props };
    const [finding] = judgeResource(safeWebhooks, resource).violations;
    expect(finding?.found).to.be.a("string").that.does.not.contain(sentinel);
  });

  describeObjectPolicy(deployKeysReadOnly, {
    type: github("RepositoryDeployKey"),
    good: { repository: "platform", title: "ci" },
    path: ["readOnly"],
    right: [true, undefined],
    wrong: [false],
  });

  for (const kind of ["ActionsVariable", "ActionsEnvironmentVariable", "ActionsOrganizationVariable"]) {
    describeObjectPolicy(noSecretsInActionsVariables, {
      type: github(kind),
      good: { repository: "platform", variableName: "REGION", value: "north" },
      path: ["value"],
      right: ["north", undefined],
      wrong: [`ghp_${"a1B2".repeat(9)}`, `postgres://app:${sentinel}@db/app`],
    });
  }
  it("goes by a variable's name too, without showing its value", () => {
    const props = { variableName: "DEPLOY_TOKEN", value: sentinel };
    const resource = { type: github("ActionsVariable"), urn: "urn", props };
    const [finding] = judgeResource(noSecretsInActionsVariables, resource).violations;
    expect(finding?.found).to.be.a("string").that.does.not.contain(sentinel);
    const unnamed = outcome(noSecretsInActionsVariables, github("ActionsVariable"), {
      variableName: unknown,
      value: sentinel,
    });
    expect(unnamed.undecided).to.deep.equal(["variableName"]);
  });

  it("leaves kinds of Kubernetes alone that have the same names", () => {
    for (const policy of [noPublicRepositories, repositoriesAreArchived, secretScanning]) {
      expect(outcome(policy, "kubernetes:source.example/v1:Repository", {}).violations).to.be.empty;
    }
    for (const policy of [safeWebhooks, deployKeysReadOnly, noSecretsInActionsVariables]) {
      for (const kind of ["RepositoryWebhook", "RepositoryDeployKey", "ActionsVariable"]) {
        const props = { readOnly: false, value: `ghp_${"a1B2".repeat(9)}` };
        expect(outcome(policy, `kubernetes:source.example/v1:${kind}`, props).violations).to.be.empty;
      }
    }
  });
});
