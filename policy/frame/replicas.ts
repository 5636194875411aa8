import { mayEqual, nameOf, namespaceOf } from "./matching";
import type { Field } from "./field";
import type { Judge } from "./policy";
import type { Target } from "./objects";

/** Where the fewest replicas of a workload are said, and how many it are when nobody says so. */
export interface FewestReplicas {
  /** The workload, or its autoscaler. */
  readonly object: Target;
  readonly field: Field;
  readonly otherwise: number;
}

/** An autoscaler's minimum counts more than what the workload says, which is only where it starts. */
export function fewestReplicas(workload: Target, objects: readonly Target[]): FewestReplicas {
  const object = autoscalersOf(workload, objects)[0] ?? workload;
  const { root, kind } = object;
  if (kind === "ScaledObject") return { object, field: root.at("spec", "minReplicaCount"), otherwise: 0 };
  const key = object === workload ? "replicas" : "minReplicas";
  return { object, field: root.at("spec", key), otherwise: 1 };
}

type JudgeOf = (object: Target) => Judge;

/** Whether there can be more than one Pod; false, and noted as undecided, where that is unknown. */
export function hasSeveral(workload: Target, objects: readonly Target[], judgeOf: JudgeOf): boolean {
  const replicas = workload.root.at("spec", "replicas");
  if (Number(replicas.value) > 1) return true;
  const autoscalers = autoscalersOf(workload, objects);
  if (autoscalers.length === 0) judgeOf(workload).knows(replicas);
  return autoscalers.some((autoscaler) => makesSeveral(autoscaler, workload, judgeOf));
}

function makesSeveral(autoscaler: Target, workload: Target, judgeOf: JudgeOf): boolean {
  const { root, kind } = autoscaler;
  const maximum = root.at("spec", kind === "ScaledObject" ? "maxReplicaCount" : "maxReplicas");
  const name = root.at("spec", "scaleTargetRef", "name");
  const known =
    [nameOf(workload), namespaceOf(workload)].every((field) => judgeOf(workload).knows(field)) &&
    [name, namespaceOf(autoscaler), maximum].every((field) => judgeOf(autoscaler).knows(field));
  return known && maximum.value !== 1;
}

function autoscalersOf(workload: Target, objects: readonly Target[]): readonly Target[] {
  return autoscalersIn(objects).filter(({ root }) => {
    const target = root.at("spec", "scaleTargetRef");
    return (
      // KEDA takes a target without a kind for a Deployment.
      (target.at("kind").value ?? "Deployment") === workload.kind &&
      mayEqual(target.at("name"), nameOf(workload)) &&
      mayEqual(root.at("metadata", "namespace"), namespaceOf(workload))
    );
  });
}

/** Looked for once: a stack of thousands of workloads asks for each of them. */
const known = new WeakMap<readonly Target[], readonly Target[]>();

function autoscalersIn(objects: readonly Target[]): readonly Target[] {
  const found =
    known.get(objects) ??
    objects.filter(({ kind }) => kind === "HorizontalPodAutoscaler" || kind === "ScaledObject");
  known.set(objects, found);
  return found;
}
