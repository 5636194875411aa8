import { absent, absentOr, absentOrMatching, oneOf } from "./frame/tests";
import { bothContexts } from "./frame/rules";
import { defaultCapabilities, safeSysctls, seLinuxTypes } from "./podSecurityLists";
import { each } from "./frame/workloads";
import type { Policy, RulePolicy } from "./frame/policy";

/**
 * The Pod Security Standard "baseline", rule by rule, as Kubernetes 1.34 enforces it: a pod that the namespace's label
 * would refuse is refused here, and no other. What the platform wants beyond the standards is in `pods.ts`.
 */

const baseline = {
  area: "pod-security",
  profile: "baseline",
  link: "https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",
} as const;

export const noPrivilegedContainers: RulePolicy = {
  ...baseline,
  name: "no-privileged-containers",
  severity: "critical",
  description: "No container runs privileged.",
  why: "A privileged container has all the rights of root on the node: who breaks into it owns the node.",
  remedy: [
    "Remove securityContext.privileged, or set it to false.",
    "If the container needs one right, add that capability through securityContext.capabilities.add.",
  ],
  rules: () => [{ of: "container", path: ["securityContext", "privileged"], test: absentOr(false) }],
};

export const noHostNamespaces: RulePolicy = {
  ...baseline,
  name: "no-host-namespaces",
  severity: "critical",
  description: "No pod shares the network, process or IPC namespace of its node.",
  why: "It could listen to the node's traffic, reach services bound to loopback, and see or signal every process.",
  remedy: ["Remove hostNetwork, hostPID and hostIPC from the pod, or set them to false."],
  rules: () =>
    ["hostNetwork", "hostPID", "hostIPC"].map((key) => ({
      of: "pod",
      path: ["spec", key],
      test: absentOr(false),
    })),
};

export const noHostPaths: RulePolicy = {
  ...baseline,
  name: "no-host-paths",
  severity: "critical",
  description: "No pod mounts a folder of its node.",
  why: "A host path reaches the kubelet's credentials, the container runtime's socket and other pods' data.",
  remedy: [
    "Use a PersistentVolumeClaim for data, a ConfigMap or Secret for files, an emptyDir for scratch space.",
  ],
  rules: () => [{ of: "pod", path: ["spec", "volumes", each, "hostPath"], test: absent }],
};

export const noHostPorts: RulePolicy = {
  ...baseline,
  name: "no-host-ports",
  severity: "high",
  description: "No container takes a port of its node.",
  why: "A host port bypasses network policies and keeps a second copy of the pod off the node.",
  remedy: ["Remove hostPort from the container's ports and put a Service in front of the pod."],
  rules: () => [{ of: "container", path: ["ports", each, "hostPort"], test: absentOr(0) }],
};

export const noHostProcesses: RulePolicy = {
  ...baseline,
  name: "no-host-processes",
  severity: "critical",
  description: "No Windows container runs as a process of its node.",
  why: "A HostProcess container has the node's file system, network and privileges.",
  remedy: ["Remove securityContext.windowsOptions.hostProcess, or set it to false."],
  rules: () => bothContexts(["windowsOptions", "hostProcess"], absentOr(false)),
};

export const noAddedCapabilities: RulePolicy = {
  ...baseline,
  name: "no-added-capabilities",
  severity: "critical",
  description: "No container adds a Linux capability that the runtime does not give by default.",
  why: "SYS_ADMIN, SYS_PTRACE, NET_ADMIN and their like are each a known way out of a container.",
  remedy: ["Remove the capability from securityContext.capabilities.add."],
  rules: () => [
    {
      of: "container",
      path: ["securityContext", "capabilities", "add", each],
      test: oneOf(...defaultCapabilities),
    },
  ],
};

