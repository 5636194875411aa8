import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { configurationFile } from "../policy/configuration";
import { UserError } from "./report";

/** What a call of the CLI is about to do, as far as the tools around it have to know. */
export interface Invocation {
  /** Canonical name of the command, `undefined` for a call without one (`--help`, `--version`). */
  readonly command: string | undefined;
  readonly stack: string;
  /** What the user gave, without a `--` in front. */
  readonly args: readonly string[];
  /** Where the command stands in `args`; -1 without one. */
  readonly position: number;
  /** Settings file that the user names instead of the stack's own. */
  readonly settingsFile?: string;
  /** Whether the user only asks how the command is used. */
  readonly help: boolean;
}

export const defaultStack = "local";

const aliases: Record<string, string> = { pre: "preview", update: "up", down: "destroy", dn: "destroy" };

/** Flags in front of a command that take a value of their own. */
const globalFlagsWithValue = new Set([
  "--color",
  "--memprofilerate",
  "--otel-traces",
  "--profiling",
  "--tracing",
  "--verbose",
  "-v",
]);

/** Commands that read the stack's settings and take `--config-file`. */
const withSettings = new Set(["preview", "up", "destroy", "refresh", "import", "watch", "config", "logs"]);
/** Commands that run the program, and so everything that policies are about. */
const withPolicies = new Set(["preview", "up", "watch"]);
/** Commands that change what exists, under the stack's lock. */
const changing = new Set(["up", "destroy", "refresh", "import", "watch"]);
/** Commands that start plugins. */
const withPlugins = new Set(["preview", ...changing]);

/**
 * Reads a command line of the CLI.
 * @throws UserError for `--cwd`: the checkout is where settings, policies and state are.
 */
export function parseInvocation(given: readonly string[], env: NodeJS.ProcessEnv): Invocation {
  const { args, value: settingsFile } = takeFlag(given[0] === "--" ? given.slice(1) : given, "--config-file");
  if (args.some((arg) => /^(-C|--cwd(=.*)?)$/.test(arg))) {
    throw new UserError("--cwd cannot be used here: the commands work on the checkout that they belong to.");
  }
  const position = findCommand(args);
  const command = args[position];
  return {
    command: command === undefined ? undefined : (aliases[command] ?? command),
    position,
    stack: findStack(args) ?? env.PULUMI_STACK ?? defaultStack,
    args,
    settingsFile: settingsFile === undefined ? undefined : resolve(settingsFile),
    help: args.some((arg) => arg === "--help" || arg === "-h"),
  };
}

export function readsSettings(call: Invocation): boolean {
  return call.command !== undefined && withSettings.has(call.command);
}

export function runsProgram(call: Invocation): boolean {
  return call.command !== undefined && withPolicies.has(call.command);
}

export function changesResources(call: Invocation): boolean {
  return call.command !== undefined && changing.has(call.command);
}

export function startsPlugins(call: Invocation): boolean {
  return call.command !== undefined && withPlugins.has(call.command);
}

/**
 * The command line with the policy pack. There is no call of the program without it: packs that the user names come
 * in addition. The pack always has a configuration, because the CLI matches packs and configurations by position,
 * and one that the user adds must not take its place.
 */
export function withPolicyPack(
  root: string,
  call: Invocation,
  emptyConfiguration: string,
  pack = join(root, "policy"),
): string[] {
  if (!runsProgram(call) || call.help) return [];
  const configuration = configurationFile(root, call.stack);
  const flags = ["--policy-pack", pack];
  const others = givesFlag(call.args, "--policy-pack-config");
  if (existsSync(configuration)) flags.push("--policy-pack-config", configuration);
  else if (others) flags.push("--policy-pack-config", emptyConfiguration);
  return flags;
}

/** The command line with more flags, in front of whatever the user put behind a `--`. */
export function insertFlags(call: Invocation, flags: readonly string[]): string[] {
  return [...call.args.slice(0, call.position + 1), ...flags, ...call.args.slice(call.position + 1)];
}

export function givesFlag(args: readonly string[], flag: string): boolean {
  return args.some((arg) => arg === flag || arg.startsWith(`${flag}=`));
}

/** Removes a flag with its value, wherever it stands in front of a `--`. */
function takeFlag(given: readonly string[], flag: string): { args: string[]; value?: string } {
  const args = [...given];
  const end = args.indexOf("--");
  const index = args.findIndex((arg) => arg === flag || arg.startsWith(`${flag}=`));
  if (index < 0 || (end >= 0 && index > end)) return { args };
  const [found = "", next] = args.slice(index, index + 2);
  if (found !== flag) {
    args.splice(index, 1);
    return { args, value: found.slice(flag.length + 1) };
  }
  args.splice(index, 2);
  return { args, value: next };
}

function findCommand(args: readonly string[]): number {
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? "";
    if (!arg.startsWith("-")) return index;
    if (globalFlagsWithValue.has(arg) || arg === "-s" || arg === "--stack") index += 1;
  }
  return -1;
}

/** The last `--stack` counts, as it does for the CLI. */
function findStack(args: readonly string[]): string | undefined {
  let stack: string | undefined;
  for (const [index, arg] of args.entries()) {
    if (arg === "--stack" || arg === "-s") stack = args[index + 1];
    else stack = /^(?:--stack=|-s=?)(.+)$/.exec(arg)?.[1] ?? stack;
  }
  return stack;
}
