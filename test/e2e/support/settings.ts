import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "./command";

/** Runs a test with other settings of a stack, and puts the stack's file back however the test ends. */
export async function withSettings<T>(
  stack: string,
  edits: readonly (readonly [pattern: RegExp, replacement: string])[],
  run: () => Promise<T>,
): Promise<T> {
  const file = join(checkout, `Pulumi.${stack}.yaml`);
  const original = readFileSync(file, "utf8");
  let text = original;
  for (const [pattern, replacement] of edits) {
    if (!pattern.test(text)) throw new Error(`${file} has nothing that matches ${pattern}`);
    text = text.replace(pattern, replacement);
  }
  writeFileSync(file, text);
  try {
    return await run();
  } finally {
    writeFileSync(file, original);
  }
}
