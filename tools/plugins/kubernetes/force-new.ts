import type { PropertyValue } from "../rpc/values";
import { isPropertyMap } from "../rpc/values";
import { field, groupOf, isKind, kindOf, text, type KubeObject } from "./object";

const SELECTOR = ["spec.selector"];

const STATEFUL_SET = [
  "spec.podManagementPolicy",
  "spec.revisionHistoryLimit",
  "spec.selector",
  "spec.serviceName",
  "spec.volumeClaimTemplates",
];

const JOB = ["spec.completions", "spec.parallelism", "spec.selector", "spec.template"];

const VOLUME_SOURCES = [
  "awsElasticBlockStore",
  "azureDisk",
  "azureFile",
  "cephfs",
  "cinder",
  "csi",
  "fc",
  "flexVolume",
  "flocker",
  "gcePersistentDisk",
  "glusterfs",
  "hostPath",
  "iscsi",
  "local",
  "nfs",
  "photonPersistentDisk",
  "portworxVolume",
  "quobyte",
  "rbd",
  "scaleIO",
  "storageos",
  "vsphereVolume",
];

const POD = [
  "affinity",
  "automountServiceAccountToken",
  "dnsConfig",
  "dnsPolicy",
  "enableServiceLinks",
  "hostAliases",
  "hostIPC",
  "hostNetwork",
  "hostPID",
  "hostname",
  "imagePullSecrets",
  "nodeName",
  "nodeSelector",
  "overhead",
  "preemptionPolicy",
  "priority",
  "priorityClassName",
  "readinessGates",
  "restartPolicy",
  "runtimeClassName",
  "schedulerName",
  "securityContext",
  "serviceAccount",
  "serviceAccountName",
  "shareProcessNamespace",
  "subdomain",
  "terminationGracePeriodSeconds",
  "volumes",
];

const CONTAINER = [
  "args",
  "command",
  "env",
  "image",
  "imagePullPolicy",
  "lifecycle",
  "livenessProbe",
  "ports",
  "readinessProbe",
  "resources",
  "securityContext",
  "stdin",
  "stdinOnce",
  "terminationMessagePath",
  "terminationMessagePolicy",
  "tty",
  "volumeDevices",
  "volumeMounts",
  "workingDir",
];

// By `group/Kind`. Kinds of `apps` and `batch` have had the same immutable fields in every version still served.
const IMMUTABLE: Record<string, string[]> = {
  "apps/DaemonSet": SELECTOR,
  "apps/Deployment": SELECTOR,
  "apps/StatefulSet": STATEFUL_SET,
  "batch/Job": JOB,
  "rbac.authorization.k8s.io/ClusterRoleBinding": ["roleRef"],
  "rbac.authorization.k8s.io/RoleBinding": ["roleRef"],
  "storage.k8s.io/StorageClass": ["parameters", "provisioner"],
  "/PersistentVolume": VOLUME_SOURCES.map((source) => `spec.${source}`),
  "/PersistentVolumeClaim": ["accessModes", "selector", "storageClassName", "volumeName"].map(
    (key) => `spec.${key}`,
  ),
  "/Pod": [
    ...POD.map((key) => `spec.${key}`),
    ...CONTAINER.flatMap((key) => [`spec.containers[*].${key}`, `spec.initContainers[*].${key}`]),
  ],
  "/ResourceQuota": ["spec.scopes"],
  "/Service": ["spec.clusterIP"],
};

export interface Mutability {
  readonly mutableConfigMaps: boolean;
  readonly mutableSecrets: boolean;
}

/** The fields of an object that cannot be changed in place. */
export function immutableFields(
  object: KubeObject,
  { mutableConfigMaps, mutableSecrets }: Mutability,
): string[] {
  const always = ["metadata.name", "metadata.namespace"];
  const immutable = field(object, "immutable") === true;
  if (isKind(object, "", "Secret")) {
    return [...always, "type", ...(mutableSecrets && !immutable ? [] : ["stringData", "data"])];
  }
  if (isKind(object, "", "ConfigMap")) {
    return [...always, ...(mutableConfigMaps && !immutable ? [] : ["binaryData", "data"])];
  }
  return [...always, ...(IMMUTABLE[`${groupOf(text(object, "apiVersion"))}/${kindOf(object)}`] ?? [])];
}

/**
 * Whether a change at `path` touches one of `fields`: at the field, inside it, or around it with a new value (or
 * an old one, for a removal) that has the field.
 */
export function touches(
  path: (string | number)[],
  value: PropertyValue | undefined,
  fields: string[],
): boolean {
  return fields.some((name) => {
    const parts = name.split(/\.|(?=\[)/);
    for (const [index, part] of parts.entries()) {
      if (index === path.length) return has(value, parts.slice(index));
      if (part !== "[*]" && part !== path[index]) return false;
      if (part === "[*]" && typeof path[index] !== "number") return false;
    }
    return true;
  });
}

function has(value: PropertyValue | undefined, parts: string[]): boolean {
  if (parts.length === 0) return value !== undefined;
  const [part, ...rest] = parts as [string, ...string[]];
  if (part === "[*]") return Array.isArray(value) && value.some((element) => has(element, rest));
  return isPropertyMap(value) && has(value[part], rest);
}
