import type { RuntimeOptions } from "./options";

export interface ProgramRun {
  readonly monitorAddress: string;
  readonly engineAddress: string;
  readonly organization: string;
  readonly project: string;
  readonly stack: string;
  readonly rootDirectory: string;
  readonly programDirectory: string;
  readonly entryPoint: string;
  readonly dryRun: boolean;
  /** How many resources the engine handles at once. */
  readonly parallel: number;
  readonly config: Record<string, string>;
  readonly secretKeys: string[];
  readonly args: string[];
}

export interface Command {
  readonly args: string[];
  readonly env: Record<string, string>;
}

/** The files that a command starts: the SDK's own runner, and what is loaded before it. */
export interface Runner {
  readonly path: string;
  readonly preload: string;
}

/** The Node command that runs a program. */
export function programCommand(run: ProgramRun, options: RuntimeOptions, runner: Runner): Command {
  const flags: [string, string][] = [
    ["monitor", run.monitorAddress],
    ["engine", run.engineAddress],
    ["organization", run.organization],
    ["project", run.project],
    ["root-directory", run.rootDirectory],
    ["stack", run.stack],
    ["pwd", run.programDirectory],
    ["parallel", String(run.parallel)],
  ];
  return {
    args: [
      ...nodeArguments(options, runner),
      ...flags.flatMap(([name, value]) => (value ? [`--${name}`, value] : [])),
      ...(run.dryRun ? ["--dry-run"] : []),
      run.entryPoint,
      ...run.args,
    ],
    // Configuration travels in the environment, because the arguments of a process can be read by everyone.
    env: {
      ...typescriptEnvironment(options),
      PULUMI_CONFIG: JSON.stringify(run.config),
      PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(run.secretKeys),
    },
  };
}

export interface PluginRun {
  readonly kind: string;
  readonly programDirectory: string;
  readonly args: string[];
}

/** The Node command that runs a policy pack or another plugin written in TypeScript. */
export function pluginCommand(run: PluginRun, options: RuntimeOptions, runner: Runner): Command {
  // The runner of policy packs takes the folder last, every other one takes it first.
  const ordered =
    run.kind === "analyzer" ? [...run.args, run.programDirectory] : [run.programDirectory, ...run.args];
  return { args: [...nodeArguments(options, runner), ...ordered], env: typescriptEnvironment(options) };
}

export interface PolicyStack {
  readonly organization: string;
  readonly project: string;
  readonly stack: string;
  readonly dryRun: boolean;
  readonly config: Record<string, string>;
}

/** What a policy pack reads about the stack while it loads. */
export function policyEnvironment(stack: PolicyStack): Record<string, string> {
  return {
    ...(stack.organization && { PULUMI_NODEJS_ORGANIZATION: stack.organization }),
    ...(stack.project && { PULUMI_NODEJS_PROJECT: stack.project }),
    ...(stack.stack && { PULUMI_NODEJS_STACK: stack.stack }),
    PULUMI_NODEJS_DRY_RUN: String(stack.dryRun),
    PULUMI_CONFIG: JSON.stringify(stack.config),
  };
}

function typescriptEnvironment(options: RuntimeOptions): Record<string, string> {
  return {
    ...(options.typescript && { PULUMI_NODEJS_TYPESCRIPT: "true" }),
    ...(options.tsconfig && { PULUMI_NODEJS_TSCONFIG_PATH: options.tsconfig }),
  };
}

function nodeArguments(options: RuntimeOptions, { path, preload }: Runner): string[] {
  return ["--require", preload, ...options.nodeargs, path];
}
