import { format } from "prettier";
import { rules } from "../../../components/addons/falco/rules";
import { profiles, scratch } from "../../../components/addons/falco/rules/profiles";

const head = `# Rules of runtime detection

Written by \`npm run golden\` from [\`rules/\`](rules). Falco asks them in this order and takes the first that applies. An event is an alert of the rule's name, and a line in Loki: \`{source="falco", rule="<name>"}\`. \`technova:falco.disabledRules\` switches rules off, \`minimumPriority\` those that are less grave.
`;

const techniqueOf = (id: string) => `[${id}](https://attack.mitre.org/techniques/${id.replace(".", "/")}/)`;
const code = (values: readonly string[]) => values.map((value) => `\`${value}\``).join(", ");
const names = (paths: readonly string[]) =>
  code([...new Set(paths.map((path) => path.split("/").at(-1) ?? ""))]);

/** `components/addons/falco/rules.md`: what each rule means, what to do, and what containers do when all is well. */
export async function rulesPage(): Promise<string> {
  const sections = rules.map(
    ({ rule, description, action, priority, techniques }) =>
      `## ${rule}\n\n${description} ${action}\n\n${priority.toLowerCase()}, ${techniques.map(techniqueOf).join(", ")}\n`,
  );
  const rows = profiles.map(({ namespace, containers, programs, writes = [], secrets = [], token = false }) =>
    [namespace, code(containers), names(programs), code(writes), code(secrets), token ? "yes" : ""].join(
      " | ",
    ),
  );
  const table = [
    `## Profiles\n\nWhat the platform's containers do when all is well ([\`profiles.ts\`](rules/profiles.ts)). All may write below ${code(scratch)}; none is root, has a capability or starts a shell by hand.\n`,
    "| namespace | containers | programs | writes below | Secrets | API token |",
    "| - | - | - | - | - | - |",
    ...rows.map((row) => `| ${row} |`),
  ].join("\n");
  return format([head, ...sections, table].join("\n"), { parser: "markdown", printWidth: 110 });
}
