import { gunzipSync } from "node:zlib";
import { UserError } from "../engine/report";
import type { StackReference } from "./source";

/*
 * How backends that keep files lay them out, below the folder `.pulumi`:
 *
 *   history/<project>/<stack>/<stack>-<nanoseconds>.history.json       what was done, with which configuration
 *   history/<project>/<stack>/<stack>-<nanoseconds>.checkpoint.json    the state afterwards
 *   stacks/<project>/<stack>.json                                      the state as it is
 *   locks/organization/<project>/<stack>/<id>.json                     while a command changes the stack
 *
 * Each of the first three ends with .gz or .zst where the state is compressed.
 */

export const historyFolder = ({ project, stack }: StackReference): string => `history/${project}/${stack}`;

export const stateFolder = ({ project }: StackReference): string => `stacks/${project}`;

/** The file with the state as it is now, among the names of its folder. */
export function stateFile(names: readonly string[], { stack }: StackReference): string | undefined {
  return [".json", ".json.gz", ".json.zst"]
    .map((end) => `${stack}${end}`)
    .find((name) => names.includes(name));
}

export const lockFolder = ({ project, stack }: StackReference): string =>
  `locks/organization/${project}/${stack}`;

/** A file of the history: the ID of its update, what it is, and how it is compressed. */
export interface HistoryFile {
  readonly name: string;
  readonly id: string;
  readonly content: "history" | "checkpoint";
}

const pattern = /-(\d{10,20})\.(history|checkpoint)\.json(\.gz|\.zst)?$/;

/** The files of the history among others, such as those that keep attributes; oldest first. */
export function historyFiles(names: readonly string[], content: HistoryFile["content"]): HistoryFile[] {
  const files = names.flatMap((name) => {
    const [, id, kind] = pattern.exec(name) ?? [];
    return id !== undefined && kind === content ? [{ name, id, content }] : [];
  });
  // As numbers: names of another length sort wrongly as texts.
  return files.sort((a, b) => a.id.length - b.id.length || (a.id < b.id ? -1 : 1));
}

/** The states that updates left behind, by the update's ID. */
export function checkpointsById(names: readonly string[]): ReadonlyMap<string, HistoryFile> {
  return new Map(historyFiles(names, "checkpoint").map((file) => [file.id, file]));
}

/** Whether a file has to be read whole to be read at all. */
export function isCompressed(name: string): boolean {
  return !name.endsWith(".json");
}

export function uncompressed(name: string, content: Buffer): string {
  if (name.endsWith(".gz")) return gunzipSync(content).toString("utf8");
  if (name.endsWith(".zst")) {
    throw new UserError(`${name} is compressed with Zstandard, which cannot be read here; gzip can.`);
  }
  return content.toString("utf8");
}
