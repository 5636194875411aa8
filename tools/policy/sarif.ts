import { createHash } from "node:crypto";
import { everyPolicy } from "../../policy/policies";
import type { Severity } from "../../policy/frame/policy";
import type { StackFinding } from "./report";
import type { SourcePlace } from "./sources";

/** GitHub's scale for security findings (https://docs.github.com/code-security/code-scanning, `security-severity`). */
const score: Readonly<Record<Severity, string>> = { critical: "9.5", high: "8.0", medium: "5.5", low: "2.0" };

/**
 * The findings as GitHub's code scanning takes them: https://docs.oasis-open.org/sarif/sarif/v2.1.0/. Without those
 * that an exception lets be: of each result GitHub makes an alert, and it reads neither `suppressions` nor `kind`
 * (https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support-for-code-scanning).
 */
export function toSarif(findings: readonly StackFinding[], placeOf: (urn: string) => SourcePlace): object {
  const rules = everyPolicy.map((policy) => ({
    id: policy.name,
    shortDescription: { text: policy.description },
    fullDescription: { text: policy.why },
    helpUri: policy.link,
    help: {
      text: policy.remedy.join("\n"),
      markdown: policy.remedy.map((step, index) => `${index + 1}. ${step}`).join("\n"),
    },
    properties: { tags: ["security", policy.area], "security-severity": score[policy.severity] },
  }));
  const open = findings.filter(({ status }) => status !== "excepted");
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: { name: "technova-policies", informationUri: "https://www.pulumi.com/crossguard/", rules },
        },
        columnKind: "utf16CodeUnits",
        results: open.map((finding) => {
          const { file, line } = placeOf(finding.urn);
          return {
            ruleId: finding.policy,
            ruleIndex: rules.findIndex(({ id }) => id === finding.policy),
            kind: finding.status === "undecided" ? "open" : "fail",
            level:
              finding.status === "undecided" ? "none" : finding.level === "advisory" ? "warning" : "error",
            message: { text: `${finding.resource}: ${finding.path} ${finding.message}` },
            locations: [
              {
                physicalLocation: { artifactLocation: { uri: file }, region: { startLine: line } },
                logicalLocations: [
                  { fullyQualifiedName: `${finding.urn}#${finding.path}`, kind: "resource" },
                ],
              },
            ],
            // GitHub knows a finding of two runs by this key alone. Left out, it is made from the line, which many
            // findings share, and which may change although nothing else does.
            partialFingerprints: { primaryLocationLineHash: fingerprintOf(finding) },
          };
        }),
      },
    ],
  };
}

function fingerprintOf({ policy, urn, path }: StackFinding): string {
  return createHash("sha256").update(`${policy}/${urn}/${path}`).digest("hex");
}
