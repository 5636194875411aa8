import { expect } from "chai";
import { RunError } from "@pulumi/pulumi";
import { changed, complaint, goodConfig, load, sentinel } from "../support/settings";
import { valueOf } from "../support/mocks";
import { asEngineConfig, stackConfig, stacks } from "../support/stacks";

const application = "technova:application";
const gateway = "technova:gateway";
const github = "technova:github";

/** One mistake each: where, what is written there (undefined: nothing), where it is reported, and what helps. */
const mistakes: [what: string, path: string, value: unknown, key: string, told: RegExp][] = [
  [
    "a key that is missing",
    application,
    undefined,
    application,
    /got nothing; it takes an object with version/,
  ],
  ["a string for an object", application, "1.0.0", application, /got "1\.0\.0"; it takes an object/],
  ["a list for an object", gateway, [], gateway, /got \[\]; it takes an object/],
  [
    "a misspelt key",
    "technova:aplication",
    {},
    "technova:aplication",
    /no such key; did you mean "application"\?/,
  ],
  [
    "a key of nothing known",
    "technova:weather",
    {},
    "technova:weather",
    /no such key; There are: application, gateway/,
  ],
  ["a misspelt field", `${application}.replica`, 3, `${application}.replica`, /did you mean "replicas"\?/],
  [
    "a field of another section",
    `${gateway}.hostname`,
    "x.y",
    `${gateway}.hostname`,
    /There are: service, tls/,
  ],
  [
    "a number in quotes",
    `${application}.replicas`,
    "3",
    `${application}.replicas`,
    /got "3"; it takes a whole number/,
  ],
  [
    "no Pods",
    `${application}.replicas`,
    0,
    `${application}.replicas`,
    /got 0; it takes a whole number from 1 to 100/,
  ],
  [
    "half a Pod",
    `${application}.replicas`,
    2.5,
    `${application}.replicas`,
    /got 2\.5; it takes a whole number/,
  ],
  ["a version that is none", `${application}.version`, "latest", `${application}.version`, /"1\.4\.0"/],
  [
    "a version without quotes",
    `${application}.version`,
    1.4,
    `${application}.version`,
    /got 1\.4; it takes a version/,
  ],
  [
    "an unquoted revision",
    `${application}.schemaRevision`,
    4,
    `${application}.schemaRevision`,
    /got 4; .*"0004"/,
  ],
  [
    "the newest revision",
    `${application}.schemaRevision`,
    "head",
    `${application}.schemaRevision`,
    /four digits/,
  ],
  ["a host with a scheme", `${application}.hostname`, "https://a.b", `${application}.hostname`, /a DNS name/],
  [
    "a host in capitals",
    `${application}.hostname`,
    "Inventory.com",
    `${application}.hostname`,
    /in lower case/,
  ],
  [
    "a short digest",
    `${application}.image.digest`,
    "sha256:12",
    `${application}.image.digest`,
    /64 lower-case hex/,
  ],
  [
    "a tag for a digest",
    `${application}.image.digest`,
    "1.0.0",
    `${application}.image.digest`,
    /"sha256:" and/,
  ],
  [
    "no digest",
    `${application}.image.digest`,
    undefined,
    `${application}.image.digest`,
    /got nothing; it takes "sha256/,
  ],
  [
    "a repository with its registry",
    `${application}.image.repository`,
    "ghcr.io/technova/inventory",
    `${application}.image.repository`,
    /without its registry's host \(that is technova:registry\.server\)/,
  ],
  [
    "a digest for a build",
    `${application}.image`,
    { build: { repository: "a/b" }, digest: "sha256:12" },
    `${application}.image.digest`,
    /no such key; There are: build/,
  ],
  [
    "a build outside of the checkout",
    `${application}.image`,
    { build: { repository: "a/b", context: "../app" } },
    `${application}.image.build.context`,
    /a folder inside the checkout/,
  ],
  [
    "an unknown strategy",
    `${application}.strategy`,
    { type: "yolo" },
    `${application}.strategy.type`,
    /"rolling"/,
  ],
  [
    "a strategy that cannot move",
    `${application}.strategy`,
    { type: "rolling", maxSurge: 0, maxUnavailable: 0 },
    `${application}.strategy.maxUnavailable`,
    /more than 0 when maxSurge is 0/,
  ],
  [
    "a percentage without its sign",
    `${application}.strategy.maxSurge`,
    "25",
    `${application}.strategy.maxSurge`,
    /percentage such as "25%"/,
  ],
  [
    "more than all",
    `${application}.strategy.maxSurge`,
    "125%",
    `${application}.strategy.maxSurge`,
    /got "125%"; it takes a whole number from 0 to 100/,
  ],
  [
    "a release that may stop everything",
    `${application}.strategy.maxUnavailable`,
    3,
    `${application}.strategy.maxUnavailable`,
    /fewer than replicas, which is 3/,
  ],
  [
    "readiness that outlasts the deadline",
    `${application}.strategy.minReadySeconds`,
    600,
    `${application}.strategy.minReadySeconds`,
    /less than progressDeadlineSeconds, which is 600/,
  ],
  [
    "an upper bound below the lower",
    `${application}.autoscaling.maxReplicas`,
    2,
    `${application}.autoscaling.maxReplicas`,
    /got 2; it takes at least replicas, which is 3/,
  ],
  [
    "a target of full load",
    `${application}.autoscaling.cpuUtilizationPercent`,
    100,
    `${application}.autoscaling.cpuUtilizationPercent`,
    /from 10 to 95/,
  ],
  [
    "a budget that blocks every drain",
    `${application}.disruptionBudget`,
    { minAvailable: 3 },
    `${application}.disruptionBudget.minAvailable`,
    /fewer than replicas, which is 3/,
  ],
  [
    "a budget of nothing",
    `${application}.disruptionBudget`,
    { maxUnavailable: 0 },
    `${application}.disruptionBudget.maxUnavailable`,
    /more than 0/,
  ],
  [
    "a budget that says both",
    `${application}.disruptionBudget`,
    { minAvailable: 1, maxUnavailable: 1 },
    `${application}.disruptionBudget`,
    /it takes either minAvailable or maxUnavailable/,
  ],
  [
    "CPU without quotes",
    `${application}.resources.requests.cpu`,
    1,
    `${application}.resources.requests.cpu`,
    /got 1; it takes a CPU quantity in quotes/,
  ],
  [
    "memory in megabytes, spelt wrong",
    `${application}.resources.requests.memory`,
    "256MB",
    `${application}.resources.requests.memory`,
    /such as "256Mi"/,
  ],
  [
    "memory in thousandths",
    `${application}.resources.limits.memory`,
    "512m",
    `${application}.resources.limits.memory`,
    /from "1Mi" to "1Ti"/,
  ],
  [
    "a limit below its request",
    `${application}.resources.limits.memory`,
    "128Mi",
    `${application}.resources.limits.memory`,
    /at least requests\.memory, which is "256Mi"/,
  ],
  [
    "an unknown database",
    `${application}.database.type`,
    "mysql",
    `${application}.database.type`,
    /"inCluster" or "external"/,
  ],
  [
    "an external database nowhere",
    `${application}.database.cidrs`,
    [],
    `${application}.database.cidrs`,
    /not empty/,
  ],
  [
    "an address that is none",
    `${application}.database.cidrs`,
    ["10.0.0.300/24"],
    `${application}.database.cidrs[0]`,
    /range such as/,
  ],
  [
    "an unknown log level",
    `${application}.configuration.logLevel`,
    "TRACE",
    `${application}.configuration.logLevel`,
    /"DEBUG" or/,
  ],
  [
    "a node port that nodes do not have",
    `${gateway}.service.httpsPort`,
    443,
    `${gateway}.service.httpsPort`,
    /30000 to 32767/,
  ],
  [
    "one port twice",
    `${gateway}.service.httpsPort`,
    30080,
    `${gateway}.service.httpsPort`,
    /another port than httpPort/,
  ],
  [
    "an unknown kind of Service",
    `${gateway}.service.type`,
    "ExternalName",
    `${gateway}.service.type`,
    /"NodePort" or "ClusterIP"/,
  ],
  [
    "an unknown way of TLS",
    `${gateway}.tls.mode`,
    "acme",
    `${gateway}.tls.mode`,
    /"selfSigned" or "provided"/,
  ],
  [
    "an old version of TLS",
    `${gateway}.minimumTlsVersion`,
    "1.1",
    `${gateway}.minimumTlsVersion`,
    /"1\.2" or "1\.3"/,
  ],
  [
    "an existing Secret without its name",
    `${gateway}.tls`,
    { mode: "existingSecret" },
    `${gateway}.tls.secretName`,
    /got nothing/,
  ],
  [
    "a registry with a scheme",
    "technova:registry.server",
    "https://ghcr.io",
    "technova:registry.server",
    /without "https/,
  ],
  [
    "a mirror with a final slash",
    "technova:images.mirror",
    "localhost:5050/",
    "technova:images.mirror",
    /final slash/,
  ],
  [
    "a digest of an image that is not there",
    "technova:images.digests",
    { redis: "sha256:" },
    "technova:images.digests.redis",
    /traefik, metricsServer/,
  ],
  [
    "a quota without a unit",
    "technova:cluster.quotas.inventory.memory",
    "32",
    "technova:cluster.quotas.inventory.memory",
    /"256Mi"/,
  ],
  [
    "a colour with its hash sign",
    `${github}.labels.platform.color`,
    "#1d76db",
    `${github}.labels.platform.color`,
    /six hex digits/,
  ],
  [
    "a reserved variable",
    `${github}.variables`,
    { GITHUB_TOKEN: "x" },
    `${github}.variables.GITHUB_TOKEN`,
    /not starting with GITHUB_/,
  ],
  [
    "seven reviewers",
    `${github}.environments.production.reviewerTeamIds`,
    [1, 2, 3, 4, 5, 6, 7],
    `${github}.environments.production.reviewerTeamIds`,
    /at most 6/,
  ],
  [
    "an unknown branch",
    `${github}.environments.staging.branch`,
    "master",
    `${github}.environments.staging.branch`,
    /"main" or "develop"/,
  ],
  [
    "an external database without its secret",
    "technova:secrets.databaseUrl",
    undefined,
    "technova:secrets.databaseUrl",
    /because the database is external/,
  ],
  [
    "a registry user without a password",
    "technova:secrets.registryPassword",
    undefined,
    "technova:secrets.registryPassword",
    /config set --secret --path 'technova:secrets\.registryPassword'/,
  ],
  [
    "provided TLS without a key",
    "technova:secrets.gatewayPrivateKey",
    undefined,
    "technova:secrets.gatewayPrivateKey",
    /because technova:gateway\.tls\.mode is "provided"/,
  ],
  [
    "an Actions secret without a value",
    "technova:secrets.github",
    {},
    "technova:secrets.github.KUBECONFIG",
    /technova:github lists it/,
  ],
  [
    "a database address of another kind",
    "technova:secrets.databaseUrl",
    `mysql://root:${sentinel}@db/x`,
    "technova:secrets.databaseUrl",
    /a value that is not shown; it takes an address postgresql/,
  ],
  [
    "a secret that is a number",
    "technova:secrets.registryPassword",
    42,
    "technova:secrets.registryPassword",
    /a value that is not shown/,
  ],
];

