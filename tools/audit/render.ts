import { width, wrap } from "../release/text";
import type { Entry } from "./entry";
import type { Found } from "./find";

const heading = ["when (UTC)", "source", "who", "result", "what"];
/** Columns that are left to the last column, however much the others take. */
const leastWhat = 40;

/** One table, newest first, and below it what it does not show. @param columns that it may take */
export function renderFound({ entries, more, hidden }: Found, columns: number): string {
  const notes = [
    ...(more ? ["There are older ones: --limit shows more, --since, --who, --what and --source fewer."] : []),
    ...(hidden === 0
      ? []
      : [`${hidden} by accounts of the cluster and the platform itself: --all shows them.`]),
  ];
  const table = entries.length === 0 ? ["No change was found."] : tableOf(entries, columns);
  return [...table, ...(notes.length === 0 ? [] : ["", ...notes])].join("\n");
}

function tableOf(entries: readonly Entry[], columns: number): string[] {
  const rows = [heading, ...entries.map(cells)];
  const widths = heading
    .slice(0, -1)
    .map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const before = widths.reduce((sum, each) => sum + each + 2, 0);
  const room = Math.max(leastWhat, Math.max(columns, width) - before);
  return rows.flatMap((row) => {
    const [first = "", ...rest] = wrap(row.at(-1) ?? "", room);
    const start = widths.map((each, column) => (row[column] ?? "").padEnd(each + 2)).join("");
    return [`${start}${first}`.trimEnd(), ...rest.map((line) => " ".repeat(before) + line)];
  });
}

function cells({ time, source, who, result, what }: Entry): string[] {
  return [iso(time).slice(0, 19).replace("T", " "), source, who, result, what].map(harmless);
}

/** Names and messages are anybody's: none of them may steer the terminal. */
function harmless(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ");
}

/** The same for programs. */
export function foundJson({ entries, more, hidden }: Found): object {
  return { entries: entries.map(({ time, ...entry }) => ({ time: iso(time), ...entry })), more, hidden };
}

function iso(time: bigint): string {
  return new Date(Number(time / 1_000_000n)).toISOString();
}
