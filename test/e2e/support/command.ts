import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";

/** The checkout under test. */
export const checkout = resolve(__dirname, "../../..");

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Standard output and standard error, interleaved as they came. */
  readonly output: string;
  /** Standard output alone. */
  readonly stdout: string;
  readonly seconds: number;
}

export interface Running {
  readonly process: ChildProcess;
  readonly finished: Promise<Outcome>;
  /** Resolves when the output so far matches; rejects when the command ends first. */
  seen(pattern: RegExp): Promise<void>;
}

/**
 * Starts a command in a process group of its own, so that a test can kill all of it at once.
 * Its output is shown as it comes when `E2E_VERBOSE` is set.
 */
export function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const began = performance.now();
  const child = spawn(command, args, {
    cwd: checkout,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  let stdout = "";
  const waiting: { pattern: RegExp; found: () => void; ended: (error: Error) => void }[] = [];
  const collect = (chunk: Buffer) => {
    output += chunk.toString();
    if (process.env.E2E_VERBOSE) process.stderr.write(chunk);
    for (const entry of waiting.filter(({ pattern }) => pattern.test(output))) {
      waiting.splice(waiting.indexOf(entry), 1);
      entry.found();
    }
  };
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    collect(chunk);
  });
  child.stderr.on("data", collect);
  // "exit", not "close": a daemon that the command leaves behind must not hold the test.
  const finished = once(child, "exit").then(([code, signal]) => {
    for (const { pattern, ended } of waiting.splice(0)) {
      ended(new Error(`${command} ended before it printed ${pattern}:\n${output}`));
    }
    return { code, signal, output, stdout, seconds: (performance.now() - began) / 1000 } as Outcome;
  });
  return {
    process: child,
    finished,
    seen: (pattern) =>
      new Promise((found, ended) => {
        if (pattern.test(output)) found();
        else waiting.push({ pattern, found, ended });
      }),
  };
}

/** Runs one of the project's npm scripts to its end. */
export const npm = (script: string, ...args: string[]): Promise<Outcome> =>
  start("npm", ["run", "--silent", script, "--", ...args]).finished;

/** As `npm`, and fails with everything the command printed unless it exits with 0. */
export async function npmOk(script: string, ...args: string[]): Promise<Outcome> {
  const outcome = await npm(script, ...args);
  if (outcome.code !== 0) {
    throw new Error(`npm run ${script} -- ${args.join(" ")} exited with ${outcome.code}:\n${outcome.output}`);
  }
  return outcome;
}

/** Kills a started command and everything in its process group, at once and without a chance to tidy up. */
export function killGroup(running: Running): void {
  if (running.process.pid === undefined) throw new Error("the command never started");
  process.kill(-running.process.pid, "SIGKILL");
}

/** The same, and nobody of the group is left afterwards: a lock of theirs counts for nothing then. */
export async function killGroupAndWait(running: Running): Promise<void> {
  killGroup(running);
  await running.finished;
  const group = -(running.process.pid ?? 0);
  for (const end = Date.now() + 10_000; Date.now() < end;) {
    try {
      process.kill(group, 0);
    } catch {
      return;
    }
    await new Promise((wake) => setTimeout(wake, 50));
  }
  throw new Error(`some of the process group ${-group} are left 10 s after SIGKILL`);
}
