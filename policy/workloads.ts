import type { Field } from "./field";
import type { KubernetesObject } from "./objects";

/** A pod, or the template that pods are made from. */
export interface Pod {
  readonly object: KubernetesObject;
  readonly spec: Field;
  readonly metadata: Field;
  /** False where pods are meant to end: a probe or a second replica means nothing there. */
  readonly runsForever: boolean;
}

export interface Container {
  readonly pod: Pod;
  readonly field: Field;
  /** A sidecar is an init container that keeps running (`restartPolicy: Always`). */
  readonly role: "main" | "init" | "sidecar" | "ephemeral";
}

const template = ["spec", "template"];

/** Where each kind keeps its pod. The empty path is the object itself. */
const podPaths: Readonly<Record<string, readonly string[]>> = {
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
};

/** Every kind that can hold a pod. */
export const podKinds: readonly string[] = Object.keys(podPaths);

const kindsThatEnd = new Set(["Job", "CronJob", "ScaledJob"]);

/**
 * The pod of an object. A custom resource that is not in the table is taken for a workload if it has a pod template
 * where workloads have theirs. None for a Rollout that refers to a Deployment: that is judged by itself.
 */
export function podOf(object: KubernetesObject): Pod | undefined {
  const path = podPaths[object.kind];
  const holder = object.root.at(...(path ?? template));
  const spec = holder.at("spec");
  if (spec.absent || (path === undefined && !Array.isArray(spec.at("containers").value))) return undefined;
  return { object, spec, metadata: holder.at("metadata"), runsForever: runsForever(object, spec) };
}

function runsForever(object: KubernetesObject, spec: Field): boolean {
  if (kindsThatEnd.has(object.kind)) return false;
  const restartPolicy = spec.at("restartPolicy").value;
  return restartPolicy !== "Never" && restartPolicy !== "OnFailure";
}

/** All containers of a pod, in the order Kubernetes starts them. An unknown list is one unknown container. */
export function containersOf(pod: Pod): readonly Container[] {
  const init = pod.spec
    .at("initContainers")
    .items()
    .map((field) => ({ pod, field, role: initRole(field) }));
  const main = pod.spec
    .at("containers")
    .items()
    .map((field) => ({ pod, field, role: "main" as const }));
  const ephemeral = pod.spec
    .at("ephemeralContainers")
    .items()
    .map((field) => ({ pod, field, role: "ephemeral" as const }));
  return [...init, ...main, ...ephemeral];
}

function initRole(field: Field): "init" | "sidecar" {
  return field.at("restartPolicy").value === "Always" ? "sidecar" : "init";
}
