import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkout, npmOk } from "./command";

/** Runs a test with other settings of a stack, and puts the stack's file back however the test ends. */
export async function withSettings<T>(
  stack: string,
  values: Readonly<Record<string, string>>,
  run: () => Promise<T>,
): Promise<T> {
  const file = join(checkout, `Pulumi.${stack}.yaml`);
  const folder = mkdtempSync(join(tmpdir(), "technova-settings-"));
  const kept = join(folder, "settings");
  copyFileSync(file, kept);
  try {
    for (const [path, value] of Object.entries(values)) {
      await npmOk("pulumi", "config", "set", "--stack", stack, "--path", path, value);
    }
    return await run();
  } finally {
    copyFileSync(kept, file);
    rmSync(folder, { recursive: true });
  }
}
