import { existsSync, readFileSync, readdirSync, rmSync, rmdirSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ClusterError } from "./errors";
import { exec } from "./exec";
import { withLock } from "./lock";
import { machineState, restoreForwarding } from "./machine-state";
import { network } from "./network";
import { cgroupName, nodeInits } from "./node";
import { cacheFolder, clusterPaths, type ClusterPaths } from "./paths";
import { findProgram, isOwnFolder, ownershipMarker, requireLinuxRoot } from "./preflight";
import { isAlive } from "./proc";
import { Progress } from "./progress";

/**
 * Ends the node and removes all it had: with process 1 of its process namespace the kernel ends every other one,
 * and with them go their mounts, interfaces, rules and settings. The rest is undone here.
 */
export async function down(progress = new Progress()): Promise<void> {
  requireLinuxRoot();
  const paths = clusterPaths();
  if (!existsSync(paths.root)) {
    progress.line(`There is no cluster in ${paths.root}.`);
    return;
  }
  if (!isOwnFolder(paths)) {
    throw new ClusterError(`${paths.root} was not made by \`npm run cluster -- up\`; it is left alone.`);
  }
  const wait = (holder: number) =>
    progress.line(`  waiting for process ${holder}, which is changing the cluster`);
  await withLock(paths.lock, wait, async () => {
    await progress.stage("packet filter and forwarding", () => restoreNetwork(paths));
    await progress.stage("processes, mounts and interfaces", () => endNode(paths));
    await progress.stage("control groups", () => removeCgroups(cgroupName(paths)));
    await progress.stage("files", async () => removeFolder(paths));
  });
  progress.line(
    `The cluster is gone after ${progress.elapsed()}. No Debian package was installed. ` +
      `What was built and downloaded stays in ${cacheFolder()}.`,
  );
}

async function restoreNetwork(paths: ClusterPaths): Promise<void> {
  const state = machineState(paths);
  if (state === undefined) return; // the node was never connected
  // The first line makes the second one right when there is no such table.
  const rules = `table ip ${network.table} {}\ndelete table ip ${network.table}\n`;
  if (existsSync(join(state.packages, "usr/sbin/nft"))) {
    await exec("chroot", [state.packages, "/usr/sbin/nft", "-f", "-"], { input: rules });
  } else if (findProgram("nft") !== undefined) {
    await exec("nft", ["-f", "-"], { input: rules });
  } else {
    throw new ClusterError(
      `The rules of table ip ${network.table} cannot be removed: the cache is gone and nft is not installed. ` +
        "Run `npm run cluster -- up` or `apt-get install nftables`, then `down` again.",
    );
  }
  restoreForwarding(state);
}

async function endNode(paths: ClusterPaths): Promise<void> {
  const inits = nodeInits(paths);
  for (const init of inits) process.kill(init.pid, "SIGKILL");
  await until(() => !inits.some(isAlive), 20, "The node's processes did not end");
  await until(
    () => !existsSync(`/sys/class/net/${network.hostInterface}`),
    20,
    `The interface ${network.hostInterface} did not go away`,
  );
}

async function removeCgroups(name: string): Promise<void> {
  const base = "/sys/fs/cgroup";
  if (!existsSync(base)) return;
  const roots = [base, ...readdirSync(base).map((hierarchy) => join(base, hierarchy))];
  const folders = roots.map((root) => join(root, name)).filter((folder) => existsSync(folder));
  await until(() => folders.every(removeCgroup), 20, `Control group ${name} is still in use`);
}

/** Removes a control group from its leaves up; false while something in it has not ended. */
function removeCgroup(folder: string): boolean {
  if (!existsSync(folder)) return true;
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) removeCgroup(join(folder, entry.name));
    }
    rmdirSync(folder);
    return true;
  } catch {
    return false;
  }
}

function removeFolder(paths: ClusterPaths): void {
  const mounted = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((point) => point.startsWith(`${paths.root}/`));
  if (mounted.length > 0) {
    throw new ClusterError(`Still mounted: ${mounted.join(", ")}. Unmount it, then run \`down\` again.`);
  }
  // What says whose folder it is goes last, so that a `down` that is killed here can be repeated.
  const last = [ownershipMarker, basename(paths.lock)];
  for (const name of readdirSync(paths.root)) {
    if (!last.includes(name)) rmSync(join(paths.root, name), { recursive: true, force: true });
  }
  rmSync(paths.root, { recursive: true, force: true });
}

async function until(test: () => boolean, seconds: number, failure: string): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!test()) {
    if (Date.now() > deadline) throw new ClusterError(`${failure} in ${seconds} s. Run \`down\` again.`);
    await sleep(50);
  }
}
