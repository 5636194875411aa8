import { Command, InvalidArgumentError, Option } from "commander";
import { areas, type Area, type Profile } from "../../policy/frame/policy";
import { defaultStack } from "../engine/invocation";
import { createRequire } from "node:module";
import { UserError } from "../engine/report";

// As in the command line itself: what a command needs is loaded when it is called.
const load = createRequire(__filename);

const exitCodeHelp = `
Exit codes: 0 clean, 1 findings, 2 something could not be read or done`;

interface CheckFlags {
  readonly area?: Area;
  readonly profile?: Profile;
  readonly stack?: string;
  readonly json?: boolean;
}

/** The commands around the policies, for the platform's command line. */
export function policyCommand(root: string, env = process.env): Command {
  const policy: Command = new Command("policy")
    .description("judge files by the policies, report on a stack, list the policies")
    .helpCommand(false)
    .configureHelp({
      commandUsage: (shown) => {
        const args = shown.name() === "check" ? " <files or folders...>" : "";
        return `npm run policy -- ${shown === policy ? "<command>" : shown.name()}${args} [options]`;
      },
    })
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
  const today = () => new Date().toISOString().slice(0, 10);

  policy
    .command("check")
    .description("judge Kubernetes YAML or exported states by the policies that a preview is judged by")
    .argument("<paths...>", "files, or folders with all that is in them")
    .addOption(new Option("--area <area>", "only the policies of an area").choices(Object.keys(areas)))
    .addOption(
      new Option("--profile <level>", "only the Pod Security Standards of a level").choices([
        "baseline",
        "restricted",
      ]),
    )
    .option("--stack <name>", "with the settings and exceptions of a stack")
    .option("--json", "print the findings as JSON")
    .addHelpText("after", exitCodeHelp)
    .action(async (paths: string[], { json, ...flags }: CheckFlags) => {
      const { check } = load("./check") as typeof import("./check");
      const { render, exitCodeOf } = load("./render") as typeof import("./render");
      const checked = orExit(() => check(root, paths, { ...flags, today: today() }));
      process.stdout.write(json ? `${JSON.stringify(checked.findings, undefined, 2)}\n` : render(checked));
      for (const problem of checked.unreadable) process.stderr.write(`error: ${problem}\n`);
      for (const file of checked.skipped)
        process.stderr.write(`skipped: ${file} holds no Kubernetes object\n`);
      process.exitCode = exitCodeOf(checked);
    });

  policy
    .command("report")
    .description("preview a stack and write what the policies find as JSON, SARIF and HTML")
    .option("-s, --stack <name>", "the stack", env.PULUMI_STACK || defaultStack)
    .option("-o, --output <folder>", "where to (default: reports/policy/<stack>)")
    .addHelpText("after", exitCodeHelp)
    .action(async ({ stack, output }: { stack: string; output?: string }) => {
      const { report } = load("./report") as typeof import("./report");
      process.exitCode = await report(root, stack, output, env);
    });

  policy
    .command("docs")
    .description("write the policies' tables in policy/README.md anew")
    .action(async () => {
      const { writePolicyTables } = load("./docs") as typeof import("./docs");
      const changed = await writePolicyTables(root);
      process.stdout.write(
        changed ? "policy/README.md is written anew.\n" : "policy/README.md is up to date.\n",
      );
    });
  return policy;
}

/** Wrong settings are no findings. */
function orExit<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof UserError) && !(error instanceof InvalidArgumentError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    process.exit(2);
  }
}
