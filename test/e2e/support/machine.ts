import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const lines = (command: string, ...args: string[]): string[] => {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
      .trim()
      .split("\n");
  } catch {
    return []; // The tool is not on this machine, so neither is what it would list.
  }
};

const entries = (folder: string): string[] => {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
};

/** Names of the processes in other process namespaces than this one: those of a node and of its Pods. */
function namespacedProcesses(): string[] {
  const own = readlinkSync("/proc/self/ns/pid");
  return entries("/proc").flatMap((pid) => {
    try {
      if (!/^\d+$/.test(pid) || readlinkSync(`/proc/${pid}/ns/pid`) === own) return [];
      return [readFileSync(`/proc/${pid}/comm`, "utf8").trim()];
    } catch {
      return []; // It has ended since the folder was read.
    }
  });
}

/**
 * What a cluster could leave behind: processes, mounts, network interfaces and addresses, packet filter rules,
 * forwarding settings, control groups, and files in the places where Kubernetes and its runtimes put them.
 */
export function machineState(): Record<string, readonly string[]> {
  return {
    processes: namespacedProcesses().sort(),
    mounts: readFileSync("/proc/self/mounts", "utf8")
      .split("\n")
      .map((line) => line.split(" ")[1] ?? "")
      .sort(),
    links: lines("ip", "-brief", "address")
      .map((line) => line.replace(/\s+/g, " "))
      .sort(),
    routes: lines("ip", "route").sort(),
    filters: lines("iptables-save").filter((line) => line.startsWith("-A")),
    tables: lines("nft", "list", "tables"),
    forwarding: lines("sysctl", "net.ipv4.ip_forward", "net.ipv4.conf.all.route_localnet"),
    controlGroups: entries("/sys/fs/cgroup/memory").filter((name) =>
      /kube|docker|containerd|technova/.test(name),
    ),
    folders: ["/etc/cni", "/opt/cni", "/etc/containerd", "/etc/docker", "/etc/kubernetes"].flatMap(entries),
    run: entries("/run").filter((name) => /containerd|docker|flannel|kube|technova/.test(name)),
    libraries: entries("/var/lib").filter((name) => /cni|containerd|docker|etcd|kubelet|technova/.test(name)),
    logs: entries("/var/log").filter((name) => /containers|pods|kube/.test(name)),
  };
}
