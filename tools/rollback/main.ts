import { Command, InvalidArgumentError, Option } from "commander";
import { parseSettings, settingKeys } from "../../components/config/settings";
import { trailOfRollbacks } from "../audit/rollbacks";
import { confirm } from "../engine/confirm";
import { defaultStack } from "../engine/invocation";
import { projectName, requireStackFile } from "../engine/project";
import { openState } from "../engine/state";
import { holdsSecret } from "../history/differences";
import { comparisonFor } from "../history/secrets";
import { openHistory } from "../history/source";
import type { Config } from "../history/update";
import { connect } from "../release/api";
import { screenOn, type Screen } from "../release/screen";
import { automation } from "./automation";
import { clusterPlatform } from "./platform";
import { fileSettings, rollback, type RollbackOptions } from "./rollback";

interface Flags {
  readonly stack: string;
  readonly to: string;
  readonly only?: "config" | "image";
  readonly program: "today" | "then";
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly immediate?: boolean;
  readonly allowDataLoss?: boolean;
  readonly watch: number;
}

/** The command that brings an earlier state of a stack back. */
export function rollbackCommand(root: string, env: NodeJS.ProcessEnv = process.env): Command {
  return new Command("rollback")
    .description("bring an earlier state of a stack back: configuration, image and schema as one")
    .usage("-- [options]")
    .option("-s, --stack <name>", "the stack", env.PULUMI_STACK || defaultStack)
    .option("--to <state>", "number or ID of an update, point in time, commit, or previous", "previous")
    .addOption(new Option("--only <part>", "bring that part alone back").choices(["config", "image"]))
    .addOption(
      new Option("--program <which>", "the program that is run").choices(["today", "then"]).default("today"),
    )
    .option("--immediate", "give users the earlier version at once, without steps, pauses and measurements")
    .option("--allow-data-loss", "bring the schema down even if rows lose something by that")
    .option("--watch <seconds>", "how long the errors are watched afterwards", toSeconds, 30)
    .option("--dry-run", "show what would be done, and end")
    .option("-y, --yes", "do not ask")
    .addHelpText("after", explanation)
    .action(async (flags: Flags) => {
      requireStackFile(root, flags.stack);
      const screen = screenOn({ out: process.stdout, err: process.stderr }, env);
      await rollback(optionsOf(flags), await surroundings(root, flags.stack, env, screen));
    });
}

async function surroundings(root: string, stack: string, env: NodeJS.ProcessEnv, screen: Screen) {
  const state = openState(root, env);
  const project = projectName(root);
  return {
    root,
    env,
    screen,
    project,
    history: await openHistory(root, stack, env, state),
    openHistory: () => openHistory(root, stack, env, state),
    settings: () => fileSettings(root, stack, project),
    secrets: (provider: Parameters<typeof comparisonFor>[0]) => comparisonFor(provider, state, env),
    engine: automation(root, env, (text) => process.stderr.write(text)),
    platform: clusterPlatform(() => connect(root, stack, env), stack, screen),
    trail: trailOfRollbacks(() => connect(root, stack, env)),
    confirm,
    notUnderstood: (config: Config) => notUnderstood(config, project),
  };
}

function optionsOf(flags: Flags): RollbackOptions {
  const { stack, to, only, program, dryRun = false, yes = false, immediate = false, watch } = flags;
  const allowDataLoss = flags.allowDataLoss ?? false;
  return { stack, to, only, program, dryRun, yes, immediate, allowDataLoss, watchSeconds: watch };
}

/** What the program would say of the settings, without starting it. */
function notUnderstood(config: Config, project: string): string[] {
  const own = Object.entries(config).flatMap(([key, value]) =>
    key.startsWith(`${project}:`) ? [[key.slice(project.length + 1), value] as const] : [],
  );
  const unknown = own.filter(([key]) => !settingKeys.includes(key));
  const encrypted = own.filter(([, value]) => holdsSecret(value)).map(([key]) => key);
  const parsed = parseSettings(Object.fromEntries(own.map(([k, v]) => [k, revealed(v)])), project, encrypted);
  const problems = "problems" in parsed ? parsed.problems : [];
  return [
    ...unknown.map(([key]) => `${project}:${key}: there is no such key`),
    ...problems.map(({ key, told }) => `${key}: ${told}`),
  ];
}

/** The program sees a text where the settings have a ciphertext. */
function revealed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const [first] = entries;
  if (entries.length === 1 && first?.[0] === "secure") return "[secret]";
  return Object.fromEntries(entries.map(([key, inner]) => [key, revealed(inner)]));
}

function toSeconds(text: string): number {
  if (!/^\d{1,4}$/.test(text))
    throw new InvalidArgumentError("It takes a whole number of seconds from 0 to 9999.");
  return Number(text);
}

const explanation = `
Without --to it is the state before: the newest update that succeeded and whose settings differ from those
that run. Two rollbacks in a row go two states back; a rollback is an update, and can be gone back to itself.
--only image takes version, image and schema revision; --only config everything else.
The schema goes down by the migrations of the build that made it, after a snapshot; if rows would lose
something by that, nothing is changed. If a step fails, the stack is brought back to where it was; killed at
any step and started again, the rollback goes on.`;
