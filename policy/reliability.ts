import { type ContainerPolicy, type Policy, shown, type StackPolicy } from "./frame/policy";
import { type Pod, podsOf } from "./frame/workloads";
import { present } from "./frame/tests";
import type { Field } from "./frame/field";
import type { Target } from "./frame/objects";

export const probes: ContainerPolicy = {
  name: "probes",
  area: "reliability",
  severity: "medium",
  description: "Every container that keeps running has a readiness and a liveness probe.",
  why: "Without readiness, traffic goes to a pod that cannot answer yet; without liveness, a hung one stays forever.",
  remedy: [
    "Set readinessProbe to what tells that it can take traffic, for example GET /readyz.",
    "Set livenessProbe to what fails only if a restart would help, for example GET /healthz: no database in it.",
  ],
  link: "https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/",
  checkContainer({ pod, field, role }, judge) {
    if (!pod.runsForever || role === "init" || role === "ephemeral") return;
    judge.expect(field.at("readinessProbe"), present);
    judge.expect(field.at("livenessProbe"), present);
  },
};

const replicated = new Set(["Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "Rollout"]);

export const disruptionBudget: StackPolicy = {
  name: "disruption-budget",
  area: "reliability",
  severity: "medium",
  description: "Every workload with several replicas has a PodDisruptionBudget.",
  why: "Without one, draining nodes for an upgrade can take all replicas away at the same time.",
  remedy: [
    "Create a PodDisruptionBudget in the workload's namespace whose selector matches the labels of its pods.",
    "Set maxUnavailable to 1, so that a node can still be drained.",
  ],
  link: "https://kubernetes.io/docs/tasks/run-application/configure-pdb/",
  checkStack(objects, judgeOf) {
    const budgets = objects.filter(({ kind, group }) => kind === "PodDisruptionBudget" && group === "policy");
    for (const workload of objects) {
      const [pod] = podsOf(workload);
      if (pod === undefined || !replicated.has(workload.kind)) continue;
      const judge = judgeOf(workload);
      const replicas = workload.root.at("spec", "replicas");
      if (!judge.knows(replicas) || !hasSeveral(workload, replicas.value, objects)) continue;
      const matching = budgets.filter((budget) => mayProtect(budget, pod));
      if (matching.length === 0) {
        judge.report(replicas, `is ${shown(replicas.value)}, and no PodDisruptionBudget matches the pods`);
      } else if (matching.every((budget) => unknownOf(budget, pod) !== undefined)) {
        for (const budget of matching) judgeOf(budget).knows(unknownOf(budget, pod) ?? replicas);
      }
    }
  },
};

/** Replicas that the object leaves out are an autoscaler's to set, or one. */
function hasSeveral(workload: Target, replicas: unknown, objects: readonly Target[]): boolean {
  if (typeof replicas === "number") return replicas > 1;
  const name = workload.root.at("metadata", "name");
  return objects.some(({ kind, root }) => {
    const target = root.at("spec", "scaleTargetRef");
    const isTarget = target.at("kind").value === workload.kind && mayEqual(target.at("name"), name);
    return (kind === "HorizontalPodAutoscaler" || kind === "ScaledObject") && isTarget;
  });
}

function mayProtect({ root }: Target, { object, metadata }: Pod): boolean {
  const selector = root.at("spec", "selector", "matchLabels");
  const labels = metadata.at("labels");
  return (
    mayEqual(root.at("metadata", "namespace"), object.root.at("metadata", "namespace")) &&
    selector.entries().length > 0 &&
    selector.entries().every(([name, value]) => mayEqual(value, labels.at(name)))
  );
}

/** What keeps from being sure that the budget protects the pod. */
function unknownOf({ root }: Target, { object, metadata }: Pod): Field | undefined {
  const selector = root.at("spec", "selector", "matchLabels");
  return (
    root.at("metadata", "namespace").firstUnknown() ??
    selector.firstUnknown() ??
    object.root.at("metadata", "namespace").firstUnknown() ??
    selector
      .entries()
      .map(([name]) => metadata.at("labels", name).firstUnknown())
      .find((field) => field !== undefined)
  );
}

function mayEqual(one: Field, other: Field): boolean {
  return one.unknown || other.unknown || one.value === other.value;
}

export const reliabilityPolicies: readonly Policy[] = [probes, disruptionBudget];
