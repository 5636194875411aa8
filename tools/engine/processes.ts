import { spawn, type SpawnOptions } from "node:child_process";
import { constants } from "node:os";
import { messageOf, UserError } from "./report";

export interface RunOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

export interface Captured {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command on this terminal and returns its exit code (128 + number for a signal, as shells do).
 *
 * The first interrupt lets the command end in order, the second one ends it at once; both decisions are the
 * command's. On a terminal the kernel hands Ctrl-C to the whole foreground group, so it is passed on only where
 * there is none: twice would turn a graceful end into a hard one.
 */
export function runForeground(
  command: string,
  args: readonly string[],
  options: RunOptions,
): Promise<number> {
  const child = spawn(command, args, { ...options, stdio: "inherit" });
  const forward = (signal: NodeJS.Signals): void => {
    if (signal === "SIGINT" && process.stdin.isTTY) return;
    child.kill(signal);
  };
  const signals: NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, forward);
  return new Promise<number>((resolve, reject) => {
    child.once("error", (error) =>
      reject(new UserError(`${command} could not be started: ${messageOf(error)}`)),
    );
    child.once("close", (code, signal) =>
      resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]),
    );
  }).finally(() => {
    for (const signal of signals) process.off(signal, forward);
  });
}

export interface CaptureOptions extends RunOptions {
  readonly timeoutMs?: number;
  /** Standard input; empty by default. */
  readonly input?: string;
  /** Shows the output as it comes, too. */
  readonly echo?: boolean;
  /** Is told every line of stderr as it comes. */
  readonly onLine?: (line: string) => void;
}

/** Runs a command without a terminal and keeps what it prints. */
export function runCaptured(
  command: string,
  args: readonly string[],
  options: CaptureOptions,
): Promise<Captured> {
  const spawnOptions: SpawnOptions = { cwd: options.cwd, env: options.env, timeout: options.timeoutMs };
  const child = spawn(command, args, { ...spawnOptions, stdio: ["pipe", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  let partial = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    if (options.echo) process.stdout.write(text);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    if (options.echo) process.stderr.write(text);
    const lines = (partial + text).split("\n");
    partial = lines.pop() ?? "";
    for (const line of lines) options.onLine?.(line);
  });
  // A command that does not read its input closes the pipe early; that is not an error here.
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? 1, stdout, stderr }));
  });
}

/** Whether a process of this machine still runs; another user's process counts as running. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
