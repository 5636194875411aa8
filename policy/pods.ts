import { absentOr, absentOrNot, equals } from "./values";
import type { ContainerPolicy, PodPolicy } from "./frame";

const restricted = "https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted";
const baseline = "https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline";

export const noPrivilegedContainers: ContainerPolicy = {
  name: "no-privileged-containers",
  severity: "critical",
  description: "No container runs privileged.",
  why: "A privileged container has all the rights of root on the node: who breaks into it owns the node.",
  remedy: [
    "Remove securityContext.privileged, or set it to false.",
    "If the container needs one right, add that capability through securityContext.capabilities.add.",
  ],
  link: baseline,
  checkContainer({ field }, judge) {
    judge.expect(field.at("securityContext", "privileged"), absentOr(false), "false or absent");
  },
};

export const noRootContainers: ContainerPolicy = {
  name: "no-root-containers",
  severity: "high",
  description: "Every container is kept from running as root.",
  why: "Root in a container is root on the node as soon as anything in the runtime or the kernel lets it out.",
  remedy: [
    "Set securityContext.runAsNonRoot to true on the pod or on the container.",
    "Give runAsUser a number above 0, and build the image with a USER of that number.",
  ],
  link: restricted,
  checkContainer({ pod, field }, judge) {
    const own = field.at("securityContext");
    const shared = pod.spec.at("securityContext");
    judge.expect(own.at("runAsNonRoot").or(shared.at("runAsNonRoot")), equals(true), "true");
    judge.expect(
      own.at("runAsUser").or(shared.at("runAsUser")),
      absentOrNot(0),
      "a number above 0 or absent",
    );
  },
};

export const noPrivilegeEscalation: ContainerPolicy = {
  name: "no-privilege-escalation",
  severity: "high",
  description: "No process in a container can gain more rights than its parent.",
  why: "A setuid binary in the image would turn a broken-into service into root.",
  remedy: ["Set securityContext.allowPrivilegeEscalation to false on the container."],
  link: restricted,
  checkContainer({ field }, judge) {
    judge.expect(field.at("securityContext", "allowPrivilegeEscalation"), equals(false), "false");
  },
};

export const dropAllCapabilities: ContainerPolicy = {
  name: "drop-all-capabilities",
  severity: "high",
  description: "Every container drops all Linux capabilities and adds back NET_BIND_SERVICE at most.",
  why: "The runtime's default set lets a container forge packets, change file owners and more, which no service needs.",
  remedy: [
    'Set securityContext.capabilities.drop to ["ALL"] on the container.',
    "Add NET_BIND_SERVICE if it listens on a port below 1024; better, let it listen above and map the port.",
  ],
  link: restricted,
  checkContainer({ field }, judge) {
    const capabilities = field.at("securityContext", "capabilities");
    const drop = capabilities.at("drop");
    judge.expect(drop, (value) => Array.isArray(value) && value.includes("ALL"), 'a list with "ALL"');
    for (const added of judge.items(capabilities.at("add"))) {
      judge.expect(added, equals("NET_BIND_SERVICE"), "NET_BIND_SERVICE or absent");
    }
  },
};

export const readOnlyRootFileSystem: ContainerPolicy = {
  name: "read-only-root-file-system",
  severity: "medium",
  description: "Every container has a read-only root file system.",
  why: "Who breaks in cannot replace a binary or drop a tool where it would be run.",
  remedy: [
    "Set securityContext.readOnlyRootFilesystem to true on the container.",
    "Mount an emptyDir where the program has to write, for example /tmp.",
  ],
  link: "https://kubernetes.io/docs/tasks/configure-pod-container/security-context/",
  checkContainer({ field }, judge) {
    judge.expect(field.at("securityContext", "readOnlyRootFilesystem"), equals(true), "true");
  },
};

export const seccompProfile: ContainerPolicy = {
  name: "seccomp-profile",
  severity: "medium",
  description: "Every container runs under a seccomp profile.",
  why: "Without one a container can make every system call, and each is a way into the kernel.",
  remedy: [
    "Set securityContext.seccompProfile.type to RuntimeDefault on the pod, or to Localhost with a profile.",
  ],
  link: restricted,
  checkContainer({ pod, field }, judge) {
    const type = (of: typeof field) => of.at("securityContext", "seccompProfile", "type");
    const accepts = (value: unknown) => value === "RuntimeDefault" || value === "Localhost";
    judge.expect(type(field).or(type(pod.spec)), accepts, "RuntimeDefault or Localhost");
  },
};

export const noHostNamespaces: PodPolicy = {
  name: "no-host-namespaces",
  severity: "critical",
  description: "No pod shares the network, process or IPC namespace of its node.",
  why: "It could listen to the node's traffic, reach services bound to loopback, and see or signal every process.",
  remedy: ["Remove hostNetwork, hostPID and hostIPC from the pod, or set them to false."],
  link: baseline,
  checkPod({ spec }, judge) {
    for (const key of ["hostNetwork", "hostPID", "hostIPC"]) {
      judge.expect(spec.at(key), absentOr(false), "false or absent");
    }
  },
};

export const noHostPaths: PodPolicy = {
  name: "no-host-paths",
  severity: "critical",
  description: "No pod mounts a folder of its node.",
  why: "A host path reaches the kubelet's credentials, the container runtime's socket and other pods' data.",
  remedy: [
    "Use a PersistentVolumeClaim for data, a ConfigMap or Secret for files, an emptyDir for scratch space.",
  ],
  link: baseline,
  checkPod({ spec }, judge) {
    for (const volume of judge.items(spec.at("volumes"))) {
      const path = volume.at("hostPath");
      if (judge.knows(path) && !path.absent) judge.report(path, "is set, must be absent");
    }
  },
};

export const noHostPorts: ContainerPolicy = {
  name: "no-host-ports",
  severity: "high",
  description: "No container takes a port of its node.",
  why: "A host port bypasses network policies and keeps a second copy of the pod off the node.",
  remedy: ["Remove hostPort from the container's ports and put a Service in front of the pod."],
  link: baseline,
  checkContainer({ field }, judge) {
    for (const port of judge.items(field.at("ports"))) {
      judge.expect(port.at("hostPort"), absentOr(0), "absent");
    }
  },
};

export const ownServiceAccount: PodPolicy = {
  name: "own-service-account",
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
