import { absent, absentOr, absentOrMatching, absentOrNot, havingOnly, including, oneOf } from "./frame/tests";
import { each } from "./frame/workloads";
import type { Rule } from "./frame/rules";
import type { Policy, RulePolicy } from "./frame/policy";

/**
 * The Pod Security Standards, rule by rule, as Kubernetes 1.34 enforces them: a pod that the namespace's label would
 * refuse is refused here, and no other. What the platform wants beyond them is in `pods.ts`.
 */

const standards = "https://kubernetes.io/docs/concepts/security/pod-security-standards/";
const baseline = { area: "pod-security", profile: "baseline", link: `${standards}#baseline` } as const;
const restricted = { area: "pod-security", profile: "restricted", link: `${standards}#restricted` } as const;

/** The same field of the pod's security context and of each container's. */
const bothContexts = (path: readonly string[], test: Rule["test"], fix?: Rule["fix"]): readonly Rule[] => [
  { of: "pod", path: ["spec", "securityContext", ...path], test, fix },
  { of: "container", path: ["securityContext", ...path], test, fix },
];

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

/** What container runtimes give by default. */
const defaultCapabilities = [
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
];

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
    const types = ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];
    return [
      ...bothContexts(["seLinuxOptions", "type"], absentOr(...types)),
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

/** Sysctls that are a pod's own and cannot harm its neighbours. */
const safeSysctls = [
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ping_group_range",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.tcp_wmem",
];

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

const volumeTypes = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "image",
  "persistentVolumeClaim",
  "projected",
  "secret",
];

export const restrictedVolumeTypes: RulePolicy = {
  ...restricted,
  name: "restricted-volume-types",
  severity: "medium",
  description: "Pods mount only the volume types that cannot reach past the cluster's storage.",
  why: "Network volumes written into a pod bypass storage classes and carry addresses and credentials with them.",
  remedy: ["Use a PersistentVolumeClaim, ConfigMap, Secret, emptyDir, projected, image or CSI volume."],
  rules: () => [{ of: "pod", path: ["spec", "volumes", each], test: havingOnly(volumeTypes) }],
};

export const noPrivilegeEscalation: RulePolicy = {
  ...restricted,
  name: "no-privilege-escalation",
  severity: "high",
  description: "No process in a container can gain more rights than its parent.",
  why: "A setuid binary in the image would turn a broken-into service into root.",
  remedy: ["Set securityContext.allowPrivilegeEscalation to false on the container."],
  rules: () => [
    {
      of: "container",
      path: ["securityContext", "allowPrivilegeEscalation"],
      test: oneOf(false),
      fix: false,
      exceptOnWindows: true,
    },
  ],
};

export const noRootContainers: RulePolicy = {
  ...restricted,
  name: "no-root-containers",
  severity: "high",
  description: "Every container is kept from running as root.",
  why: "Root in a container is root on the node as soon as anything in the runtime or the kernel lets it out.",
  remedy: [
    "Set securityContext.runAsNonRoot to true on the pod or on the container.",
    "Build the image with a USER that is a number above 0.",
  ],
  rules: () => [
    { of: "pod", path: ["spec", "securityContext", "runAsNonRoot"], test: absentOr(true) },
    {
      of: "container",
      path: ["securityContext", "runAsNonRoot"],
      orOfPod: ["spec", "securityContext", "runAsNonRoot"],
      test: oneOf(true),
    },
  ],
};

export const noRootUser: RulePolicy = {
  ...restricted,
  name: "no-root-user",
  severity: "high",
  description: "No pod or container asks for user 0.",
  why: "With runAsNonRoot the container would not start; without it, it would run as root.",
  remedy: ["Give securityContext.runAsUser a number above 0, or leave it to the image."],
  rules: () => bothContexts(["runAsUser"], absentOrNot(0)),
};

export const seccompProfile: RulePolicy = {
  ...restricted,
  name: "seccomp-profile",
  severity: "medium",
  description: "Every container runs under a seccomp profile.",
  why: "Kubernetes sets none by default: a container can then make every system call.",
  remedy: [
    "Set securityContext.seccompProfile.type to RuntimeDefault on the pod, or to Localhost with a profile.",
  ],
  rules: () => [
    {
      of: "container",
      path: ["securityContext", "seccompProfile", "type"],
      orOfPod: ["spec", "securityContext", "seccompProfile", "type"],
      test: oneOf("RuntimeDefault", "Localhost"),
      fix: "RuntimeDefault",
      exceptOnWindows: true,
    },
  ],
};

export const dropAllCapabilities: RulePolicy = {
  ...restricted,
  name: "drop-all-capabilities",
  severity: "high",
  description: "Every container drops all Linux capabilities and adds back NET_BIND_SERVICE at most.",
  why: "The runtime's default set lets a container forge packets, change file owners and more, which no service needs.",
  remedy: [
    'Set securityContext.capabilities.drop to ["ALL"] on the container.',
    "Add NET_BIND_SERVICE if it listens on a port below 1024; better, let it listen above and map the port.",
  ],
  rules: () => {
    const capabilities = ["securityContext", "capabilities"];
    return [
      {
        of: "container",
        path: [...capabilities, "drop"],
        test: including("ALL"),
        fix: ["ALL"],
        exceptOnWindows: true,
      },
      {
        of: "container",
        path: [...capabilities, "add", each],
        test: oneOf("NET_BIND_SERVICE"),
        exceptOnWindows: true,
      },
    ];
  },
};

export const podSecurityPolicies: readonly Policy[] = [
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
  restrictedVolumeTypes,
  noPrivilegeEscalation,
  noRootContainers,
  noRootUser,
  seccompProfile,
  dropAllCapabilities,
];
