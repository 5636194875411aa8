import { escaped, pageStyle, table } from "../engine/html";
import { everyPolicy } from "../../policy/policies";
import { areas, type Severity } from "../../policy/frame/policy";
import type { StackFinding } from "./report";

const order: readonly Severity[] = ["critical", "high", "medium", "low"];

/** One page that needs nothing else: the findings by severity, then every policy with what it found. */
export function toHtml(stack: string, findings: readonly StackFinding[], written: string): string {
  const sorted = order.flatMap((severity) => findings.filter((finding) => finding.severity === severity));
  const count = (status: StackFinding["status"]) =>
    findings.filter((finding) => finding.status === status).length;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Policies of ${escaped(stack)}</title>
<style>
${pageStyle}.critical, .high { color: #b3261e; font-weight: 600; } .medium { color: #8a5a00; } .low { color: #59636e; }
.none { color: #1a7f37; }
</style>
</head>
<body>
<h1>Policies of ${escaped(stack)}</h1>
<p>${count("violation")} violated, ${count("undecided")} not decided before the update, ${count("excepted")} excepted;
${everyPolicy.length} policies; ${escaped(written)}.</p>
<h2>Findings</h2>
${
  sorted.length === 0
    ? '<p class="none">None.</p>'
    : table(
        ["severity", "policy", "where", "what", "state"],
        sorted.map((finding) => [
          `<span class="${finding.severity}">${finding.severity}</span>`,
          `<a href="#${escaped(finding.policy)}">${escaped(finding.policy)}</a>`,
          `${escaped(finding.resource)}<br><code>${escaped(finding.path)}</code>`,
          escaped(finding.message),
          state(finding),
        ]),
      )
}
<h2>Policies</h2>
${table(
  ["policy", "area", "severity", "rule, reason and remedy", "findings"],
  everyPolicy.map((policy) => {
    const own = findings.filter((finding) => finding.policy === policy.name).length;
    const remedy = policy.remedy.map((step) => `<li>${escaped(step)}</li>`).join("");
    return [
      `<a id="${policy.name}" href="${escaped(policy.link)}">${policy.name}</a>`,
      areas[policy.area],
      policy.severity,
      `${escaped(policy.description)} ${escaped(policy.why)}<ol>${remedy}</ol>`,
      own === 0 ? '<span class="none">none</span>' : String(own),
    ];
  }),
)}
</body>
</html>
`;
}

function state({ status, level, exception }: StackFinding): string {
  if (exception === undefined) return status === "undecided" ? "undecided" : level;
  return `excepted until ${escaped(exception.expires)} (${escaped(exception.owner)}): ${escaped(exception.reason)}`;
}
