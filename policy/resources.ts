import {
  absentOrAtMost,
  absentOrLimitOfAtMost,
  absentOrWithPositive,
  parseQuantity,
  positive,
} from "./frame/quantity";
import { type ContainerPolicy, type Judge, type Policy, type RulePolicy, shown } from "./frame/policy";
import { each } from "./frame/workloads";
import { Field } from "./frame/field";
import type { Test } from "./frame/tests";

export const requestsAndLimits: ContainerPolicy<{ cpuLimit: boolean }> = {
  name: "requests-and-limits",
  area: "resources",
  severity: "medium",
  description: "Every container says how much CPU and memory it needs and at most may use.",
  why: "Without requests the scheduler overfills a node; without limits one container starves or evicts the others.",
  remedy: [
    "Set resources.requests and resources.limits, cpu and memory each, on the container.",
    "Take them from what it used under load; memory's limit should equal its request.",
  ],
  link: "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",
  parameters: {
    cpuLimit: {
      type: "boolean",
      description:
        "Whether a CPU limit is wanted too. Without one, idle CPU can be used; a quota may demand it.",
      default: true,
    },
  },
  checkContainer({ field, role }, judge, { cpuLimit }) {
    // Kubernetes refuses resources on ephemeral containers: they live on what the pod has left.
    if (role === "ephemeral") return;
    const resources = field.at("resources");
    // A request of 0 is none, and a limit of 0 is no limit.
    const set = (example: string) => ({
      accepts: positive,
      wanted: `a quantity above 0, for example "${example}"`,
    });
    judge.expect(resources.at("requests", "cpu"), set("100m"));
    judge.expect(resources.at("requests", "memory"), set("128Mi"));
    judge.expect(resources.at("limits", "memory"), set("128Mi"));
    if (cpuLimit) judge.expect(resources.at("limits", "cpu"), set("500m"));
  },
};

export const memoryLimitNearRequest: ContainerPolicy<{ maximumRatio: number }> = {
  name: "memory-limit-near-request",
  area: "resources",
  severity: "low",
  description: "A container's memory limit is not far above what it requests.",
  why: "The scheduler counts requests only: where limits are far above, a full node ends pods that did nothing wrong.",
  remedy: [
    "Raise resources.requests.memory to what the container needs under load.",
    "Lower resources.limits.memory to little more than that.",
  ],
  link: "https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/#node-out-of-memory-behavior",
  parameters: {
    maximumRatio: {
      type: "number",
      description: "How many times its request the limit may be.",
      default: 4,
      minimum: 1,
    },
  },
  checkContainer({ field }, judge, { maximumRatio }) {
    const limit = field.at("resources", "limits", "memory");
    const request = field.at("resources", "requests", "memory");
    const most = quantityIn(limit, judge);
    // A request that is left out is the limit.
    const least = quantityIn(request, judge);
    if (most === undefined || least === undefined) return;
    if (most * 1000n > least * BigInt(Math.round(maximumRatio * 1000))) {
      const found = `is ${shown(limit.value)}, must be at most ${maximumRatio} times the request`;
      judge.report(limit, `${found} of ${shown(request.value)}`);
    }
  },
};

/** The quantity in a field; `undefined` if there is none, and reported if it is something else. */
function quantityIn(field: Field, judge: Judge): bigint | undefined {
  if (!judge.knows(field) || field.absent) return undefined;
  const quantity = parseQuantity(field.value);
  if (quantity === undefined) judge.report(field, `is ${shown(field.value)}, must be a quantity`);
  return quantity;
}

export const maximumContainerSize: RulePolicy<{ maximumCpu: string; maximumMemory: string }> = {
  name: "maximum-container-size",
  area: "resources",
  severity: "medium",
  description: "No container asks for more than the largest that a node is meant to run.",
  why: "A typing error such as 80 cores leaves the pod without a node, or makes a cluster buy one that fits.",
  remedy: [
    "Correct resources.requests and resources.limits of the container.",
    "If it needs that much, raise maximumCpu or maximumMemory in policy/config/<stack>.json.",
  ],
  link: "https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",
  parameters: {
    maximumCpu: {
      type: "string",
      description: "The most CPU that a container may have, as a quantity.",
      default: "8",
    },
    maximumMemory: {
      type: "string",
      description: "The most memory that a container may have, as a quantity.",
      default: "16Gi",
    },
  },
  rules: ({ maximumCpu, maximumMemory }) =>
    [["requests", absentOrAtMost] as const, ["limits", absentOrLimitOfAtMost] as const].flatMap(
      ([key, atMost]) => [
        { of: "container", path: ["resources", key, "cpu"], test: atMost("maximumCpu", maximumCpu) },
        { of: "container", path: ["resources", key, "memory"], test: atMost("maximumMemory", maximumMemory) },
      ],
    ),
};

/** Kubernetes makes an emptyDir without a limit of a volume that names no source, or one that is null. */
const withSource: Test = {
  accepts: (volume) =>
    Field.root(volume)
      .entries()
      .some(([key, source]) => key !== "name" && !source.absent),
  wanted: "a volume with a source",
  shallow: true,
  cel: (optional) =>
    `${optional}.orValue({}).exists(key, key != "name" && ${optional}[?key].orValue(null) != null)`,
};

export const boundedScratchSpace: RulePolicy = {
  name: "bounded-scratch-space",
  area: "resources",
  severity: "medium",
  description: "Every emptyDir has a size limit.",
  why: "One that grows fills the disk of its node, or its memory if that is the medium, and all pods there suffer.",
  remedy: ['Set emptyDir.sizeLimit to what the program writes at most, for example "64Mi".'],
  link: "https://kubernetes.io/docs/concepts/storage/volumes/#emptydir",
  rules: () => [
    { of: "pod", path: ["spec", "volumes", each], test: withSource },
    { of: "pod", path: ["spec", "volumes", each, "emptyDir"], test: absentOrWithPositive("sizeLimit") },
  ],
};

export const resourcePolicies: readonly Policy[] = [
  requestsAndLimits,
  memoryLimitNearRequest,
  maximumContainerSize,
  boundedScratchSpace,
];
