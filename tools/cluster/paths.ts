import { readdirSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { identify } from "./proc";

/** Where the cluster keeps what it has. Everything under `root` goes with `down`; `cache` stays. */
export interface ClusterPaths {
  readonly root: string;
  /** Client configuration of the administrator, mode 0600. */
  readonly kubeconfig: string;
  /** Becomes `/run` of the node. */
  readonly run: string;
  /** Becomes `/var` of the node: data of etcd, containerd, dockerd, kubelet, the registry and the volumes. */
  readonly var: string;
  /** Becomes `/etc/technova` of the node: configuration and keys of the components. */
  readonly config: string;
  readonly pki: string;
  /** Upper and work folder of the node's root file system, and where it is put together. */
  readonly overlay: string;
  readonly logs: string;
  /** One file for each running component: its process id and start time. */
  readonly processes: string;
  /** What `down` has to put back. */
  readonly state: string;
  /** Socket of dockerd, for image builds. */
  readonly dockerSocket: string;
  /** Held by the one `up` or `down` that runs. */
  readonly lock: string;
}

/** Folder of the cluster: `TECHNOVA_CLUSTER_DIR`, else `/var/lib/technova-cluster`. */
export function clusterPaths(environment: NodeJS.ProcessEnv = process.env): ClusterPaths {
  const root = environment.TECHNOVA_CLUSTER_DIR || "/var/lib/technova-cluster";
  const config = join(root, "etc");
  return {
    root,
    kubeconfig: join(root, "kubeconfig"),
    run: join(root, "run"),
    var: join(root, "var"),
    config,
    pki: join(config, "pki"),
    overlay: join(root, "overlay"),
    logs: join(root, "var/log/technova"),
    processes: join(root, "processes"),
    state: join(root, "state.json"),
    dockerSocket: join(root, "run/docker.sock"),
    lock: join(root, "lock"),
  };
}

/** Folder of what is built or downloaded once per machine. */
export function cacheFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const base = environment.XDG_CACHE_HOME || join(homedir(), ".cache");
  return join(base, "technova-platform", "cluster");
}

/** Removes what a killed `up` was writing to a cache folder: `<name>.<process id>.tmp` of a process that is gone. */
export function removeUnfinished(folder: string): void {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return; // nothing was ever cached
  }
  for (const name of names) {
    const pid = /\.(\d+)\.tmp$/.exec(name)?.[1];
    if (pid === undefined || identify(Number(pid)) !== undefined) continue;
    rmSync(join(folder, name), { recursive: true, force: true });
  }
}
