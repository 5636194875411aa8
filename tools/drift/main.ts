import { Command } from "commander";
import { ask, canBeAsked } from "../engine/confirm";
import { defaultStack } from "../engine/invocation";
import { messageOf, report, UserError, withProgress } from "../engine/report";
import { capturePulumi, runPulumi } from "../engine/run";
import { isForbidden } from "../plugins/kubernetes/cluster/errors";
import { explained, openTransport } from "../release/api";
import { Cluster } from "./cluster";
import { exportState } from "./exported";
import { findDrift } from "./find";
import { isAddition } from "./finding";
import { render, toJson, type Report } from "./render";
import { putBack, takeAwayAdded, type Means } from "./repair";
import { readState } from "./state";
import { refuseUnapplied } from "./unapplied";

interface Flags {
  readonly stack: string;
  readonly repair?: boolean;
  readonly removeAdded?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

const rights =
  "To look for drift, the kubeconfig's user has to be allowed to get what the stack has, and to list all " +
  "kinds in its namespaces, Secrets included; a repair needs the rights of an update.";

const codes = { none: 0, drift: 1, unreadable: 2 } as const;

/** The command that compares a stack with its cluster, for the platform's command line. */
export function driftCommand(root: string, env = process.env): Command {
  return new Command("drift")
    .description("show what the cluster has that the stack's state does not say, and the reverse")
    .usage("-- [--stack <name>] [options]")
    .option("-s, --stack <name>", "the stack", env.PULUMI_STACK || defaultStack)
    .option("--repair", "put back what was changed or deleted, after a preview; ask for what was added")
    .option("--remove-added", "with --repair: take away what was added, without asking for each")
    .option("--yes", "with --repair: do not ask; what was added stays unless --remove-added is given")
    .option("--json", "print it as JSON")
    .addHelpText("after", explanation)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : codes.unreadable))
    .action(async (flags: Flags) => {
      try {
        process.exitCode = await drift(root, flags, env);
      } catch (error) {
        const known = isForbidden(error) ? new UserError(`${messageOf(error)}\n${rights}`) : explained(error);
        if (!(known instanceof UserError) && env.TECHNOVA_DEBUG !== undefined) throw known;
        process.stderr.write(`error: ${messageOf(known)}\n`);
        process.exitCode = codes.unreadable;
      }
    });
}

async function drift(root: string, flags: Flags, env: NodeJS.ProcessEnv): Promise<number> {
  const { stack } = flags;
  if (flags.json && flags.repair && !flags.yes)
    throw new UserError("With --json nobody is asked: say --yes, or leave --json out.");
  const cluster = new Cluster(await openTransport(root, stack, env));
  const look = async (): Promise<Report> => {
    const started = Date.now();
    const state = readState(await exportState(root, stack, env));
    const findings = await findDrift(state, cluster);
    return { stack, state, findings, seconds: (Date.now() - started) / 1000 };
  };
  const show = (found: Report) => process.stdout.write(`${flags.json ? toJson(found) : render(found)}\n`);
  let found = await look();
  if (flags.repair && found.findings.length > 0) {
    // The answer of a repair is what is left; what there was is said before.
    report(render(found));
    const options = { stack, yes: flags.yes ?? false, removeAdded: flags.removeAdded ?? false };
    const means: Means = {
      cluster,
      engine: (args, more) => runEngine(root, args, { ...env, ...more }, flags.json ?? false),
      ask: canBeAsked() ? ask : undefined,
      note: report,
    };
    if (!found.findings.every(isAddition)) await refuseUnapplied(root, stack, env);
    await putBack(found.findings, found.state, options, means);
    found = await look();
    if (found.findings.some(isAddition)) {
      await takeAwayAdded(found.findings, options, means);
      found = await look();
    }
  }
  show(found);
  return found.findings.length === 0 ? codes.none : codes.drift;
}

/** On this terminal; beside an answer for programs, what the engine prints goes where remarks go. */
async function runEngine(
  root: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  aside: boolean,
): Promise<number> {
  if (!aside) return runPulumi(root, args, env);
  const { code, stdout, stderr } = await withProgress(
    (elapsed) => `  the engine is at work, ${elapsed}`,
    () => capturePulumi(root, args, env),
  );
  report(`${stdout}${stderr}`.trim());
  return code;
}

const explanation = `
What controllers and autoscalers change is no drift, nor is what the cluster fills in. The value of a secret
is never shown. Resources outside of the cluster (GitHub's) are not looked at.

Exit codes: 0 no drift (left), 1 drift, 2 something could not be read or done`;
