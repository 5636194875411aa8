import { spawn, type ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";

const KILL_AFTER_MILLISECONDS = 3000;

export interface ChildOptions {
  readonly args: string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly command?: string;
  /** Takes the output that is piped to us; without it output goes to our own. */
  readonly onOutput?: { stdout: (chunk: Buffer) => void; stderr: (chunk: Buffer) => void };
}

export interface ChildResult {
  readonly code: number | null;
  readonly killedBy: NodeJS.Signals | null;
}

/** The processes that this host started. None of them outlives it. */
export class Children {
  private readonly running = new Set<ChildProcess>();

  /** Starts Node, or `command`, and resolves when it has ended and all of its output is read. */
  start(options: ChildOptions): { child: ChildProcess; done: Promise<ChildResult> } {
    const child = spawn(options.command ?? process.execPath, options.args, {
      cwd: options.cwd,
      env: options.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.running.add(child);
    forward(child.stdout, options.onOutput?.stdout ?? ((chunk) => process.stdout.write(chunk)));
    forward(child.stderr, options.onOutput?.stderr ?? ((chunk) => process.stderr.write(chunk)));
    const done = new Promise<ChildResult>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, killedBy) => resolve({ code, killedBy }));
    }).finally(() => this.running.delete(child));
    return { child, done };
  }

  /** Interrupts a process, and kills it if it has not ended three seconds later. */
  end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      const kill = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MILLISECONDS);
      child.once("exit", () => {
        clearTimeout(kill);
        resolve();
      });
      child.kill("SIGINT");
    });
  }

  async endAll(): Promise<void> {
    await Promise.all([...this.running].map((child) => this.end(child)));
  }
}

function forward(stream: Readable, write: (chunk: Buffer) => void): void {
  stream.on("data", write);
  stream.on("error", () => undefined); // the process that wrote it is gone, which `close` reports
}
