import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A folder for one test, removed after it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "technova-engine-"));
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

/** Writes a file with its folders; an executable one with `mode` 0o755. */
export function write(root: string, path: string, content: string | Buffer, mode = 0o644): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content, { mode });
  return file;
}

/** What the commands need of a checkout. */
export function checkoutWith(files: Record<string, string>): string {
  const root = temporaryFolder();
  write(root, "Pulumi.yaml", "name: technova\nruntime: nodejs\n");
  write(root, "node_modules/pulumi/package.json", JSON.stringify({ version: "3.265.0" }));
  write(root, "tools/engine/cli/go.mod", "require (\n\tgithub.com/pulumi/pulumi/pkg/v3 v3.256.0\n)\n");
  for (const [path, content] of Object.entries(files)) write(root, path, content);
  return root;
}

/** Takes the message of the error that a call must throw. */
export async function messageOfFailure(call: () => unknown): Promise<string> {
  try {
    await call();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new Error("the call was expected to fail");
}
