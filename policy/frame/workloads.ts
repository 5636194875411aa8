import type { Field } from "./field";
import type { Target } from "./objects";

/** A pod, or the template that pods are made from. */
export interface Pod {
  readonly object: Target;
  /** What holds `metadata` and `spec`. */
  readonly root: Field;
  readonly spec: Field;
  readonly metadata: Field;
  /** False where pods are meant to end: a probe or a second replica means nothing there. */
  readonly runsForever: boolean;
}

/** The lists of a pod's containers, in the order in which Kubernetes starts them. */
export const containerLists = ["initContainers", "containers", "ephemeralContainers"] as const;
export type ContainerList = (typeof containerLists)[number];

export interface Container {
  readonly pod: Pod;
  readonly field: Field;
  readonly list: ContainerList;
  /** A sidecar is an init container that keeps running (`restartPolicy: Always`). */
  readonly role: "main" | "init" | "sidecar" | "ephemeral";
}

const template = ["spec", "template"];

/** Each of a list's items, in a path. */
export const each = "*";
const measured = ["spec", "metrics", each, "provider", "job", "spec", "template"];

/** Where each kind keeps its pod, or its pods. The empty path is the object itself. */
export const podPaths: Readonly<Record<string, readonly string[]>> = {
  Pod: [],
  PodTemplate: ["template"],
  Deployment: template,
  StatefulSet: template,
  DaemonSet: template,
  ReplicaSet: template,
  ReplicationController: template,
  Job: template,
  CronJob: ["spec", "jobTemplate", "spec", "template"],
  // Custom resources: Argo Rollouts, KEDA.
  Rollout: template,
  ScaledJob: ["spec", "jobTargetRef", "template"],
  // What a release is tested with.
  AnalysisTemplate: measured,
  ClusterAnalysisTemplate: measured,
  AnalysisRun: measured,
  // What a release is compared by: ReplicaSets that serve, and are waited for, like those of a Rollout.
  Experiment: ["spec", "templates", each, "template"],
};

/** Every kind that can hold a pod. */
export const podKinds: readonly string[] = Object.keys(podPaths);

const kindsThatEnd = new Set([
  "Job",
  "CronJob",
  "ScaledJob",
  "AnalysisTemplate",
  "ClusterAnalysisTemplate",
  "AnalysisRun",
]);

/**
 * The pods of an object. A custom resource that is not in the table is taken for a workload if it has a pod template
 * where workloads have theirs. None for a Rollout that refers to a Deployment: that is judged by itself.
 */
export function podsOf(object: Target): readonly Pod[] {
  const pods = knownPods.get(object) ?? readPods(object);
  knownPods.set(object, pods);
  return pods;
}

const knownPods = new WeakMap<Target, readonly Pod[]>();

function readPods(object: Target): readonly Pod[] {
  const path = podPaths[object.kind];
  return fieldsAt(object.root, path ?? template).flatMap((holder) => {
    const spec = holder.at("spec");
    const none = spec.absent || (path === undefined && !Array.isArray(spec.at("containers").value));
    if (none) return [];
    const metadata = holder.at("metadata");
    return [{ object, root: holder, spec, metadata, runsForever: runsForever(object, spec) }];
  });
}

function fieldsAt(field: Field, path: readonly string[]): readonly Field[] {
  const [key, ...rest] = path;
  if (key === undefined) return [field];
  const next = key === each ? field.items() : [field.at(key)];
  return next.flatMap((found) => fieldsAt(found, rest));
}

function runsForever(object: Target, spec: Field): boolean {
  if (kindsThatEnd.has(object.kind)) return false;
  const restartPolicy = spec.at("restartPolicy").value;
  return restartPolicy !== "Never" && restartPolicy !== "OnFailure";
}

/** All containers of a pod. An unknown list is one unknown container. */
export function containersOf(pod: Pod): readonly Container[] {
  const containers = knownContainers.get(pod) ?? readContainers(pod);
  knownContainers.set(pod, containers);
  return containers;
}

const knownContainers = new WeakMap<Pod, readonly Container[]>();

function readContainers(pod: Pod): readonly Container[] {
  return containerLists.flatMap((list) =>
    pod.spec
      .at(list)
      .items()
      .map((field) => ({ pod, field, list, role: roleOf(list, field) })),
  );
}

function roleOf(list: ContainerList, field: Field): Container["role"] {
  if (list === "containers") return "main";
  if (list === "ephemeralContainers") return "ephemeral";
  return field.at("restartPolicy").value === "Always" ? "sidecar" : "init";
}
