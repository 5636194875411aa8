import { absentOrNot, matching, present } from "./frame/tests";
import {
  type ContainerPolicy,
  type Judge,
  type Policy,
  type RulePolicy,
  shown,
  type StackPolicy,
} from "./frame/policy";
import { type FewestReplicas, fewestReplicas, hasSeveral } from "./frame/replicas";
import { mayEqual, ofKind } from "./frame/matching";
import { type Pod, podsOf } from "./frame/workloads";
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
    const budgets = ofKind(objects, "policy", "PodDisruptionBudget");
    for (const workload of objects) {
      const [pod] = podsOf(workload);
      if (pod === undefined || !replicated.has(workload.kind)) continue;
      if (!hasSeveral(workload, objects, judgeOf)) continue;
      const replicas = workload.root.at("spec", "replicas");
      const matching = budgets.filter((budget) => mayProtect(budget, pod));
      if (matching.length === 0) {
        const scaled = Number(replicas.value) > 1 ? "" : ", an autoscaler may raise it";
        const found = `is ${shown(replicas.value)}${scaled}, and no PodDisruptionBudget matches the pods`;
        judgeOf(workload).report(replicas, found);
      } else if (matching.every((budget) => unknownOf(budget, pod) !== undefined)) {
        for (const budget of matching) judgeOf(budget).knows(unknownOf(budget, pod) ?? replicas);
      }
    }
  },
};

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

export const disruptionBudgetLetsDrain: StackPolicy = {
  name: "disruption-budget-lets-drain",
  area: "reliability",
  severity: "medium",
  description: "Every PodDisruptionBudget leaves room for at least one pod to be moved.",
  why: "One that allows no disruption stops every drain, so nodes cannot be upgraded until somebody deletes it.",
  remedy: [
    "Set maxUnavailable to 1 instead of minAvailable.",
    "Where only one pod may exist, leave the budget out: the workload has to bear a restart anyway.",
  ],
  link: "https://kubernetes.io/docs/tasks/run-application/configure-pdb/#think-about-how-your-application-reacts-to-disruptions",
  checkStack(objects, judgeOf) {
    for (const budget of ofKind(objects, "policy", "PodDisruptionBudget")) {
      const judge = judgeOf(budget);
      const maximum = budget.root.at("spec", "maxUnavailable");
      const minimum = budget.root.at("spec", "minAvailable");
      judge.expect(maximum, absentOrNot(0, "0", "0%"));
      if (!judge.knows(minimum) || minimum.absent) continue;
      if (minimum.value === "100%") judge.report(minimum, 'is "100%", must leave room for one pod');
      else
        for (const { object, field, otherwise } of replicasUnder(budget, objects)) {
          if (judgeOf(object).knows(field))
            expectRoom(minimum, field.absent ? otherwise : field.value, judge);
        }
    }
  },
};

/** The fewest replicas of each workload under the budget. */
function replicasUnder(budget: Target, objects: readonly Target[]): readonly FewestReplicas[] {
  return objects
    .filter((workload) => replicated.has(workload.kind))
    .filter((workload) =>
      podsOf(workload).some((pod) => mayProtect(budget, pod) && unknownOf(budget, pod) === undefined),
    )
    .map((workload) => fewestReplicas(workload, objects));
}

function expectRoom(minimum: Field, replicas: unknown, judge: Judge): void {
  if (typeof replicas !== "number" || replicas === 0) return;
  const { value } = minimum;
  const [, percentage] = /^(\d+)%$/.exec(String(value)) ?? [];
  // Kubernetes rounds up.
  const kept = percentage === undefined ? Number(value) : Math.ceil((replicas * Number(percentage)) / 100);
  if (kept >= replicas) {
    judge.report(minimum, `is ${shown(value)}, which keeps all of ${replicas} replicas`);
  }
}

export const priorityClass: RulePolicy = {
  name: "priority-class",
  area: "reliability",
  severity: "low",
  description: "Every pod names a priority class.",
  why: "When a node is full, pods of equal priority are ended by chance; a batch job can take the place of the gateway.",
  remedy: ["Set priorityClassName on the pod to a PriorityClass that says how much the pod matters."],
  link: "https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/",
  rules: () => [
    {
      of: "pod",
      path: ["spec", "priorityClassName"],
      test: matching("^[a-z0-9]", "the name of a PriorityClass"),
    },
  ],
};

export const gracefulShutdown: RulePolicy = {
  name: "graceful-shutdown",
  area: "reliability",
  severity: "medium",
  description: "Every pod is given time to end.",
  why: "With a grace period of 0 requests are cut off, and a StatefulSet may run the same pod twice.",
  remedy: ["Remove terminationGracePeriodSeconds, or set it to the seconds that the longest request takes."],
  link: "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination",
  rules: () => [{ of: "pod", path: ["spec", "terminationGracePeriodSeconds"], test: absentOrNot(0) }],
};

export const reliabilityPolicies: readonly Policy[] = [
  probes,
  disruptionBudget,
  disruptionBudgetLetsDrain,
  priorityClass,
  gracefulShutdown,
];
