import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { everyPolicy } from "../../../policy/policies";
import { toHtml } from "../../../tools/policy/html";
import { recorder, type ReportedFinding, type ReportedLine } from "../../../policy/frame/run";
import { report, type StackFinding } from "../../../tools/policy/report";
import { toSarif } from "../../../tools/policy/sarif";
import { sourcePlaces } from "../../../tools/policy/sources";

const root = join(__dirname, "../../..");
const urn =
  "urn:pulumi:local::technova::technova:addons:Addons$technova:addons:Traefik$kubernetes:apps/v1:Deployment::traefik";
const found: ReportedFinding = {
  policy: "no-host-ports",
  area: "pod-security",
  severity: "high",
  status: "violation",
  urn,
  resource: "Deployment gateway/traefik",
  path: "spec.template.spec.containers[0].ports[0].hostPort",
  message: 'is "<script>", must be 0 or absent',
};
const finding: StackFinding = { ...found, level: "mandatory" };
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

  describe("of a preview", () => {
    let output: string;
    beforeEach(() => (output = mkdtempSync(join(tmpdir(), "policy-report-"))));
    afterEach(() => rmSync(output, { recursive: true }));

    const asked = everyPolicy.filter((policy) => "checkStack" in policy).map(({ name }) => ({ asked: name }));
    const advisory = { ...found, policy: "exceptions-in-use", message: "is not needed by any resource" };
    const ofPreview = (code: number, ...lines: ReportedLine[]) =>
      report(root, "local", output, {}, (_root, _args, env) => {
        const record = recorder(env?.TECHNOVA_POLICY_FINDINGS);
        lines.forEach((line) => record(line));
        return Promise.resolve(code);
      });
    const written = () => existsSync(join(output, "findings.json"));

    it("is written with 0 when nothing was stopped, and with 1 when a policy stopped it", async () => {
      expect(await ofPreview(0, advisory, ...asked)).to.equal(0);
      expect(await ofPreview(0, { ...found, status: "undecided" }, ...asked)).to.equal(0);
      expect(await ofPreview(255, found, ...asked)).to.equal(1);
      const { findings } = JSON.parse(readFileSync(join(output, "findings.json"), "utf8")) as {
        findings: unknown[];
      };
      expect(findings).to.deep.equal([finding]);
    });
    it("is not written, and 2, when the preview ended for another reason", async () => {
      expect(await ofPreview(255), "nothing found").to.equal(2);
      expect(await ofPreview(255, advisory), "something that stops nothing").to.equal(2);
      expect(await ofPreview(255, advisory, ...asked), "likewise, at the end").to.equal(2);
      expect(await ofPreview(255, found), "a crash after a violation").to.equal(2);
      expect(written()).to.be.false;
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
        partialFingerprints: { primaryLocationLineHash: string };
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
      ["fail", "warning"],
    ]);
    for (const { ruleId, ruleIndex, locations } of results) {
      expect(run?.tool.driver.rules[ruleIndex]?.id).to.equal(ruleId);
      const uri = locations[0]?.physicalLocation.artifactLocation.uri ?? "";
      expect(existsSync(join(root, uri)), uri).to.be.true;
    }
  });

  it("writes SARIF in which a finding is the same wherever its line is, and no other is", () => {
    const fingerprints = (findings: readonly StackFinding[], line: number) =>
      (toSarif(findings, () => ({ file: "index.ts", line })) as Sarif).runs.flatMap(({ results }) =>
        results.map(({ partialFingerprints }) => partialFingerprints.primaryLocationLineHash),
      );
    const [one] = fingerprints([finding], 1);
    expect(fingerprints([finding], 2)).to.deep.equal([one]);
    const others = [
      { ...finding, path: "spec.template.spec.containers[1].ports[0].hostPort" },
      { ...finding, urn: `${urn}-2` },
      { ...finding, policy: "no-host-paths" },
    ];
    expect(new Set([one, ...fingerprints(others, 1)])).to.have.property("size", 4);
  });

  it("writes a page that shows what a finding says, and runs none of it", () => {
    const page = toHtml("local", [finding, { ...finding, status: "excepted", exception }], "now");
    expect(page).to.contain("1 violated, 0 not decided before the update, 1 excepted");
    expect(page).to.contain("is &quot;&lt;script&gt;&quot;").and.not.to.contain("<script");
    expect(page).to.contain("excepted until 2027-03-31 (team-platform)");
    for (const { name } of everyPolicy) expect(page).to.contain(`id="${name}"`);
  });
});
