import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ClusterError } from "./errors";
import { readJson, writeAtomically } from "./files";
import { execInNode, nodeInit } from "./node";
import type { ClusterPaths } from "./paths";
import { findProcesses, identify, isAlive, outerPid, sharesPidNamespace, type ProcessIdentity } from "./proc";

/** One long-running program of the node. */
export interface ComponentProcess {
  readonly name: string;
  readonly command: readonly string[];
  /** Scheduling priority; those below 0 keep working when builds or pods take all of the processor. @default 0 */
  readonly nice?: number;
}

export interface ProcessRecord extends ProcessIdentity {
  readonly name: string;
  /** What it was started with: another command line is a reason to start it anew. */
  readonly command: readonly string[];
  /** Fingerprint of its configuration files. */
  readonly configuration: string;
}

const maximumLogBytes = 32 * 1024 * 1024;

export function readRecord(paths: ClusterPaths, name: string): ProcessRecord | undefined {
  return readJson<ProcessRecord>(join(paths.processes, `${name}.json`));
}

export function runningRecord(paths: ClusterPaths, name: string): ProcessRecord | undefined {
  const record = readRecord(paths, name);
  return record !== undefined && isAlive(record) ? record : undefined;
}

export function recordNames(paths: ClusterPaths): string[] {
  try {
    return readdirSync(paths.processes)
      .filter((file) => file.endsWith(".json"))
      .map((file) => file.slice(0, -".json".length));
  } catch {
    return [];
  }
}

export function logFile(paths: ClusterPaths, name: string): string {
  return join(paths.logs, `${name}.log`);
}

/** True if a process with this command and configuration runs; one with another is ended first. */
export async function ensureProcess(
  paths: ClusterPaths,
  component: ComponentProcess,
  configuration: string,
): Promise<"running" | "started"> {
  const running = runningRecord(paths, component.name);
  if (running !== undefined) {
    const same = JSON.stringify(running.command) === JSON.stringify(component.command);
    if (same && running.configuration === configuration) return "running";
    await endProcess(running);
  }
  await endStrays(paths, component);
  rotateLog(logFile(paths, component.name));
  mkdirSync(paths.processes, { recursive: true });
  // The shell ends at once; process 1 of the node adopts what it started, so nothing hangs on this command.
  const script =
    'log="$1" nice="$2"; shift 2; cd /; setsid nice -n "$nice" "$@" </dev/null >>"$log" 2>&1 & echo $!';
  const log = `/var/log/technova/${component.name}.log`;
  const inner = Number(
    await execInNode(paths, [
      "sh",
      "-c",
      script,
      "start",
      log,
      String(component.nice ?? 0),
      ...component.command,
    ]),
  );
  const init = nodeInit(paths);
  const pid = init === undefined ? undefined : outerPid(init.pid, inner);
  const identity = pid === undefined ? undefined : identify(pid);
  if (identity === undefined) {
    throw new ClusterError(
      `${component.name} ended as soon as it was started. See \`npm run cluster -- logs ${component.name}\`.`,
    );
  }
  const record: ProcessRecord = {
    name: component.name,
    ...identity,
    command: component.command,
    configuration,
  };
  writeAtomically(join(paths.processes, `${component.name}.json`), JSON.stringify(record));
  return "started";
}

/** An `up` that was killed may have started this very program without noting it. */
async function endStrays(paths: ClusterPaths, component: ComponentProcess): Promise<void> {
  const init = nodeInit(paths);
  if (init === undefined) return;
  const commandLine = component.command.map((argument) => `${argument}\0`).join("");
  const strays = findProcesses(
    (pid) =>
      readFileSync(`/proc/${pid}/cmdline`, "utf8") === commandLine && sharesPidNamespace(pid, init.pid),
  );
  for (const stray of strays) await endProcess(stray);
}

/** Asks a process to end, and after `seconds` makes it. */
export async function endProcess(identity: ProcessIdentity, seconds = 20): Promise<void> {
  signal(identity, "SIGTERM");
  const deadline = Date.now() + seconds * 1000;
  while (isAlive(identity) && Date.now() < deadline) await sleep(50);
  if (isAlive(identity)) signal(identity, "SIGKILL");
  while (isAlive(identity)) await sleep(20);
}

function signal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function rotateLog(path: string): void {
  try {
    if (statSync(path).size < maximumLogBytes) return;
    rmSync(`${path}.1`, { force: true });
    renameSync(path, `${path}.1`);
  } catch {
    // no log yet
  }
}
