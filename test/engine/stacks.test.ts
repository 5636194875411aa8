import { Checkout, type Outcome } from "../support/checkout";
import { expect } from "chai";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(__dirname, "../..");
const settingsOf = (stack: string) => readFileSync(join(root, `Pulumi.${stack}.yaml`), "utf8");

/** The name of each policy that reports something, with how it is enforced. */
function findings(output: string): readonly string[] {
  const matches = output.matchAll(/- \[(mandatory|advisory)\](?: \[severity: \w+\])? +([a-z-]+)/g);
  return [...new Set([...matches].map(([, level, policy]) => `${level} ${policy}`))].sort();
}

function changedSetting(stack: string, from: RegExp, to: string): string {
  const settings = settingsOf(stack);
  if (!from.test(settings)) throw new Error(`Pulumi.${stack}.yaml has nothing like ${from}`);
  return settings.replace(from, to);
}

describe("the stacks under the real engine, without network and cluster", function () {
  this.timeout(600_000);
  let checkout: Checkout;
  after(() => checkout?.remove());

  // Which exceptions there are; and that a release is named after a password that is still to be made.
  const always = ["advisory exceptions-in-use", "advisory no-secrets-in-metadata"];
  const undecided: Record<string, readonly string[]> = {
    // Its image is built during the update, so its digest is not known before.
    local: [
      "advisory allowed-registries",
      "advisory application-image-by-digest",
      "advisory no-mutable-image-tags",
      ...always,
    ].sort(),
    staging: always,
    production: always,
  };
  const previews = new Map<string, Promise<Outcome>>();
  before(async () => {
    checkout = await Checkout.create();
    // Together, because each waits most of its time for one process or another.
    for (const stack of Object.keys(undecided))
      previews.set(stack, checkout.run("preview", "--stack", stack));
    await Promise.allSettled(previews.values());
  });

  for (const [stack, expected] of Object.entries(undecided)) {
    it(`previews ${stack} with the policy pack and no violation`, async () => {
      const { code, output } = (await previews.get(stack)) ?? { code: -1, output: "not run" };
      expect(code, output).to.equal(0);
      expect(output).to.match(/(✅|⚠️) technova@v/);
      expect(output).to.match(/\+ (\d{2,}) to create/);
      expect(findings(output)).to.deep.equal(expected);
    });
  }

  const loadBalancer = () =>
    changedSetting("staging", /service: \{ type: \w+ \}/, "service: { type: LoadBalancer }");
  for (const command of [["preview"], ["up", "--yes"]]) {
    it(`stops a setting that violates a policy in ${command[0]}, before anything is applied`, async () => {
      const { code, output } = await checkout.runWith(command, "staging", loadBalancer());
      expect(code).not.to.equal(0);
      expect(findings(output)).to.include("mandatory no-load-balancer-services");
      expect(findings(output).filter((finding) => finding.startsWith("mandatory"))).to.have.length(1);
      expect(output).to.match(/no-load-balancer-services {2}\(kubernetes:core\/v1:Service: /);
      expect(output).to.match(/spec\.type is "LoadBalancer", must be ClusterIP or NodePort/);
      expect(output).to.match(/Resource: Service gateway\/\S+ \(urn:pulumi:staging::technova::/);
      expect(output).to.contain("Use type ClusterIP and route through the gateway.");
      expect(output).to.contain("See: https://");
      if (command[0] === "up") expect(await checkout.resourceTypes("staging")).to.be.empty;
    });
  }

  it("names all bad settings at once and registers nothing", async () => {
    const settings = changedSetting("staging", /replicas: \d+/g, "replicas: many").replace(
      "hostname:",
      "hostnaem:",
    );
    const { code, output } = await checkout.runWith(["preview"], "staging", settings);
    expect(code).not.to.equal(0);
    expect(output).to.match(/technova:gateway\.replicas: got "many"; it takes/);
    expect(output).to.match(/technova:application\.replicas: got "many"; it takes/);
    expect(output).to.contain("hostnaem");
    expect(output).not.to.contain("kubernetes:");
  });
});
