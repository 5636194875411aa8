import * as images from "../../policy/images";
import * as namespaces from "../../policy/namespaces";
import * as network from "../../policy/network";
import * as pods from "../../policy/pods";
import * as rbac from "../../policy/rbac";
import * as reliability from "../../policy/reliability";
import * as resources from "../../policy/resources";
import * as secrets from "../../policy/secrets";
import * as visibility from "../../policy/visibility";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Policy } from "../../policy/frame";
import { expect } from "chai";
import { join } from "node:path";
import { policies } from "../../policy/policies";

const root = join(__dirname, "../..");
const areas = { images, namespaces, network, pods, rbac, reliability, resources, secrets, visibility };

/** What a policy looks at, for the table. */
function scope(policy: Policy): string {
  if ("checkContainer" in policy) return "containers";
  if ("checkPod" in policy) return "pods";
  if ("checkStack" in policy) return "stack";
  const [first = "all kinds", second, ...more] = policy.kinds ?? [];
  return [first, ...(second === undefined ? [] : [second]), ...(more.length > 0 ? ["more"] : [])].join(", ");
}

function table(): string {
  const rows = policies.map((policy) => {
    const settings = Object.entries(policy.parameters ?? {}).map(
      ([name, parameter]: [string, { default: unknown }]) =>
        `\`${name}\` (${JSON.stringify(parameter.default).replaceAll("|", "\\|")})`,
    );
    const cells = [
      `[${policy.name}](${policy.link})`,
      policy.severity,
      scope(policy),
      policy.description,
      settings.join(", "),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    "| policy | severity | looks at | rule | settings (default) |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}

describe("policy pack", () => {
  it("has every policy that an area exports, once", () => {
    const exported = Object.values(areas)
      .flatMap((area) => Object.values<unknown>(area))
      .filter((value): value is Policy => typeof value === "object" && value !== null && "severity" in value);
    expect(policies).to.have.members(exported);
    expect(new Set(policies.map(({ name }) => name)).size).to.equal(policies.length);
  });

  it("has an area file for every policy file", () => {
    const files = readdirSync(join(root, "policy")).filter((name) =>
      /: (Container|Pod|Object|Stack)Policy\b/.test(readIfSource(join(root, "policy", name))),
    );
    expect(files.map((name) => name.replace(/\.ts$/, ""))).to.have.members(Object.keys(areas));
  });

  for (const policy of policies) {
    it(`${policy.name} says all that its message needs`, () => {
      expect(policy.name).to.match(/^[a-z]+(-[a-z]+)*$/);
      expect(policy.link).to.match(/^https:\/\//);
      for (const sentence of [policy.description, policy.why, ...policy.remedy]) {
        expect(sentence).to.match(/^[A-Z].{15,}\.$/s);
      }
      const looks = ["checkContainer", "checkPod", "checkObject", "checkStack"].filter(
        (check) => check in policy,
      );
      expect(looks).to.have.length(1);
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
    const file = join(root, "policy/README.md");
    const text = readFileSync(file, "utf8");
    const [head = "", , tail = ""] = text.split(
      /(<!-- prettier-ignore-start -->\n).*(?=<!-- prettier-ignore-end -->)/s,
    );
    const listed = `${head}<!-- prettier-ignore-start -->\n${table()}\n${tail}`;
    if (process.env.UPDATE_GOLDEN === "1") writeFileSync(file, listed);
    else expect(text, "UPDATE_GOLDEN=1 npx mocha test/policy/pack.test.ts writes it anew").to.equal(listed);
  });
});

function readIfSource(path: string): string {
  return path.endsWith(".ts") ? readFileSync(path, "utf8") : "";
}
