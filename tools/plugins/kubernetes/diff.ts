import type { DiffKind } from "../rpc/provider";
import { isPropertyMap, Unknown, type PropertyMap, type PropertyValue } from "../rpc/values";
import { touches } from "./force-new";

export type DetailedDiff = Record<string, { kind: DiffKind; inputDiff: boolean }>;

type Path = (string | number)[];
type Change = "add" | "delete" | "update";

/**
 * Every place where `after` differs from `before`. A change of one of `immutable` (such as `spec.selector` or
 * `spec.containers[*].image`) can only be made by a new object.
 */
export function detailedDiff(before: PropertyMap, after: PropertyMap, immutable: string[]): DetailedDiff {
  const diff: DetailedDiff = {};
  const add = (path: Path, change: Change, value: PropertyValue) => {
    const replaces = touches(path, value, immutable);
    diff[pathText(path)] = { kind: replaces ? `${change}-replace` : change, inputDiff: change === "delete" };
  };
  compareMaps([], before, after, add);
  return diff;
}

type Add = (path: Path, change: Change, value: PropertyValue) => void;

function compareMaps(path: Path, before: PropertyMap, after: PropertyMap, add: Add): void {
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    compare([...path, key], before[key], after[key], add);
  }
}

function compareLists(path: Path, before: PropertyValue[], after: PropertyValue[], add: Add): void {
  for (let index = 0; index < Math.max(before.length, after.length); index++) {
    compare([...path, index], before[index], after[index], add);
  }
}

function compare(
  path: Path,
  before: PropertyValue | undefined,
  after: PropertyValue | undefined,
  add: Add,
): void {
  if (after instanceof Unknown) add(path, before === undefined ? "add" : "update", after);
  else if (after === undefined || after === null) {
    if (before !== undefined && before !== null) add(path, "delete", before);
  } else if (before === undefined) add(path, "add", after);
  else if (isPropertyMap(before) && isPropertyMap(after)) compareMaps(path, before, after, add);
  else if (Array.isArray(before) && Array.isArray(after)) compareLists(path, before, after, add);
  else if (before !== after) add(path, "update", after);
}

/** A property path as Pulumi writes it: `spec.containers[0].image`, `metadata.annotations["a.b/c"]`. */
export function pathText(path: Path): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (/[."[\]]/.test(part)) text += `["${part.replaceAll('"', '\\"')}"]`;
    else text += text === "" ? part : `.${part}`;
  }
  return text;
}

export function parsePath(text: string): Path {
  const path: Path = [];
  const part = /\.?([^.[\]"]+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|\[(\*)\]/gy;
  for (const match of text.matchAll(part)) {
    const [, plain, index, quoted = "", wildcard] = match;
    if (index !== undefined) path.push(Number(index));
    else path.push(plain ?? wildcard ?? quoted.replaceAll('\\"', '"'));
  }
  return path;
}

/** Takes out what lies at or below one of the paths to ignore. */
export function withoutIgnored(diff: DetailedDiff, ignoreChanges: string[]): DetailedDiff {
  const ignored = ignoreChanges.map(parsePath);
  return Object.fromEntries(
    Object.entries(diff).filter(([path]) => {
      const parts = parsePath(path);
      return !ignored.some((prefix) =>
        prefix.every((part, index) => (part === "*" ? index < parts.length : part === parts[index])),
      );
    }),
  );
}
