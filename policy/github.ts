import { absentOr, absentOrNot, isAbsent, oneOf } from "./frame/tests";
import { belongsTo, githubObjects } from "./frame/github";
import { all, answerOf, expectOne } from "./frame/answers";
import { type Judge, type ObjectPolicy, type Policy, type StackPolicy } from "./frame/policy";
import { credentialFor } from "./frame/credentials";

export const noPublicRepositories: ObjectPolicy<{ visibilities: readonly string[] }> = {
  name: "no-public-repositories",
  area: "github",
  severity: "critical",
  description: "No repository is open to everybody.",
  why: "A repository without a visibility is public: the whole world reads the platform, and its history for good.",
  remedy: ['Set visibility to "private", or to "internal" where an enterprise owns the organisation.'],
  link: "https://docs.github.com/en/repositories/creating-and-managing-repositories/about-repositories#about-repository-visibility",
  parameters: {
    visibilities: {
      type: "array",
      items: { type: "string" },
      description: "The visibilities that a repository may have.",
      default: ["private", "internal"],
    },
  },
  kinds: ["Repository"],
  checkObject({ group, root }, judge, { visibilities }) {
    if (group !== "github") return;
    const visibility = root.at("visibility");
    const isPrivate = root.at("private");
    // The older setting, which counts where the newer one is not given.
    const older = visibility.absent && visibilities.includes("private") && !isPrivate.absent;
    if (older) judge.expect(isPrivate, oneOf(true));
    else judge.expect(visibility, oneOf(...visibilities));
  },
};

export const repositoriesAreArchived: ObjectPolicy = {
  name: "repositories-are-archived",
  area: "github",
  severity: "high",
  description: "A repository that the program no longer has is archived, not deleted.",
  why: "A deleted repository takes issues, reviews and releases with it; an archived one can be brought back.",
  remedy: ["Set archiveOnDestroy to true."],
  link: "https://docs.github.com/en/repositories/archiving-a-github-repository/archiving-repositories",
  kinds: ["Repository"],
  checkObject({ group, root }, judge) {
    if (group === "github") judge.expect(root.at("archiveOnDestroy"), oneOf(true));
  },
};

export const secretScanning: ObjectPolicy = {
  name: "secret-scanning",
  area: "github",
  severity: "high",
  description: "GitHub looks for secrets in every repository and refuses pushes that have one.",
  why: "A secret that was pushed once is known for good: it has to be found at once, or better not get in.",
  remedy: [
    'Set securityAndAnalysis.secretScanning.status and secretScanningPushProtection.status to "enabled".',
    "For a private repository the organisation needs GitHub Secret Protection.",
  ],
  link: "https://docs.github.com/en/code-security/secret-scanning/introduction/about-push-protection",
  kinds: ["Repository"],
  checkObject({ group, root }, judge) {
    if (group !== "github") return;
    for (const feature of ["secretScanning", "secretScanningPushProtection"]) {
      judge.expect(root.at("securityAndAnalysis", feature, "status"), oneOf("enabled"));
    }
  },
};

export const vulnerabilityAlerts: StackPolicy = {
  name: "vulnerability-alerts",
  area: "github",
  severity: "high",
  description: "GitHub tells of known vulnerabilities in what every repository depends on.",
  why: "Without alerts a dependency with a published hole stays until somebody happens to hear of it.",
  remedy: ["Set vulnerabilityAlerts to true, or create a RepositoryVulnerabilityAlerts for the repository."],
  link: "https://github.com/ossf/scorecard/blob/main/docs/checks.md#vulnerabilities",
  checkStack(objects, judgeOf) {
    for (const repository of githubObjects(objects, "Repository")) {
      const own = repository.root.at("vulnerabilityAlerts");
      const separate = githubObjects(objects, "RepositoryVulnerabilityAlerts").map((alerts) => {
        const enabled = answerOf(alerts.root.at("enabled"), (value) => value !== false);
        return [alerts, all(belongsTo(alerts, repository), enabled)] as const;
      });
      const candidates = [[repository, answerOf(own, (value) => value === true)] as const, ...separate];
      expectOne(judgeOf, candidates, () => judgeOf(repository).expect(own, oneOf(true)));
    }
  },
};