export const noHostsInProbes: RulePolicy = {
  ...baseline,
  name: "no-hosts-in-probes",
  severity: "medium",
  description: "Probes and lifecycle hooks go to the pod itself, not to a host that somebody named.",
  why: "The kubelet makes these requests: with a host of one's choice it reaches what only the node may reach.",
  remedy: ["Remove host from the httpGet and tcpSocket of the container's probes and lifecycle hooks."],
  rules: () => {
    const probe = ["livenessProbe", "readinessProbe", "startupProbe"].map((key) => [key]);
    const hook = ["postStart", "preStop"].map((key) => ["lifecycle", key]);
    return [...probe, ...hook].flatMap((handler) =>
      ["httpGet", "tcpSocket"].map((action) => ({
        of: "container" as const,
        path: [...handler, action, "host"],
        test: absentOr(""),
      })),
    );
  },
};

const appArmorAnnotation = "container.apparmor.security.beta.kubernetes.io/";

export const appArmorProfile: RulePolicy = {
  ...baseline,
  name: "apparmor-profile",
  severity: "high",
  description: "No container leaves its AppArmor profile.",
  why: "Unconfined, the kernel's last check on files and mounts is off for the container.",
  remedy: [
    "Remove securityContext.appArmorProfile, or set its type to RuntimeDefault or Localhost.",
    "Remove the annotation of the same meaning from the pod.",
  ],
  rules: () => [
    ...bothContexts(["appArmorProfile", "type"], absentOr("RuntimeDefault", "Localhost")),
    {
      of: "pod",
      path: ["metadata", "annotations", { keysFrom: appArmorAnnotation }],
      test: absentOrMatching("^(|runtime/default|localhost/.*)$", '"runtime/default" or "localhost/..."'),
    },
  ],
};

export const seLinuxOptions: RulePolicy = {
  ...baseline,
  name: "selinux-options",
  severity: "high",
  description: "No container chooses an SELinux user or role, or a type that is not made for containers.",
  why: "Another type, such as spc_t, takes the container out of the confinement that SELinux gives it.",
  remedy: [
    "Remove user and role from securityContext.seLinuxOptions.",
    "Leave type out, or take container_t, container_init_t, container_kvm_t or container_engine_t.",
  ],
  rules: () => {
    return [
      ...bothContexts(["seLinuxOptions", "type"], absentOr(...seLinuxTypes)),
      ...bothContexts(["seLinuxOptions", "user"], absentOr("")),
      ...bothContexts(["seLinuxOptions", "role"], absentOr("")),
    ];
  },
};

export const defaultProcMount: RulePolicy = {
  ...baseline,
  name: "default-proc-mount",
  severity: "high",
  description: "Every container has the runtime's masked /proc.",
  why: "Unmasked, /proc shows and changes settings of the kernel that all containers of the node share.",
  remedy: ["Remove securityContext.procMount, or set it to Default."],
  rules: () => [
    { of: "container", path: ["securityContext", "procMount"], test: absentOr("Default"), fix: "Default" },
  ],
};

export const noUnconfinedSeccomp: RulePolicy = {
  ...baseline,
  name: "no-unconfined-seccomp",
  severity: "high",
  description: "No container turns its seccomp profile off.",
  why: "Unconfined, a container can make every system call, and each is a way into the kernel.",
  remedy: ["Set securityContext.seccompProfile.type to RuntimeDefault, or to Localhost with a profile."],
  rules: () =>
    bothContexts(["seccompProfile", "type"], absentOr("RuntimeDefault", "Localhost"), "RuntimeDefault"),
};

export const safeSysctlsOnly: RulePolicy = {
  ...baseline,
  name: "safe-sysctls",
  severity: "high",
  description: "Pods set no sysctl that reaches beyond them.",
  why: "Other sysctls belong to the node: one pod would slow, starve or disarm all others on it.",
  remedy: ["Remove the entry from securityContext.sysctls; set it on the nodes if all need it."],
  rules: () => [
    {
      of: "pod",
      path: ["spec", "securityContext", "sysctls", each, "name"],
      test: oneOf(...safeSysctls),
    },
  ],
};

export const baselinePolicies: readonly Policy[] = [
  noPrivilegedContainers,
  noHostNamespaces,
  noHostPaths,
  noHostPorts,
  noHostProcesses,
  noAddedCapabilities,
  noHostsInProbes,
  appArmorProfile,
  seLinuxOptions,
  defaultProcMount,
  noUnconfinedSeccomp,
  safeSysctlsOnly,
];
