import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Command } from "commander";
import { defaultStack } from "../engine/invocation";
import { messageOf, report, UserError } from "../engine/report";

// What a command needs is loaded when it is called.
const load = createRequire(__filename);

interface ReportFlags {
  readonly stack: string;
  readonly json?: boolean;
  readonly html?: string;
  readonly out?: string;
}

/** The commands that ask whether the defences hold, for the platform's command line. */
export function securityCommand(root: string, env = process.env): Command {
  const security: Command = new Command("security")
    .description("ask of each of the platform's defences whether it holds where the stack runs")
    .helpCommand(false)
    .configureHelp({
      commandUsage: (shown) =>
        `npm run security -- ${shown === security ? "<command>" : shown.name()} [options]`,
    })
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
  security
    .command("report")
    .description("code, containers, infrastructure, pipeline: each control, what was asked, and its verdict")
    .option("-s, --stack <name>", "the stack", env.PULUMI_STACK || defaultStack)
    .option("--json", "print it as JSON")
    .option("--html <file>", "also write it as one page")
    .option("-o, --out <file>", "write what is printed into a file")
    .addHelpText("after", explanation)
    .action(async (flags: ReportFlags) => {
      try {
        process.exitCode = await securityReport(root, flags, env);
      } catch (error) {
        if (!(error instanceof UserError) && env.TECHNOVA_DEBUG !== undefined) throw error;
        process.stderr.write(`error: ${messageOf(error)}\n`);
        process.exitCode = 2;
      }
    });
  return security;
}

async function securityReport(root: string, flags: ReportFlags, env: NodeJS.ProcessEnv): Promise<number> {
  const { readEvidenceOf } = load("./read") as typeof import("./read");
  const { judge } = load("./judge") as typeof import("./judge");
  const { exitCodeOf, render, toJson } = load("./render") as typeof import("./render");
  const { toHtml } = load("./html") as typeof import("./html");
  const { stack } = flags;
  const evidence = await readEvidenceOf(root, stack, env);
  const found = { stack, at: new Date().toISOString(), judged: await judge(evidence) };
  const text = `${flags.json ? toJson(found) : render(found)}\n`;
  if (flags.html !== undefined) save(flags.html, toHtml(found));
  if (flags.out === undefined) process.stdout.write(text);
  else save(flags.out, text);
  return exitCodeOf(found, evidence.unread);
}

function save(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new UserError(`${file} cannot be written: ${messageOf(error)}`);
  }
  report(`written: ${file}`);
}

const explanation = `
Asked are the stack's state, its cluster, the policies, this checkout, and GitHub, which wants GITHUB_TOKEN to be
of somebody who administers the repository. Nothing is changed. What cannot be asked is unknown, and never holds.

Verdicts:
  holds     asked, and so
  fails     asked, and not so
  excepted  not so, by an exception of policy/exceptions.json that is not over
  unknown   what would have to be asked does not answer
  off       the stack's settings do not want it

Exit codes: 0 nothing fails, 1 a control fails, 2 the state or the cluster could not be read`;
