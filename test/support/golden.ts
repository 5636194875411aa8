import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { stringify } from "yaml";
import type { Json, JsonObject, Registered } from "./mocks";

/**
 * Compares resources with a file under `test/golden`, or writes it when `UPDATE_GOLDEN` is set.
 * A file that differs shows what a change does to a stack: read the difference, then `npm run golden`.
 */
export function expectGolden(name: string, resources: readonly Registered[]): void {
  expectFile(join(__dirname, "../golden", `${name}.yaml`), golden(resources));
}

/** The same for any file that is made from the program. */
export function expectFile(file: string, actual: string): void {
  if (process.env.UPDATE_GOLDEN) writeFileSync(file, actual);
  else {
    const expected = existsSync(file) ? readFileSync(file, "utf8") : "";
    expect(actual, `${file} differs; if that is meant: npm run golden`).to.equal(expected);
  }
}

/** One document that does not depend on the order in which things were registered. */
export function golden(resources: readonly Registered[]): string {
  const entries = resources
    .map(({ type, name, parent, inputs }) => ({
      type,
      name,
      ...(parent ? { parent } : {}),
      inputs: brief(type, inputs),
    }))
    .sort((a, b) => compare(a.type, b.type) || compare(a.name, b.name));
  return stringify(entries, { lineWidth: 0, sortMapEntries: false, aliasDuplicateObjects: false });
}

/** Upstream's definitions are pinned by their sum; here they only have to be recognised. */
function brief(type: string, inputs: JsonObject): JsonObject {
  const sorted = sortKeys(inputs) as JsonObject;
  if (!type.endsWith(":CustomResourceDefinition")) return sorted;
  const sum = createHash("sha256").update(JSON.stringify(sorted.spec)).digest("hex");
  return { ...sorted, spec: `sha256 ${sum}` };
}

function sortKeys(value: Json): Json {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => compare(a, b));
  return Object.fromEntries(entries.map(([key, each]) => [key, sortKeys(each)]));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
