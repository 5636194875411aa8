import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect } from "chai";
import { areas, type Policy } from "../../policy/frame/policy";
import { policies } from "../../policy/policies";
import { withPolicyTables } from "../../tools/policy/docs";

const root = join(__dirname, "../..");
const load = createRequire(__filename);

/** Policies that the files of the areas export, each with its list. */
function exportedPolicies(): Policy[] {
  const files = readdirSync(join(root, "policy")).filter((name) => name.endsWith(".ts"));
  return files
    .filter((name) => !["index.ts", "policies.ts", "bundle.ts"].includes(name))
    .flatMap((name) => Object.values(load(join(root, "policy", name)) as Record<string, unknown>))
    .filter((value): value is Policy => typeof value === "object" && value !== null && "severity" in value);
}

describe("policy pack", () => {
  it("has every policy that an area exports, once", () => {
    expect(policies).to.have.members(exportedPolicies());
    expect(new Set(policies.map(({ name }) => name)).size).to.equal(policies.length);
  });

  it("has policies in every area", () => {
    expect([...new Set(policies.map(({ area }) => area))]).to.have.members(Object.keys(areas));
  });

  for (const policy of policies) {
    it(`${policy.name} says all that its message needs`, () => {
      expect(policy.name).to.match(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(policy.link).to.match(/^https:\/\//);
      for (const sentence of [policy.description, policy.why, ...policy.remedy]) {
        expect(sentence).to.match(/^[A-Z/].{15,}\.$/s);
      }
      const looks = ["rules", "checkContainer", "checkPod", "checkObject", "checkStack"].filter(
        (check) => check in policy,
      );
      expect(looks).to.have.length(1);
      expect(policy.profile !== undefined, "profile").to.equal(policy.area === "pod-security");
    });
  }

  it("has a configuration for every stack, with policies and settings that exist", () => {
    const stacks = readdirSync(root).flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? []);
    for (const stack of stacks) {
      const text = readFileSync(join(root, "policy/config", `${stack}.json`), "utf8");
      for (const [name, value] of Object.entries(JSON.parse(text) as Record<string, unknown>)) {
        if (name === "all") continue;
        const policy = policies.find((candidate) => candidate.name === name);
        if (policy === undefined) throw new Error(`${stack}.json: there is no policy ${name}`);
        if (typeof value !== "object" || value === null) continue;
        const known = ["enforcementLevel", ...Object.keys(policy.parameters ?? {})];
        expect(known, `${stack}.json: ${name}`).to.include.members(Object.keys(value));
      }
    }
  });

  it("is what README.md lists", () => {
    const text = readFileSync(join(root, "policy/README.md"), "utf8");
    expect(text, "npm run policy -- docs writes it anew").to.equal(withPolicyTables(text));
  });
});
