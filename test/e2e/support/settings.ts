import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { checkout } from "./command";

type Edits = readonly (readonly [pattern: RegExp, replacement: string])[];

/** Makes a copy of a stack's settings with changes, for `--config-file`; returns its path. */
export function settingsWith(stack: string, edits: Edits): string {
  const copy = join(checkout, `dist/Pulumi.${stack}.yaml`);
  mkdirSync(dirname(copy), { recursive: true });
  writeFileSync(copy, edited(stack, edits));
  return copy;
}

/** What the last copy says, which is what was applied. */
export function appliedSettings(stack: string): Record<string, unknown> {
  const text = readFileSync(join(checkout, `dist/Pulumi.${stack}.yaml`), "utf8");
  return (parse(text) as { config: Record<string, unknown> }).config;
}

function edited(stack: string, edits: Edits): string {
  const file = join(checkout, `Pulumi.${stack}.yaml`);
  return edits.reduce(
    (text, [pattern, replacement]) => {
      if (!pattern.test(text)) throw new Error(`${file} has nothing that matches ${pattern}`);
      return text.replace(pattern, replacement);
    },
    readFileSync(file, "utf8"),
  );
}

/** Runs a test with other settings of a stack, and puts the stack's file back however the test ends. */
export async function withSettings<T>(stack: string, edits: Edits, run: () => Promise<T>): Promise<T> {
  const file = join(checkout, `Pulumi.${stack}.yaml`);
  const original = readFileSync(file, "utf8");
  writeFileSync(file, edited(stack, edits));
  try {
    return await run();
  } finally {
    writeFileSync(file, original);
  }
}