export const defaultBranch: StackPolicy<{ branch: string }> = {
  name: "default-branch",
  area: "github",
  severity: "medium",
  description: "The default branch of every repository is the one that releases come from.",
  why: "Pull requests go to the default branch unless somebody thinks of it, and its workflows are the ones that run.",
  remedy: ["Create a BranchDefault for the repository with the branch main."],
  link: "https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/managing-branches-in-your-repository/changing-the-default-branch",
  parameters: {
    branch: { type: "string", description: "The branch that has to be the default.", default: "main" },
  },
  checkStack(objects, judgeOf, { branch }) {
    const chosen = githubObjects(objects, "BranchDefault");
    for (const choice of chosen) judgeOf(choice).expect(choice.root.at("branch"), oneOf(branch));
    for (const repository of githubObjects(objects, "Repository")) {
      const own = repository.root.at("defaultBranch");
      const candidates = chosen.map((choice) => [choice, belongsTo(choice, repository)] as const);
      expectOne(judgeOf, candidates, () => judgeOf(repository).expect(own, oneOf(branch)));
    }
  },
};

export const safeWebhooks: ObjectPolicy = {
  name: "safe-webhooks",
  area: "github",
  severity: "high",
  description: "Webhooks are signed and go over TLS.",
  why: "Without TLS everybody on the way reads what is sent; without a secret anybody can send the receiver anything.",
  remedy: [
    "Use an https address and leave insecureSsl out.",
    "Set configuration.secret from requireSecret or RandomPassword, and check the signature at the receiver.",
    "Remove a webhook that is not active.",
  ],
  link: "https://github.com/ossf/scorecard/blob/main/docs/checks.md#webhooks",
  kinds: ["RepositoryWebhook", "OrganizationWebhook"],
  checkObject({ group, root }, judge) {
    if (group !== "github") return;
    const configuration = root.at("configuration");
    const url = configuration.at("url");
    // Neither is shown: an address can have a token in it.
    const encrypted = typeof url.value === "string" && url.value.startsWith("https://");
    if (judge.knows(url) && !encrypted) judge.report(url, "is no https address (not shown)");
    const secret = configuration.at("secret");
    const signed = typeof secret.value === "string" && secret.value !== "";
    if (judge.knows(secret) && !signed) judge.report(secret, "is not set, must be a secret");
    judge.expect(configuration.at("insecureSsl"), absentOr(false));
    judge.expect(root.at("active"), absentOrNot(false));
  },
};

export const deployKeysReadOnly: ObjectPolicy = {
  name: "deploy-keys-read-only",
  area: "github",
  severity: "high",
  description: "Deploy keys can read and not write.",
  why: "A deploy key is nobody's: whoever has the machine it lies on changes the code without a name or a review.",
  remedy: [
    "Set readOnly to true; for what has to write, use a GitHub App with just the rights that it needs.",
  ],
  link: "https://docs.github.com/en/authentication/connecting-to-github-with-ssh/managing-deploy-keys#deploy-keys",
  kinds: ["RepositoryDeployKey"],
  checkObject({ group, root }, judge) {
    if (group === "github") judge.expect(root.at("readOnly"), absentOr(true));
  },
};

export const noSecretsInActionsVariables: ObjectPolicy = {
  name: "no-secrets-in-actions-variables",
  area: "github",
  severity: "critical",
  description: "No variable of Actions holds a secret.",
  why: "Variables are shown to everybody who may read the repository, and logs do not mask them.",
  remedy: [
    "Make it an ActionsSecret or ActionsEnvironmentSecret, with a value from requireSecret or RandomPassword.",
    "Treat the value that was here as known to others: replace it.",
  ],
  link: "https://docs.github.com/en/actions/how-tos/write-workflows/choose-what-workflows-do/use-variables",
  kinds: ["ActionsVariable", "ActionsEnvironmentVariable", "ActionsOrganizationVariable"],
  checkObject({ group, root }, judge) {
    if (group !== "github") return;
    const [name, value] = [root.at("variableName"), root.at("value")];
    if (!knowsBoth(judge, name, value) || isAbsent(value.value)) return;
    const what = credentialFor(String(name.value), String(value.value));
    if (what !== undefined) judge.report(value, `holds ${what} (not shown), must be a secret of Actions`);
  },
};

function knowsBoth(judge: Judge, ...fields: readonly Parameters<Judge["knows"]>[0][]): boolean {
  return fields.map((field) => judge.knows(field)).every((known) => known);
}

export const githubPolicies: readonly Policy[] = [
  noPublicRepositories,
  repositoriesAreArchived,
  secretScanning,
  vulnerabilityAlerts,
  defaultBranch,
  safeWebhooks,
  deployKeysReadOnly,
  noSecretsInActionsVariables,
];
