import { spawn, type ChildProcess } from "node:child_process";
import { ClusterError } from "./errors";

export interface ExecOptions {
  readonly cwd?: string;
  /** The whole environment of the program. @default that of this process */
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** Called with every line that the program writes to its standard error. */
  readonly onLine?: (line: string) => void;
}

/** Nothing goes on working for a command that has failed. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGTERM");
});

/** Runs a program to its end and returns its standard output. Throws with the last lines it wrote if it fails. */
export function exec(command: string, args: readonly string[], options: ExecOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ["pipe", "pipe", "pipe"],
    });
    running.add(child);
    child.once("close", () => running.delete(child));
    const output: Buffer[] = [];
    let errors = "";
    let partial = "";
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors = (errors + text).slice(-4000);
      const lines = (partial + text).split("\n");
      partial = lines.pop() ?? "";
      for (const line of lines) options.onLine?.(line);
    });
    child.stdin.on("error", () => undefined); // a program that ends early need not read its input
    child.stdin.end(options.input ?? "");
    child.on("error", (error) => reject(new ClusterError(`Cannot run ${command}: ${error.message}`)));
    child.on("close", (code, signal) => {
      const text = Buffer.concat(output).toString("utf8");
      if (code === 0) return resolve(text);
      const detail = (errors.trim() || text.trim()).split("\n").slice(-15).join("\n");
      reject(
        new ClusterError(`${command} ${args.slice(0, 3).join(" ")} failed (${signal ?? code}):\n${detail}`),
      );
    });
  });
}
