import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { everyPolicy } from "../../../policy/policies";
import { toHtml } from "../../../tools/policy/html";
import type { StackFinding } from "../../../tools/policy/report";
import { toSarif } from "../../../tools/policy/sarif";
import { sourcePlaces } from "../../../tools/policy/sources";

const root = join(__dirname, "../../..");
const urn =
  "urn:pulumi:local::technova::technova:addons:Addons$technova:addons:Traefik$kubernetes:apps/v1:Deployment::traefik";
const finding: StackFinding = {
  policy: "no-host-ports",
  area: "pod-security",
  severity: "high",
  status: "violation",
  urn,
  resource: "Deployment gateway/traefik",
  path: "spec.template.spec.containers[0].ports[0].hostPort",
  message: 'is "<script>", must be 0 or absent',
  level: "mandatory",
};
const exception = {
  policy: "no-host-ports",
  stacks: ["local"],
  resource: "Deployment gateway/traefik",
  reason: "There is no load balancer yet.",
  owner: "team-platform",
  expires: "2027-03-31",
};

describe("npm run policy -- report", () => {
  const placeOf = sourcePlaces(root);

  it("places a finding where the program makes the resource", () => {
    const { file, line } = placeOf(urn);
    expect(readFileSync(join(root, file), "utf8").split("\n")[line - 1]).to.contain(
      'super("technova:addons:Traefik"',
    );
    expect(placeOf("urn:pulumi:local::technova::kubernetes:core/v1:Pod::web")).to.deep.equal({
      file: "index.ts",
      line: 1,
    });
  });

  interface Sarif {
    readonly runs: {
      tool: { driver: { rules: { id: string }[] } };
      results: {
        ruleId: string;
        ruleIndex: number;
        kind: string;
        level: string;
        suppressions?: { justification: string }[];
        locations: {
          physicalLocation: { artifactLocation: { uri: string }; region: { startLine: number } };
        }[];
      }[];
    }[];
  }

  it("writes SARIF: every policy a rule, and each finding at a file of the repository", () => {
    const sarif = toSarif(
      [
        finding,
        { ...finding, status: "undecided" },
        { ...finding, status: "excepted", exception },
        { ...finding, level: "advisory" },
      ],
      placeOf,
    ) as Sarif;
    const [run] = sarif.runs;
    expect(run?.tool.driver.rules.map(({ id }) => id)).to.deep.equal(everyPolicy.map(({ name }) => name));
    const results = run?.results ?? [];
    expect(results.map(({ kind, level }) => [kind, level])).to.deep.equal([
      ["fail", "error"],
      ["open", "none"],
      ["fail", "error"],
      ["fail", "warning"],
    ]);
    expect(results.map(({ suppressions }) => suppressions?.length ?? 0)).to.deep.equal([0, 0, 1, 0]);
    for (const { ruleId, ruleIndex, locations } of results) {
      expect(run?.tool.driver.rules[ruleIndex]?.id).to.equal(ruleId);
      const uri = locations[0]?.physicalLocation.artifactLocation.uri ?? "";
      expect(existsSync(join(root, uri)), uri).to.be.true;
    }
  });

  it("writes a page that shows what a finding says, and runs none of it", () => {
    const page = toHtml("local", [finding, { ...finding, status: "excepted", exception }], "now");
    expect(page).to.contain("1 violated, 0 not decided before the update, 1 excepted");
    expect(page).to.contain("is &quot;&lt;script&gt;&quot;").and.not.to.contain("<script");
    expect(page).to.contain("excepted until 2027-03-31 (team-platform)");
    for (const { name } of everyPolicy) expect(page).to.contain(`id="${name}"`);
  });
});
