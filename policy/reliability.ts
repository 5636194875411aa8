import { type ContainerPolicy, shown, type StackPolicy } from "./frame";
import { type Pod, podOf } from "./workloads";
import { isPresent } from "./values";
import type { KubernetesObject } from "./objects";

export const probes: ContainerPolicy = {
  name: "probes",
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
    judge.expect(field.at("readinessProbe"), isPresent, "set");
    judge.expect(field.at("livenessProbe"), isPresent, "set");
  },
};

const replicated = new Set(["Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "Rollout"]);

export const disruptionBudget: StackPolicy = {
  name: "disruption-budget",
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
      const pod = podOf(workload);
      if (pod === undefined || !replicated.has(workload.kind)) continue;
      const judge = judgeOf(workload);
      const replicas = workload.root.at("spec", "replicas");
      if (!judge.knows(replicas) || !hasSeveral(workload, replicas.value, objects)) continue;
      if (!budgets.some((budget) => protects(budget, pod))) {
        judge.report(replicas, `is ${shown(replicas.value)}, and no PodDisruptionBudget matches the pods`);
      }
    }
  },
};

/** Replicas that the object leaves out are an autoscaler's to set, or one. */
function hasSeveral(
  workload: KubernetesObject,
  replicas: unknown,
  objects: readonly KubernetesObject[],
): boolean {
  if (typeof replicas === "number") return replicas > 1;
  return objects.some(({ kind, root }) => {
    const target = root.at("spec", "scaleTargetRef");
    const isTarget =
      target.at("kind").value === workload.kind && sameValue(target, workload.root.at("metadata"), "name");
    return (kind === "HorizontalPodAutoscaler" || kind === "ScaledObject") && isTarget;
  });
}

/** A selector that is unknown could be the right one: it is taken as such, as the budget exists. */
function protects({ root }: KubernetesObject, pod: Pod): boolean {
  if (!sameValue(root.at("metadata"), pod.object.root.at("metadata"), "namespace")) return false;
  const labels = pod.metadata.at("labels");
  const wanted = root.at("spec", "selector", "matchLabels").entries();
  return (
    wanted.length > 0 &&
    wanted.every(
      ([name, { value, unknown }]) => unknown || labels.at(name).unknown || labels.at(name).value === value,
    )
  );
}

function sameValue(one: KubernetesObject["root"], other: KubernetesObject["root"], key: string): boolean {
  return one.at(key).value === other.at(key).value;
}
