import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { withCredentials, type Credentials } from "./credentials";

export interface DockerOptions {
  readonly signal: AbortSignal;
  /** Each line of output, as it comes. */
  readonly onLine?: (line: string) => void;
  readonly env?: Record<string, string>;
  /** What the registries need; handed over in a private file that is gone afterwards. */
  readonly credentials?: Credentials[];
}

/** What the docker command said when it failed. */
export class DockerError extends Error {
  constructor(
    command: string,
    readonly output: string,
  ) {
    super(`docker ${command} failed:\n${output}`);
  }
}

const SHOWN_LINES = 40;
const UNREACHABLE = /cannot connect to the docker daemon|is the docker daemon running|error during connect/i;

/** Runs the docker command and returns what it printed to standard output. */
export function docker(args: string[], options: DockerOptions): Promise<string> {
  return withCredentials(options.credentials ?? [], (environment) => run(args, options, environment));
}

function run(args: string[], options: DockerOptions, environment: Record<string, string>): Promise<string> {
  const { signal, onLine } = options;
  signal.throwIfAborted();
  const child = spawn("docker", args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...environment, ...options.env },
    signal,
    killSignal: "SIGINT",
  });
  let stdout = "";
  let last: string[] = [];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      if (!line.trim()) return;
      last = [...last, line].slice(-SHOWN_LINES);
      onLine?.(line);
    });
  }
  return new Promise((resolve, reject) => {
    child.on("error", (error: NodeJS.ErrnoException) =>
      reject(error.code === "ENOENT" ? missingCommand() : error),
    );
    child.on("close", (code) =>
      code === 0 ? resolve(stdout) : reject(explain(new DockerError(args[0] ?? "", last.join("\n")))),
    );
  });
}

function missingCommand(): Error {
  return new Error(
    "the docker command is not on PATH. Images are built with it: install Docker's command-line client, " +
      "or deploy an image that is already in a registry.",
  );
}

function explain(error: DockerError): Error {
  const line = error.output.split("\n").find((each) => UNREACHABLE.test(each));
  if (!line) return error;
  const host = process.env.DOCKER_HOST ?? "its default socket";
  return new Error(
    `the Docker daemon cannot be reached at ${host}. Start it, or point DOCKER_HOST at one that runs ` +
      `("npm run cluster -- up" starts one for the local stack). Docker says: ${line.trim()}`,
  );
}
