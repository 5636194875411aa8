import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, closeSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ClusterError } from "./errors";
import { exec } from "./exec";
import { enableForwarding, noteMachineState } from "./machine-state";
import { hostRules, network, nodeRules } from "./network";
import type { ClusterPaths } from "./paths";
import { findProcesses, innerPid, isAlive, type ProcessIdentity } from "./proc";

export interface NodeFiles {
  /** Folder with the unpacked packages of the node. */
  readonly packages: string;
  /** Folder that becomes /opt/technova, with one folder for each program. */
  readonly programs: string;
  readonly pause: string;
}

/** Name of the node's cgroup in every hierarchy. */
export function cgroupName(paths: ClusterPaths): string {
  return basename(paths.root);
}

/**
 * Process 1 of every node that was made for this folder: one, or none; more only if an `up` was killed in the
 * moment between making it and noting it. Found by its environment, so no record can be missing or stale.
 */
export function nodeInits(paths: ClusterPaths): ProcessIdentity[] {
  const marker = `ROOT=${paths.root}`;
  return findProcesses((pid) => {
    const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
    return (
      environment.includes(marker) &&
      environment.includes(`NODE_NAME=${network.nodeName}`) &&
      innerPid(pid) === 1
    );
  });
}

const known = new Map<string, ProcessIdentity>();

/** Process 1 of the node while the node is there. */
export function nodeInit(paths: ClusterPaths): ProcessIdentity | undefined {
  const cached = known.get(paths.root);
  if (cached !== undefined && isAlive(cached)) return cached;
  known.delete(paths.root);
  const found = nodeInits(paths)[0];
  if (found !== undefined) known.set(paths.root, found);
  return found;
}

/** Runs a program inside the node and returns its output. */
export function execInNode(paths: ClusterPaths, command: readonly string[], input?: string): Promise<string> {
  return exec("nsenter", [...nodeNamespaces(paths), ...command], { input, env: nodeEnvironment() });
}

/** Runs one of the node's programs on the machine's own network. */
export function execOnHostNetwork(
  paths: ClusterPaths,
  command: readonly string[],
  input?: string,
): Promise<string> {
  const init = requireInit(paths);
  const args = [`--mount=/proc/${init.pid}/ns/mnt`, "--", ...command];
  return exec("nsenter", args, { input, env: nodeEnvironment() });
}

/** Arguments of nsenter that lead into the node. */
export function nodeNamespaces(paths: ClusterPaths): string[] {
  const { pid } = requireInit(paths);
  const namespaces = ["mnt", "net", "pid", "uts", "ipc"];
  const flags: Record<string, string> = { mnt: "mount", net: "net", pid: "pid", uts: "uts", ipc: "ipc" };
  return [...namespaces.map((name) => `--${flags[name]}=/proc/${pid}/ns/${name}`), "--"];
}

/** Environment of everything that runs in the node: nothing of the caller's, but how to reach the outside. */
export function nodeEnvironment(environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const result: NodeJS.ProcessEnv = {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: "/root",
    LC_ALL: "C.UTF-8",
  };
  for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"]) {
    if (environment[name]) result[name] = environment[name];
  }
  if (result.HTTP_PROXY || result.HTTPS_PROXY || result.http_proxy || result.https_proxy) {
    const own = ["localhost", "127.0.0.1", "10.0.0.0/8", ".svc", `.${network.domain}`];
    result.NO_PROXY = [...own, environment.NO_PROXY ?? environment.no_proxy ?? ""].filter(Boolean).join(",");
  }
  return result;
}

/** Makes the node's namespaces if they are not there, and connects them. */
export async function ensureNode(paths: ClusterPaths, files: NodeFiles): Promise<void> {
  for (let attempt = 0; nodeInit(paths) !== undefined && !isPrepared(paths); attempt++) {
    if (attempt === 100)
      throw new ClusterError("The node is only half made. Run `npm run cluster -- down` first.");
    await sleep(50); // an `up` that was killed left the script at work
  }
  noteMachineState(paths, files.packages);
  if (nodeInit(paths) === undefined) await createNamespaces(paths, files);
  await connect(paths);
}

