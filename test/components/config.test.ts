import { expect } from "chai";
import { RunError } from "@pulumi/pulumi";
import { changed, complaint, goodConfig, load, sentinel } from "../support/settings";
import { valueOf } from "../support/mocks";
import { mistakes } from "./config/mistakes";
import { asEngineConfig, stackConfig, stacks } from "../support/stacks";

const application = "technova:application";
const github = "technova:github";

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

  for (const [what, path, value, told, key = path] of mistakes) {
    it(`refuse ${what}`, async () => {
      const message = await complaint(changed(`technova:${path}`, value));
      const [head, ...lines] = message.split("\n");
      expect(head).to.equal(
        'Stack "staging" has a setting that has to be put right in Pulumi.staging.yaml; nothing was changed:',
      );
      expect(lines, message).to.have.length(1);
      expect(lines[0]).to.satisfy((line: string) => line.startsWith(`  technova:${key}: `), message);
      expect(lines[0]).to.match(told);
      expect(message).not.to.contain(sentinel);
    });
  }

  it("refuse a release that is to be measured where nothing measures", async () => {
    for (const type of ["canary", "blueGreen"]) {
      const config = changed("technova:monitoring", { enabled: false });
      config[application] = { ...config[application], strategy: { type } };
      expect(await complaint(config)).to.contain(
        `application.strategy.type: got "${type}"; it takes "rolling" as long as there is no monitoring`,
      );
    }
    const config = changed("technova:monitoring", { enabled: false });
    config[application] = { ...config[application], strategy: { type: "rolling", analysis: {} } };
    expect(await complaint(config)).to.contain("application.strategy.analysis: ");
  });

  it("refuse a release that is to be measured by somebody else's controller", async () => {
    const config = changed("technova:argoRollouts", { enabled: false });
    await load(config);
    config[application] = { ...config[application], strategy: { type: "canary" } };
    expect(await complaint(config)).to.contain("technova:argoRollouts: ");
  });

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
      [github]: { ...goodConfig()[github], enabled: false },
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
