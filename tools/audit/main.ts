import { Command, InvalidArgumentError, Option } from "commander";
import { defaultStack } from "../engine/invocation";
import { requireStackFile } from "../engine/project";
import { withProgress } from "../engine/report";
import { connect } from "../release/api";
import { sourceNames, type SourceName } from "./entry";
import { find } from "./find";
import { explained, Loki, nanoseconds } from "./loki";
import { foundJson, renderFound } from "./render";

interface Options {
  readonly stack: string;
  readonly since: Date;
  readonly who?: string;
  readonly what?: string;
  readonly source?: SourceName;
  readonly limit: number;
  readonly all?: boolean;
  readonly json?: boolean;
}

/** What the command works with; tests give their own. */
export interface Surroundings {
  readonly env?: NodeJS.ProcessEnv;
  readonly print?: (text: string) => void;
  readonly columns?: number;
  /** Ends the process; for what the command line itself refuses. */
  readonly exit?: (code: number) => never;
}

/** The command that tells who changed what and when. */
export function auditCommand(root: string, surroundings: Surroundings = {}): Command {
  const { env = process.env, print = console.log, exit = process.exit } = surroundings;
  const columns = surroundings.columns ?? process.stdout.columns ?? 0;
  return new Command("audit")
    .description("list who changed what and when: in the cluster, on GitHub, and in the stack as a whole")
    .usage("-- [options]")
    .option("-s, --stack <name>", "the stack", env.PULUMI_STACK || defaultStack)
    .option("--since <time>", "how far back: 30m, 24h, 7d, or a date and time", toDate, toDate("24h"))
    .option("--who <name>", "only changes by names with this in them")
    .option("--what <text>", "only changes with this in them, such as rollouts, secrets or production")
    .addOption(new Option("--source <source>", "only changes that are written there").choices(sourceNames))
    .option("--limit <count>", "how many, the newest first", toCount, 200)
    .option("--all", "also what accounts of the cluster and the platform itself do")
    .option("--json", "print them as JSON")
    .addHelpText("after", explanation)
    .exitOverride(({ exitCode }) => exit(exitCode === 0 ? 0 : 2))
    .action(async (options: Options) => {
      const { stack, since, json, all = false } = options;
      requireStackFile(root, stack);
      const range = { from: nanoseconds(since), to: nanoseconds(Date.now() + 60_000) };
      try {
        const loki = new Loki(await connect(root, stack, env));
        const found = await withProgress(
          (elapsed) => `looking through the audit trail, ${elapsed}`,
          () => find(loki, { ...options, all, range }),
          2_000,
        );
        print(json ? JSON.stringify(foundJson(found), undefined, 2) : renderFound(found, columns));
      } catch (error) {
        throw explained(error, stack);
      }
    });
}

const explanation = `
Sources:
  kubernetes  requests to the API server that change something, sessions in Pods included
  github      what was done in the organisation
  stack       every up, destroy, refresh, import and rollback, with the settings that differ

Exit codes: 0 done, 1 not possible, with the reason, 2 wrong usage`;

const unitMilliseconds: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

function toDate(text: string): Date {
  const [, count, unit = ""] = /^([1-9]\d{0,4})([mhd])$/.exec(text) ?? [];
  const unitLength = unitMilliseconds[unit];
  const date = unitLength === undefined ? new Date(text) : new Date(Date.now() - Number(count) * unitLength);
  // `new Date` takes single numbers for years.
  if (Number.isNaN(date.getTime()) || /^\d{0,3}$/.test(text) || date.getTime() > Date.now()) {
    throw new InvalidArgumentError(
      "It takes a time that is past, such as 30m, 24h, 7d or 2026-11-25T08:00Z.",
    );
  }
  return date;
}

function toCount(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text))
    throw new InvalidArgumentError("It takes a whole number from 1 to 99999.");
  return Number(text);
}