async function createNamespaces(paths: ClusterPaths, files: NodeFiles): Promise<void> {
  for (const folder of [
    paths.run,
    paths.var,
    paths.config,
    paths.processes,
    paths.logs,
    join(paths.var, "lib"),
  ]) {
    mkdirSync(folder, { recursive: true, mode: 0o755 });
  }
  const log = openSync(join(paths.logs, "node.log"), "a");
  const namespaces = ["--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child"];
  const child = spawn("unshare", [...namespaces, "sh", join(__dirname, "node-init.sh")], {
    detached: true,
    stdio: ["ignore", log, log],
    cwd: "/",
    env: {
      PATH: process.env.PATH,
      ROOT: paths.root,
      LOWER: files.packages,
      PROGRAMS: files.programs,
      PAUSE: files.pause,
      CGROUP: cgroupName(paths),
      NODE_NAME: network.nodeName,
    },
  });
  closeSync(log);
  let failed: string | undefined;
  child.on("error", (error) => (failed = error.message));
  child.on("exit", (code) => (failed = `exit code ${code}`));
  for (let attempt = 0; attempt < 200 && failed === undefined; attempt++) {
    await sleep(50);
    if (!isPrepared(paths)) continue;
    child.unref();
    return;
  }
  child.kill("SIGKILL");
  const detail = readFileSync(join(paths.logs, "node.log"), "utf8").split("\n").slice(-6).join("\n");
  throw new ClusterError(
    `The node's namespaces could not be made (${failed ?? "no answer in 10 s"}):\n${detail}`,
  );
}

/** Whether process 1 has replaced the script that prepares the node. */
function isPrepared(paths: ClusterPaths): boolean {
  const init = nodeInit(paths);
  return init !== undefined && readFileSync(`/proc/${init.pid}/comm`, "utf8").trim() === "node-init";
}

/** Links the node to the machine. Every step can be repeated. */
async function connect(paths: ClusterPaths): Promise<void> {
  const { pid } = requireInit(paths);
  const { hostInterface, nodeInterface, hostAddress, nodeAddress, linkPrefix } = network;
  const onHost = (...command: string[]) => execOnHostNetwork(paths, command);
  if (!existsSync(`/sys/class/net/${hostInterface}`)) {
    const peer = ["peer", "name", nodeInterface, "mtu", String(network.mtu), "netns", String(pid)];
    await onHost("ip", "link", "add", hostInterface, "mtu", String(network.mtu), "type", "veth", ...peer);
  }
  await onHost("ip", "addr", "replace", `${hostAddress}/${linkPrefix}`, "dev", hostInterface);
  await onHost("ip", "link", "set", hostInterface, "up");
  await execInNode(paths, [
    "sh",
    "-ec",
    [
      "ip link set lo up",
      `ip addr replace ${nodeAddress}/${linkPrefix} dev ${nodeInterface}`,
      `ip link set ${nodeInterface} up`,
      `ip route replace default via ${hostAddress}`,
      "echo 1 >/proc/sys/net/ipv4/ip_forward",
      // All clients of a NodePort share one address. When one of them takes up the port of a connection that the
      // server closed, the kernel goes on with that connection's target while it is remembered: a pod that may
      // be gone. So it is remembered for less time than pods are given to end.
      "echo 2 >/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_time_wait",
    ].join("\n"),
  ]);
  await execInNode(paths, ["nft", "-f", "-"], nodeRules());
  // Packets from 127.0.0.1 leave through this one interface; the setting goes away with it.
  writeFileSync(`/proc/sys/net/ipv4/conf/${hostInterface}/route_localnet`, "1");
  await execOnHostNetwork(paths, ["nft", "-f", "-"], hostRules());
  enableForwarding();
}

function requireInit(paths: ClusterPaths): ProcessIdentity {
  const init = nodeInit(paths);
  if (init === undefined)
    throw new ClusterError("The cluster is not up. Start it with `npm run cluster -- up`.");
  return init;
}
