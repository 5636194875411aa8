import { createRequire } from "node:module";
import { join } from "node:path";
import type { ChildResult } from "./children";
import type { Runner } from "./command";

/** The runner's exit code for "the user has already been told". */
const BAIL = 32;

const OUT_OF_MEMORY = "<--- Last few GCs --->";

/** Finds one of the SDK's runners as the program itself would import it. */
export function locateRunner(module: string, programDirectory: string): Runner {
  try {
    const path = createRequire(join(programDirectory, "package.json")).resolve(module);
    return { path, preload: join(__dirname, "preload.cjs") };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    throw new Error(
      `@pulumi/pulumi is not installed for ${programDirectory}. Install its dependencies (npm ci), then try again.`,
    );
  }
}

export interface Outcome {
  readonly error?: string;
  /** The program failed and said why; there is nothing to add. */
  readonly bail?: boolean;
}

export function programOutcome({ code, killedBy }: ChildResult, stderr: string): Outcome {
  if (code === 0) return {};
  if (code === BAIL) return { bail: true };
  if (killedBy) return { error: `the program was ended by ${killedBy}` };
  const memory = stderr.includes(OUT_OF_MEMORY)
    ? ". It ran out of memory: allow more with the runtime option nodeargs in Pulumi.yaml, " +
      "for example nodeargs: --max-old-space-size=4096 (in megabytes)"
    : "";
  return { error: `the program exited with code ${code}${memory}` };
}
