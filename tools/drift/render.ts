import type { Finding } from "./finding";
import { isAddition } from "./finding";
import type { StackState } from "./state";

export interface Report {
  readonly stack: string;
  readonly findings: readonly Finding[];
  readonly state: StackState;
  readonly seconds: number;
}

/** The whole answer for people: one table, then what to do. */
export function render({ stack, findings, state, seconds }: Report): string {
  const looked = `${state.objects.length} objects of ${stack} compared in ${seconds.toFixed(1)} s`;
  const lines =
    findings.length === 0
      ? [`No drift: ${looked}.`]
      : [
          ...table(findings),
          "",
          `Drift: ${count(findings.length, "difference")}; ${looked}.`,
          ...nextSteps(stack, findings),
        ];
  return [...lines, ...notLookedAt(state)].join("\n");
}

/** The same for programs. */
export function toJson({ stack, findings, state, seconds }: Report): string {
  const shown = findings.map(({ writer, path: _path, live: _live, inTheWay: _way, ...rest }) => ({
    ...rest,
    who: writer?.manager,
    at: writer?.time || undefined,
  }));
  const others = Object.fromEntries(state.others);
  const answer = { stack, objects: state.objects.length, seconds, drift: shown, notLookedAt: others };
  return JSON.stringify(answer, undefined, 2);
}

function table(findings: readonly Finding[]): string[] {
  const rows = [
    ["kind", "object", "what", "who"],
    ...findings.map(({ kind, namespace, name, what, writer }) => [
      kind,
      namespace === "" ? name : `${namespace}/${name}`,
      what,
      writer === undefined ? "-" : [writer.manager, writer.time].filter(Boolean).join(", "),
    ]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd((widths[column] ?? -2) + 2))
      .join("")
      .trimEnd(),
  );
}

function nextSteps(stack: string, findings: readonly Finding[]): string[] {
  const added = findings.filter(isAddition).length;
  const steps: string[] = [];
  if (added < findings.length) steps.push(`npm run drift -- --stack ${stack} --repair`);
  if (added > 0) steps.push(`npm run drift -- --stack ${stack} --repair --remove-added`);
  const remarks = [
    added < findings.length ? "puts back what was changed or deleted, after a preview" : undefined,
    added > 0 ? `also takes away what was added (${added}); to keep it, put it into the program` : undefined,
  ].filter((remark) => remark !== undefined);
  return ["Next:", ...steps.map((step, index) => `  ${step}\n      ${remarks[index]}`)];
}

function notLookedAt({ others }: StackState): string[] {
  const told = (name: string, amount: number) =>
    name === "github"
      ? `${count(amount, "resource")} of GitHub: not looked at here; npm run preview -- --refresh asks GitHub`
      : `${count(amount, "resource")} of ${name}`;
  const inCluster = new Set(["random", "tls", "docker"]);
  return [...others]
    .filter(([name]) => !inCluster.has(name))
    .map(([name, amount]) => `Not compared: ${told(name, amount)}.`);
}

function count(amount: number, what: string): string {
  return `${amount} ${what}${amount === 1 ? "" : "s"}`;
}
