import type { ObjectPolicy, Policy } from "./frame/policy";
import { podKinds } from "./frame/workloads";

const levels = ["privileged", "baseline", "restricted"] as const;

export const namespacePodSecurity: ObjectPolicy<{ minimumLevel: string }> = {
  name: "namespace-pod-security",
  area: "namespaces",
  severity: "high",
  description: "Every namespace enforces a Pod Security Standard.",
  why: "It is what stops a pod that did not come through this program, such as one made by hand or by a controller.",
  remedy: [
    'Set the label pod-security.kubernetes.io/enforce: "restricted" on the namespace.',
    "Where an add-on needs more, lower minimumLevel for the stack in policy/config/<stack>.json.",
  ],
  link: "https://kubernetes.io/docs/concepts/security/pod-security-admission/",
  parameters: {
    minimumLevel: {
      type: "string",
      enum: ["baseline", "restricted"],
      description: "The weakest standard that a namespace may enforce.",
      default: "restricted",
    },
  },
  kinds: ["Namespace"],
  checkObject({ root }, judge, { minimumLevel }) {
    const label = root.at("metadata", "labels", "pod-security.kubernetes.io/enforce");
    const rank = (level: unknown) => levels.findIndex((other) => other === level);
    const wanted = levels.slice(rank(minimumLevel)).join(" or ");
    judge.expect(label, { accepts: (value) => rank(value) >= rank(minimumLevel), wanted });
  },
};

export const noDefaultNamespace: ObjectPolicy = {
  name: "no-default-namespace",
  area: "namespaces",
  severity: "medium",
  description: "Nothing runs in the default namespace.",
  why: "It has no Pod Security label, no network policy and no quota, and whoever forgets a namespace lands there.",
  remedy: ["Set metadata.namespace to a namespace that the program creates."],
  link: "https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/",
  kinds: [...podKinds, "Service", "ConfigMap", "Secret", "PersistentVolumeClaim", "Ingress"],
  checkObject({ root }, judge) {
    const accepts = (value: unknown) => typeof value === "string" && value !== "" && value !== "default";
    judge.expect(root.at("metadata", "namespace"), { accepts, wanted: "a namespace of the program's own" });
  },
};

export const namespacePolicies: readonly Policy[] = [namespacePodSecurity, noDefaultNamespace];
