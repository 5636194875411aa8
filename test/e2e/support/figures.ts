import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { checkout } from "./command";

/** One line of the table of figures. */
export interface Figure {
  readonly scenario: string;
  /** What was measured, with its unit. */
  readonly measured: string;
  /** What it should be, where something is to be reached. */
  readonly toReach?: string;
}

const file = join(checkout, "reports/delivery.json");

/** Figures of the last run, in the order in which they were measured. */
export function readFigures(): Figure[] {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Figure[]) : [];
}

export function forgetFigures(): void {
  rmSync(file, { force: true });
}

/** Keeps a figure for the table, and shows it. */
export function record(figure: Figure): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify([...readFigures(), figure], null, 2));
  const { measured, toReach } = figure;
  console.log(`      ${measured}${toReach === undefined ? "" : ` (to reach: ${toReach})`}`);
}
