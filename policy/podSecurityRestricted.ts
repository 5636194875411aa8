import { absentOr, absentOrNot, havingOnly, including, oneOf } from "./frame/tests";
import { bothContexts } from "./frame/rules";
import { each } from "./frame/workloads";
import type { Policy, RulePolicy } from "./frame/policy";
import { volumeTypes } from "./podSecurityLists";

/** What the Pod Security Standard "restricted" has beyond "baseline", as Kubernetes 1.34 enforces it. */

const restricted = {
  area: "pod-security",
  profile: "restricted",
  link: "https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted",
} as const;

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

export const restrictedPolicies: readonly Policy[] = [
  restrictedVolumeTypes,
  noPrivilegeEscalation,
  noRootContainers,
  noRootUser,
  seccompProfile,
  dropAllCapabilities,
];
