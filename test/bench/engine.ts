import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findCli } from "../../tools/engine/cli";
import { pulumiEnvironment } from "../../tools/engine/environment";
import { choosePlugins } from "../../tools/engine/plugins";
import { projectRoot } from "../../tools/engine/project";
import { best, timed, type Measured } from "./measure";

/** The CLI as the project's commands run it, for programs that are not the project's own. */
export interface BareEngine {
  /** Writes a program into a folder of its own and previews it, best of `runs`, in seconds. */
  preview(
    files: Readonly<Record<string, string>>,
    options?: { runs?: number; flags?: readonly string[]; env?: Readonly<Record<string, string>> },
  ): number;
  /** Writes a file beside the programs; answers its path. */
  file(name: string, text: string): string;
  close(): void;
}

/** A preview that takes longer hangs. */
const longestPreview = 15 * 60_000;

export async function bareEngine(): Promise<BareEngine> {
  const cli = await findCli(projectRoot, process.env);
  const plugins = await choosePlugins(projectRoot, cli, process.env);
  // Below the checkout, so that programs find its node_modules, but not in the folder that holds them.
  const base = join(projectRoot, ".build/bench");
  mkdirSync(base, { recursive: true });
  const scratch = mkdtempSync(join(base, "run-"));
  const backend = join(scratch, "state");
  mkdirSync(backend);
  const env = {
    ...pulumiEnvironment(process.env, { cli, plugins, stack: "bench", state: { url: `file://${backend}` } }),
    PULUMI_CONFIG_PASSPHRASE: "bench",
  };
  let programs = 0;
  return {
    file(name, text) {
      writeFileSync(join(scratch, name), text);
      return join(scratch, name);
    },
    preview(files, { runs = 3, flags = [], env: more = {} } = {}) {
      const stack = `bench-${(programs += 1)}`;
      const folder = join(scratch, stack);
      mkdirSync(folder);
      for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
      const run = (args: readonly string[]): Measured =>
        timed(cli.path, args, { cwd: folder, env: { ...env, ...more }, timeout: longestPreview });
      run(["stack", "init", "--no-select", "--stack", stack]);
      return best(runs, () => run(["preview", "--stack", stack, "--non-interactive", ...flags]));
    },
    close: () => rmSync(scratch, { recursive: true, force: true }),
  };
}

/** `Pulumi.yaml` of a program that loads its TypeScript as the project does. */
export const projectFile = (name: string, runtime = "nodejs"): string =>
  `name: ${name}\nruntime: ${runtime}\nmain: index.js\n`;

/** One of the project's own commands, as a user runs it. */
export const command = (...args: readonly string[]): Measured =>
  timed(process.execPath, ["tools/bootstrap.mjs", ...args], { cwd: projectRoot });
