import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ReportedFinding, ReportedLine } from "../../policy/frame/run";
import { everyPolicy } from "../../policy/policies";
import { runPulumi } from "../engine/run";
import { readConfiguration, type Configuration, type Level } from "./configuration";
import { toHtml } from "./html";
import { toSarif } from "./sarif";
import { sourcePlaces } from "./sources";

export interface StackFinding extends ReportedFinding {
  /** How hard the stack has the policy enforced. */
  readonly level: Level;
}

/**
 * Previews a stack and writes what the policies find, as `findings.json`, `findings.sarif` and `index.html`.
 * @param preview runs the engine with these arguments; answers its exit code
 * @returns 0 clean, 1 findings, 2 when the preview ended for another reason
 */
export async function report(
  root: string,
  stack: string,
  output = join(root, "reports/policy", stack),
  env = process.env,
  preview: typeof runPulumi = runPulumi,
): Promise<number> {
  const configuration = readConfiguration(root, stack);
  const folder = mkdtempSync(join(tmpdir(), "technova-policy-"));
  const file = join(folder, "findings");
  try {
    const args = ["preview", "--stack", stack, "--suppress-outputs", "--non-interactive"];
    const code = await preview(root, args, { ...env, TECHNOVA_POLICY_FINDINGS: file });
    const lines = existsSync(file) ? readLines(file) : [];
    // Exceptions that are needed stand with what they except.
    const found = lines
      .filter((line): line is ReportedFinding => !("asked" in line))
      .filter(({ policy, message }) => policy !== "exceptions-in-use" || message.startsWith("is not needed"));
    const findings = found.map((finding): StackFinding => {
      const policy = everyPolicy.find(({ name }) => name === finding.policy);
      return { ...finding, level: policy === undefined ? "mandatory" : configuration.levelOf(policy) };
    });
    const stopped = findings.some(({ status, level }) => status === "violation" && level !== "advisory");
    if (code !== 0 && !(stopped && cameToItsEnd(lines, configuration))) {
      process.stderr.write("error: the preview did not come to its end, so there is nothing to report\n");
      return 2;
    }
    write(root, stack, output, findings);
    return stopped ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Policies about the whole stack are asked when the program has ended well, whatever violations there were. */
function cameToItsEnd(lines: readonly ReportedLine[], configuration: Configuration): boolean {
  const asked = new Set(lines.map((line) => ("asked" in line ? line.asked : undefined)));
  return everyPolicy
    .filter((policy) => "checkStack" in policy && configuration.levelOf(policy) !== "disabled")
    .every(({ name }) => asked.has(name));
}

function readLines(file: string): readonly ReportedLine[] {
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
  return lines.map((text) => JSON.parse(text) as ReportedLine);
}

function write(root: string, stack: string, output: string, findings: readonly StackFinding[]): void {
  mkdirSync(output, { recursive: true });
  const written = new Date().toISOString();
  const put = (name: string, text: string) => writeFileSync(join(output, name), text);
  put("findings.json", `${JSON.stringify({ stack, written, findings }, undefined, 2)}\n`);
  put("findings.sarif", `${JSON.stringify(toSarif(findings, sourcePlaces(root)), undefined, 2)}\n`);
  put("index.html", toHtml(stack, findings, written));
  process.stdout.write(`${findings.length} findings: ${output}/{findings.json,findings.sarif,index.html}\n`);
}
