import { existsSync, mkdirSync, readlinkSync, renameSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import {
  ConcurrentUpdateError,
  LocalWorkspace,
  PulumiCommand,
  Stack,
  type OpMap,
} from "@pulumi/pulumi/automation";
import { executionAgent, runBy } from "../engine/agent";
import { prepare, type Prepared } from "../engine/run";
import { UserError } from "../engine/report";

/** One preview or update of a stack with settings of its own. */
export interface Operation {
  readonly stack: string;
  /** File with the settings, by themselves complete. */
  readonly settingsFile: string;
  /** Folder of the program. */
  readonly program: string;
}

export interface UpdateOperation extends Operation {
  readonly message: string;
  /** ID of the update whose state this one brings back; `part` where not the whole of it. */
  readonly rolledBackTo: string;
}

/** Somebody has stopped it: what it was at is neither done nor failed. */
export class Interrupted extends UserError {}

/** It was refused before it began, as while somebody else has the stack: nothing of it was applied. */
export class NotBegun extends UserError {}

/** The engine, as a rollback needs it. */
export interface Engine {
  /** How many resources would be created, changed and so on. @throws UserError with what the CLI said */
  preview(operation: Operation): Promise<OpMap>;
  /**
   * What it prints is shown meanwhile.
   * @throws UserError when it did not succeed, Interrupted when it was stopped, NotBegun when nothing was applied
   */
  up(operation: UpdateOperation): Promise<void>;
}

/** The real engine: Pulumi's Automation API, with the policies, plugins and state of every other command. */
export function automation(root: string, env: NodeJS.ProcessEnv, show: (text: string) => void): Engine {
  return {
    preview: (operation) =>
      withStack(root, env, "preview", operation, async (stack, prepared) => {
        const options = { ...common(prepared), onOutput: show };
        return (await stack.preview(options)).changeSummary;
      }),
    up: (operation) =>
      withStack(root, env, "up", operation, async (stack, prepared) => {
        const { message, rolledBackTo } = operation;
        const userAgent = executionAgent({ user: runBy(env), rolledBackTo });
        await stoppable((signal) =>
          stack.up({
            ...common(prepared),
            message,
            userAgent,
            showSecrets: false,
            signal,
            onOutput: show,
            onError: show,
          }),
        );
      }),
  };
}

/** With a failure of the CLI as one of the user's: what it printed has been shown. */
async function withStack<T>(
  root: string,
  env: NodeJS.ProcessEnv,
  command: "preview" | "up",
  { stack, settingsFile, program }: Operation,
  work: (stack: Stack, prepared: Prepared) => Promise<T>,
): Promise<T> {
  let prepared: Prepared | undefined;
  let begun = false;
  try {
    prepared = await prepare(root, [command, "--stack", stack, "--config-file", settingsFile], env);
    const workspace = await LocalWorkspace.create({
      workDir: program,
      envVars: definedOnly(prepared.env),
      pulumiCommand: await commandFor(root, prepared.cli),
    });
    const selected = await Stack.select(stack, workspace);
    begun = true;
    return await work(selected, prepared);
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    const reason = error instanceof UserError ? error.message : lastWords(error);
    // The CLI takes the lock before it does anything else.
    if (!begun || error instanceof ConcurrentUpdateError) throw new NotBegun(reason);
    throw new UserError(reason);
  } finally {
    prepared?.finish();
  }
}

/** The API looks for the CLI under the name that an installation gives it. */
async function commandFor(root: string, cli: string): Promise<PulumiCommand> {
  const folder = join(root, ".build/automation");
  const link = join(folder, "bin/pulumi");
  mkdirSync(join(folder, "bin"), { recursive: true });
  if (!existsSync(link) || readlinkSync(link) !== cli) {
    const mine = `${link}.${process.pid}`;
    symlinkSync(cli, mine);
    renameSync(mine, link);
  }
  return PulumiCommand.get({ root: folder });
}

function common({ settingsFile, policies }: Prepared) {
  const values = (flag: string) => policies.filter((_, index) => policies[index - 1] === flag);
  return {
    configFile: settingsFile,
    policyPacks: values("--policy-pack"),
    policyPackConfigs: values("--policy-pack-config"),
    suppressProgress: true,
  };
}

/** Ctrl-C reaches the CLI from the terminal; told to stop in another way, it is asked to end in order. */
async function stoppable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let stopped = false;
  const onSignal = (signal: NodeJS.Signals) => {
    stopped = true;
    if (signal !== "SIGINT" || !process.stdin.isTTY) controller.abort();
  };
  const signals: NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, onSignal);
  try {
    return await work(controller.signal);
  } catch (error) {
    throw stopped ? new Interrupted("it was stopped") : error;
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}

function definedOnly(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** The API's errors have all that was printed; the errors among it say what is wrong. */
function lastWords(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/^(code: |stdout: |stderr: *$|err\?: *$)/.test(line));
  const errors = lines.filter((line) => /error:|\[mandatory\]|^  ?technova:/i.test(line));
  return (errors.length > 0 ? errors : lines).slice(-12).join("\n");
}
