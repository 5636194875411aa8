import type { Rule } from "./rule";

/** Ways to more rights, and out of a container. */
export const privilegeRules: readonly Rule[] = [
  {
    rule: "PrivilegeGained",
    description: "A program runs as root or with capabilities, where every container has neither.",
    action: "Treat the node as taken over: cordon it, move its Pods, and exchange it.",
    condition:
      "spawned and platform and (user.uid = 0 or thread.cap_effective contains CAP_) and not looks_into_node",
    evidence: ["thread.cap_effective"],
    priority: "CRITICAL",
    techniques: ["T1548", "T1068"],
  },
  {
    rule: "SetuidBitSet",
    description: "A file was made to run with its owner's rights.",
    action: "Delete the Pod and look at the file in its volume.",
    condition:
      "platform and evt.type in (chmod, fchmod, fchmodat) and " +
      "(evt.arg.mode contains S_ISUID or evt.arg.mode contains S_ISGID)",
    evidence: ["fs.path.name", "evt.arg.mode", "evt.res"],
    priority: "CRITICAL",
    techniques: ["T1548.001"],
  },
  {
    rule: "NamespaceChanged",
    description: "A program in a container made a kernel namespace of its own, or entered another one.",
    action: "Treat the node as taken over: cordon it, move its Pods, and exchange it.",
    condition:
      "platform and (evt.type in (unshare, setns) or " +
      "(evt.type in (clone, clone3) and evt.arg.flags contains CLONE_NEW)) and not container_setup",
    evidence: ["evt.type", "evt.args", "evt.res"],
    priority: "CRITICAL",
    techniques: ["T1611"],
  },
  {
    rule: "FileSystemMounted",
    description: "A program in a container mounted a file system, or took one away.",
    action: "Treat the node as taken over: cordon it, move its Pods, and exchange it.",
    condition:
      "platform and evt.type in (mount, umount, umount2, pivot_root, move_mount, fsopen, open_tree) and " +
      "not container_setup",
    evidence: ["evt.type", "evt.args", "evt.res"],
    priority: "CRITICAL",
    techniques: ["T1611"],
  },
  {
    rule: "ProcessTraced",
    description: "A program in a container took hold of another process.",
    action: "Delete the Pod; if it shares its process namespace with the node, exchange the node.",
    condition:
      "platform and ((evt.type = ptrace and evt.arg.request in (PTRACE_ATTACH, PTRACE_SEIZE, PTRACE_POKETEXT, " +
      "PTRACE_POKEDATA, PTRACE_SETREGS)) or evt.type = process_vm_writev)",
    evidence: ["evt.type", "evt.args", "evt.res"],
    priority: "CRITICAL",
    techniques: ["T1055.008"],
  },
  {
    rule: "KernelExtended",
    description: "A program in a container tried to load a kernel module or a BPF program.",
    action: "Treat the node as taken over: cordon it, move its Pods, and exchange it.",
    condition: "platform and evt.type in (init_module, finit_module, delete_module, bpf) and not in_sensor",
    evidence: ["evt.type", "evt.res"],
    priority: "CRITICAL",
    techniques: ["T1547.006", "T1014"],
  },
  {
    rule: "RuntimeSocketReached",
    description: "A program in a container spoke to the container runtime, which gives it the node.",
    action: "Treat the node as taken over: cordon it, move its Pods, and exchange it.",
    condition:
      "platform and evt.type = connect and (fd.name endswith /containerd.sock or " +
      "fd.name endswith /crio.sock or fd.name endswith /docker.sock or fd.name endswith /podman.sock) and " +
      "not in_sensor",
    evidence: ["fd.name"],
    priority: "CRITICAL",
    techniques: ["T1610", "T1611"],
  },
  {
    rule: "HostAccessGiven",
    description:
      "A container was started with rights over its node: privileged, its namespaces or its folders.",
    action:
      "Find who made the Pod in the audit log; the admission policies that should have refused it are off.",
    condition:
      "spawned and platform and proc.vpid = 1 and (container.privileged = true or container.host_pid = true or " +
      "container.host_network = true or container.host_ipc = true or container.mount.dest[/] exists or " +
      "container.mount.dest[/etc*] exists or container.mount.dest[/root*] exists or " +
      "container.mount.dest[/run/*] exists or container.mount.dest[/var/run/*] exists or " +
      "container.mount.dest[/var/log*] exists or container.mount.dest[/proc*] exists) and not looks_into_node",
    evidence: ["container.privileged", "container.mounts"],
    priority: "CRITICAL",
    techniques: ["T1610", "T1611"],
  },
];
