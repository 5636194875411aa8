import type { OpMap } from "@pulumi/pulumi/automation";
import { describeDifference } from "../history/differences";
import { wrap } from "../release/text";
import type { Plan } from "./plan";
import { describeUpdate, short } from "./states";
import { digestOf } from "../history/facts";

const width = 100;

/** What a plan is going to do, as text of at most 100 columns. */
export function renderPlan(plan: Plan, program: string): string {
  const { before, target, targetState, downgrade, differences } = plan;
  const failed = before.update.succeeded ? "" : ", which failed";
  const rows: [string, string][] = [
    ["from", `${describeUpdate(before)}${failed}`],
    ["to", describeUpdate(target, targetState.image)],
    ["program", program],
  ];
  if (downgrade !== undefined) {
    const by = short(digestOf(downgrade.image) ?? "");
    const how = `a snapshot first, then the migrations of image ${by} backwards`;
    rows.push(["schema", `from ${downgrade.from} down to ${downgrade.to}: ${how}`]);
  }
  const lines = rows.flatMap(([name, text]) => {
    const [first = "", ...rest] = wrap(text, width - 9);
    return [`${name.padEnd(9)}${first}`, ...rest.map((part) => " ".repeat(9) + part)];
  });
  const changes = differences.flatMap((each) => wrap(describeDifference(each), width - 9));
  return [...lines, ...changes.map((text, i) => `${(i === 0 ? "settings" : "").padEnd(9)}${text}`)].join(
    "\n",
  );
}

const words: Partial<Record<string, string>> = {
  create: "created",
  update: "changed",
  delete: "deleted",
  replace: "replaced",
  same: "the same",
};

/** How many resources an update would create, change and so on. */
export function renderChanges(changes: OpMap): string {
  const parts = Object.entries(changes).flatMap(([kind, count]) =>
    count ? [`${count} ${words[kind] ?? kind}`] : [],
  );
  return `resources: ${parts.length === 0 ? "none" : parts.join(", ")}`;
}
