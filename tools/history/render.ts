import { formatSeconds } from "../engine/report";
import { cut, wrap } from "../release/text";
import { describeDifference } from "./differences";
import type { Listed } from "./list";

/** Columns that the list may take. */
const width = 100;
const indentation = 5;

/** The history as text: a line for each update, and below it what it changed in the settings. */
export function renderHistory(listed: readonly Listed[]): string {
  if (listed.length === 0) return "The stack has no history yet.";
  const heading = ["#", "ended (UTC)", "what", "result", "version", "image", "schema", "commit", "took"];
  const rows = [heading, ...listed.map(cells)];
  const widths = heading.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]) =>
    cut(row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "), width).trimEnd();
  return rows.flatMap((row, index) => [line(row), ...details(listed[index - 1])]).join("\n");
}

function cells({ update, facts, digest }: Listed): string[] {
  return [
    String(update.number),
    update.endedAt.toISOString().slice(0, 16).replace("T", " "),
    update.kind,
    update.succeeded ? "succeeded" : "failed",
    cut(facts.version ?? "", 16),
    digest?.slice("sha256:".length, "sha256:".length + 12) ?? "",
    facts.schemaRevision ?? "",
    facts.commit === undefined ? "" : `${facts.commit.slice(0, 8)}${facts.dirty ? "*" : ""}`,
    formatSeconds(update.endedAt.getTime() - update.startedAt.getTime()),
  ];
}

function details(listed: Listed | undefined): string[] {
  if (listed === undefined) return [];
  const { update, facts, backTo, changed } = listed;
  const message = update.message === "" ? "" : `: ${cut(update.message.split("\n", 1).join(), 100)}`;
  const texts = [
    backTo === undefined ? [] : [`back to ${backTo}`],
    (changed ?? []).map(describeDifference),
    `by ${facts.who}${message}`,
  ].flat();
  const indented = (text: string) =>
    wrap(text, width - indentation).map((part) => " ".repeat(indentation) + part);
  return texts.flatMap(indented);
}

/** The same for programs; `changed` is null for the first update there is. */
export function historyJson(listed: readonly Listed[]): object[] {
  return listed.map(({ update, facts, digest, backTo, changed }) => ({
    number: update.number,
    id: update.id,
    kind: update.kind,
    result: update.succeeded ? "succeeded" : "failed",
    startedAt: update.startedAt.toISOString(),
    endedAt: update.endedAt.toISOString(),
    by: facts.who,
    message: update.message,
    commit: facts.commit ?? null,
    dirty: facts.dirty,
    version: facts.version ?? null,
    image: digest ?? null,
    schemaRevision: facts.schemaRevision ?? null,
    backTo: backTo ?? null,
    resources: update.changes,
    changed: changed ?? null,
  }));
}
