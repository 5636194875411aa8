import { absentOr, absentOrNot, oneOf } from "./frame/tests";
import type { PodPolicy, Policy, RulePolicy } from "./frame/policy";
import { each } from "./frame/workloads";

/** What the platform wants of pods beyond the Pod Security Standards. */

const area = "pods";

export const readOnlyRootFileSystem: RulePolicy = {
  name: "read-only-root-file-system",
  area,
  severity: "medium",
  description: "Every container has a read-only root file system.",
  why: "Who breaks in cannot replace a binary or drop a tool where it would be run.",
  remedy: [
    "Set securityContext.readOnlyRootFilesystem to true on the container.",
    "Mount an emptyDir where the program has to write, for example /tmp.",
  ],
  link: "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",
  rules: () => [
    {
      of: "container",
      path: ["securityContext", "readOnlyRootFilesystem"],
      test: oneOf(true),
      exceptOnWindows: true,
    },
  ],
};

export const noRootGroups: RulePolicy = {
  name: "no-root-groups",
  area,
  severity: "medium",
  description: "No pod or container asks for group 0.",
  why: "Files of the root group, of the node's mounts among them, are then the container's to read and often to write.",
  remedy: ["Give runAsGroup, fsGroup and supplementalGroups numbers above 0, or leave them out."],
  link: "https://media.defense.gov/2022/Aug/29/2003066362/-1/-1/0/CTR_KUBERNETES_HARDENING_GUIDANCE_1.2_20220829.PDF",
  rules: () => [
    { of: "pod", path: ["spec", "securityContext", "runAsGroup"], test: absentOrNot(0) },
    { of: "pod", path: ["spec", "securityContext", "fsGroup"], test: absentOrNot(0) },
    { of: "pod", path: ["spec", "securityContext", "supplementalGroups", each], test: absentOrNot(0) },
    { of: "container", path: ["securityContext", "runAsGroup"], test: absentOrNot(0) },
  ],
};

export const noSharedProcesses: RulePolicy = {
  name: "no-shared-processes",
  area,
  severity: "medium",
  description: "Containers of a pod do not see each other's processes.",
  why: "Through /proc one container reads the other's environment, files and memory.",
  remedy: ["Remove shareProcessNamespace from the pod."],
  link: "https://kubernetes.io/docs/tasks/configure-pod-container/share-process-namespace/",
  rules: () => [{ of: "pod", path: ["spec", "shareProcessNamespace"], test: absentOr(false) }],
};

export const noTerminals: RulePolicy = {
  name: "no-terminals",
  area,
  severity: "low",
  description: "No container keeps a terminal or its standard input open.",
  why: "A service needs neither; both are left-overs of debugging that keep a shell waiting.",
  remedy: ["Remove tty and stdin from the container; use an ephemeral container to look into a pod."],
  link: "https://kubernetes.io/docs/tasks/debug/debug-application/debug-running-pod/#ephemeral-container",
  rules: () =>
    ["tty", "stdin"].map((key) => ({
      of: "container",
      path: [key],
      test: absentOr(false),
      fix: false,
      lists: ["initContainers", "containers"],
    })),
};

export const appArmorRequired: RulePolicy<{ required: boolean }> = {
  name: "apparmor-required",
  area,
  severity: "medium",
  description: "Every container names an AppArmor profile, where the stack's nodes have AppArmor.",
  why: "Whether a container without one is confined is its node's choice; nobody is told where it is not.",
  remedy: [
    "Set securityContext.appArmorProfile.type to RuntimeDefault on the pod, or to Localhost with a profile.",
    "Where a node has no AppArmor, and so refuses such pods, set required to false for the stack.",
  ],
  link: "https://kubernetes.io/docs/tutorials/security/apparmor/",
  parameters: {
    required: {
      type: "boolean",
      description:
        "Whether a profile has to be named. Unconfined is refused by apparmor-profile in any case.",
      default: false,
    },
  },
  rules: ({ required }) =>
    required
      ? [
          {
            of: "container",
            path: ["securityContext", "appArmorProfile", "type"],
            orOfPod: ["spec", "securityContext", "appArmorProfile", "type"],
            test: oneOf("RuntimeDefault", "Localhost"),
            fix: "RuntimeDefault",
            exceptOnWindows: true,
          },
        ]
      : [],
};

export const ownServiceAccount: PodPolicy = {
  name: "own-service-account",
  area,
  severity: "medium",
  description: "A pod has no API token, or one of a service account of its own.",
  why: "Rights given to the default service account reach every pod of the namespace that did not ask for them.",
  remedy: [
    "Set automountServiceAccountToken to false on the pod if it does not talk to the Kubernetes API.",
    "Otherwise create a ServiceAccount with only the rights it needs and set serviceAccountName.",
  ],
  link: "https://kubernetes.io/docs/concepts/security/service-accounts/",
  checkPod({ spec }, judge) {
    const token = spec.at("automountServiceAccountToken");
    const account = spec.at("serviceAccountName").or(spec.at("serviceAccount"));
    if (!judge.knows(token) || token.value === false || !judge.knows(account)) return;
    if (account.absent || account.value === "default") {
      judge.report(token, "is not false and serviceAccountName is not set to an account of the pod's own");
    }
  },
};

export const podPolicies: readonly Policy[] = [
  readOnlyRootFileSystem,
  noRootGroups,
  noSharedProcesses,
  noTerminals,
  appArmorRequired,
  ownServiceAccount,
];