describe("settings", () => {
  it("are accepted when they are right, with secrets as Outputs", async () => {
    const settings = await load(goodConfig());
    expect(settings.application.replicas).to.equal(3);
    expect(settings.stack).to.equal("staging");
    expect(await valueOf(settings.secrets.registryPassword)).to.equal(sentinel);
    expect(JSON.stringify(settings)).not.to.contain(sentinel);
  });

  for (const stack of stacks) {
    it(`of ${stack} are right`, async () => {
      await load(stackConfig(stack), []);
    });
  }

  for (const [what, path, value, key, told] of mistakes) {
    it(`refuse ${what}`, async () => {
      const message = await complaint(changed(path, value));
      const [head, ...lines] = message.split("\n");
      expect(head).to.equal(
        'Stack "staging" has a setting that has to be put right in Pulumi.staging.yaml; nothing was changed:',
      );
      expect(lines, message).to.have.length(1);
      expect(lines[0]).to.satisfy((line: string) => line.startsWith(`  ${key}: `), message);
      expect(lines[0]).to.match(told);
      expect(message).not.to.contain(sentinel);
    });
  }

  it("report all mistakes at once, in one error without a stack trace", async () => {
    const config = {
      ...changed(`${application}.replicas`, 0),
      "technova:aplication": {},
      "technova:registry": { server: "https://x" },
    };
    const error: unknown = await load(config).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(RunError.isInstance(error)).to.equal(true);
    const message = (error as Error).message;
    expect(message).to.contain('Stack "staging" has 3 settings');
    for (const key of ["technova:application.replicas", "technova:aplication", "technova:registry.server"]) {
      expect(message).to.contain(`  ${key}: `);
    }
  });

  it("refuse a secret in plain text", async () => {
    const message = await complaint(goodConfig(), []);
    expect(message).to.contain("technova:secrets: got plain text");
    expect(message).not.to.contain(sentinel);
  });

  it("refuse an encrypted value where it would be shown, and do not show it", async () => {
    const message = await complaint(changed(`${application}.hostname`, sentinel), [
      "technova:secrets",
      "technova:application",
    ]);
    expect(message).to.contain("technova:application: got an encrypted value");
    expect(message).not.to.contain(sentinel);
  });

  it("leave out what is switched off", async () => {
    const config = {
      ...goodConfig(),
      [github]: { enabled: false },
      "technova:metricsServer": { enabled: false },
    };
    const settings = await load(config);
    expect(settings.github).to.equal(undefined);
    expect(settings.metricsServer).to.equal(undefined);
  });

  it("ignore what other packages are told", async () => {
    await load({ ...goodConfig(), "kubernetes:context": "kind-dev" });
    expect(asEngineConfig({ "kubernetes:context": "kind-dev" })).to.deep.equal({
      "kubernetes:context": "kind-dev",
    });
  });
});
