import type { ContainerPolicy, Policy } from "./frame/policy";
import { present } from "./frame/tests";

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
    const set = (example: string) => ({ ...present, wanted: `set, for example "${example}"` });
    judge.expect(resources.at("requests", "cpu"), set("100m"));
    judge.expect(resources.at("requests", "memory"), set("128Mi"));
    judge.expect(resources.at("limits", "memory"), set("128Mi"));
    if (cpuLimit) judge.expect(resources.at("limits", "cpu"), set("500m"));
  },
};

export const resourcePolicies: readonly Policy[] = [requestsAndLimits];
