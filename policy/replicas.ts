import { type Judge, type ObjectPolicy, type Policy, shown, type StackPolicy } from "./frame/policy";
import { fewestReplicas, hasSeveral } from "./frame/replicas";
import type { Field } from "./frame/field";
import { podsOf } from "./frame/workloads";

/** How many pods a workload has, where they are, and how it changes from one version to the next. */

const area = "reliability";
const scaled = ["Deployment", "Rollout", "StatefulSet"];

export const minimumReplicas: StackPolicy<{ minimum: number }> = {
  name: "minimum-replicas",
  area,
  severity: "medium",
  description: "Every workload has at least as many replicas as the stack wants, at its quietest too.",
  why: "A single pod is away whenever its node is drained or fails, and with it what it serves.",
  remedy: [
    "Raise spec.replicas or, where there is an autoscaler, its minimum.",
    "A program that cannot run twice needs an exception that says who accepts its absence.",
  ],
  link: "https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#dealing-with-disruptions",
  parameters: {
    minimum: {
      type: "integer",
      description: "The fewest replicas of a Deployment, a Rollout or a StatefulSet.",
      default: 1,
      minimum: 0,
    },
  },
  checkStack(objects, judgeOf, { minimum }) {
    for (const workload of objects.filter(({ kind }) => scaled.includes(kind))) {
      const { object, field, otherwise } = fewestReplicas(workload, objects);
      const judge = judgeOf(object);
      if (!judge.knows(field)) continue;
      const replicas = field.absent ? otherwise : Number(field.value);
      if (!(replicas >= minimum))
        judge.report(field, `is ${shown(field.value)}, must be at least ${minimum}`);
    }
  },
};

export const spreadOverNodes: StackPolicy = {
  name: "spread-over-nodes",
  area,
  severity: "medium",
  description: "Every workload with several replicas keeps them on different nodes.",
  why: "The scheduler may put all replicas on one node; when that fails, the second replica was of no use.",
  remedy: [
    "Add a topologySpreadConstraint with topologyKey kubernetes.io/hostname whose labelSelector matches the pods.",
  ],
  link: "https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/",
  checkStack(objects, judgeOf) {
    for (const workload of objects.filter(({ kind }) => scaled.includes(kind))) {
      const [pod] = podsOf(workload);
      if (pod === undefined || !hasSeveral(workload, objects, judgeOf)) continue;
      const judge = judgeOf(workload);
      const constraints = pod.spec.at("topologySpreadConstraints");
      const antiAffinity = pod.spec.at("affinity", "podAntiAffinity");
      if (constraints.items().length > 0) judge.knows(constraints);
      else if (judge.knows(antiAffinity) && antiAffinity.absent) {
        judge.report(constraints, "is not set, and neither is affinity.podAntiAffinity");
      }
    }
  },
};

export const updateStrategy: ObjectPolicy = {
  name: "update-strategy",
  area,
  severity: "medium",
  description: "No workload replaces all its pods at once, or never.",
  why: "With Recreate or all pods unavailable a new version is an outage; with OnDelete it reaches no pod by itself.",
  remedy: [
    "Use RollingUpdate with a maxUnavailable below the number of replicas.",
    "Where two versions must not run at the same time, set replicas to 1: Recreate is accepted there.",
  ],
  link: "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#strategy",
  kinds: ["Deployment", "StatefulSet", "DaemonSet", "Rollout"],
  checkObject({ kind, root }, judge) {
    const spec = root.at("spec");
    const replicas = spec.at("replicas");
    const strategy = spec.at(kind === "Deployment" || kind === "Rollout" ? "strategy" : "updateStrategy");
    const type = strategy.at("type");
    const rolling = strategy.at(kind === "Rollout" ? "canary" : "rollingUpdate", "maxUnavailable");
    if (judge.knows(type) && type.value === "OnDelete") judge.report(type, 'is "OnDelete"');
    if (type.value === "Recreate" && !isSingle(replicas, judge)) {
      judge.report(type, `is "Recreate" and replicas is ${shown(replicas.value)}`);
    }
    if (judge.knows(rolling) && takesAll(rolling, replicas, judge)) {
      judge.report(rolling, `is ${shown(rolling.value)}: no pod may be left`);
    }
  },
};

/** True too if that is unknown, which is then noted. */
function isSingle(replicas: Field, judge: Judge): boolean {
  return !judge.knows(replicas) || replicas.value === 1;
}

function takesAll({ value }: Field, replicas: Field, judge: Judge): boolean {
  const [, percentage] = /^(\d+)%$/.exec(String(value)) ?? [];
  if (percentage !== undefined) return Number(percentage) >= 100 && !isSingle(replicas, judge);
  if (typeof value !== "number" || value <= 1) return false;
  return judge.knows(replicas) && typeof replicas.value === "number" && value >= replicas.value;
}

export const replicaPolicies: readonly Policy[] = [minimumReplicas, spreadOverNodes, updateStrategy];
