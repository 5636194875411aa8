import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { areas, type Area, type Policy } from "../../policy/frame/policy";
import { rulesOf } from "../../policy/frame/evaluate";
import { everyPolicy } from "../../policy/policies";

const markers = /(<!-- policies: begin -->\n).*(?=<!-- policies: end -->)/s;

/** Writes the tables of `policy/README.md` anew; answers whether anything has changed. */
export async function writePolicyTables(root: string): Promise<boolean> {
  const file = join(root, "policy/README.md");
  const before = await readFile(file, "utf8");
  const after = withPolicyTables(before);
  if (after === before) return false;
  await writeFile(file, after);
  return true;
}

/** The text with the tables of all policies, area by area, between its markers. */
export function withPolicyTables(text: string): string {
  if (!markers.test(text)) throw new Error("policy/README.md has no place for the policies' tables");
  return text.replace(markers, (_, begin: string) => `${begin}\n${tables()}\n\n`);
}

function tables(): string {
  return (Object.keys(areas) as Area[])
    .filter((area) => everyPolicy.some((policy) => policy.area === area))
    .map((area) => [`### ${areas[area]} (\`${area}\`)`, "", ...table(area)].join("\n"))
    .join("\n\n");
}

function table(area: Area): string[] {
  const own = everyPolicy.filter((policy) => policy.area === area);
  return [
    "| policy | severity | looks at | rule | settings (default) |",
    "| --- | --- | --- | --- | --- |",
    ...own.map((policy) => `| ${row(policy).join(" | ")} |`),
  ];
}

function row(policy: Policy): string[] {
  const settings = Object.entries(policy.parameters ?? {}).map(
    ([name, parameter]: [string, { default: unknown }]) =>
      `\`${name}\` (\`${JSON.stringify(parameter.default).replaceAll("|", "\\|")}\`)`,
  );
  const { name, link, severity, profile, description } = policy;
  const level = profile === undefined ? "" : ` (${profile})`;
  return [`[${name}](${link})`, severity, scope(policy), `${description}${level}`, settings.join(", ")];
}

/** What a policy looks at. */
function scope(policy: Policy): string {
  if ("checkStack" in policy) return "stack";
  if ("checkContainer" in policy) return "containers";
  if ("checkPod" in policy) return "pods";
  if ("rules" in policy) {
    const rules = rulesOf(policy);
    return rules.every(({ of }) => of === "container") ? "containers" : "pods";
  }
  const [first = "all kinds", second, ...more] = policy.kinds ?? [];
  return [first, ...(second === undefined ? [] : [second]), ...(more.length > 0 ? ["more"] : [])].join(", ");
}
