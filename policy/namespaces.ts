import { nameOf, namespaceOf, ofKind } from "./frame/matching";
import { type ObjectPolicy, type Policy, shown, type StackPolicy } from "./frame/policy";
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

/** A ClusterAnalysisTemplate belongs to the whole cluster, and so is in no namespace. */
const namespacedPodKinds = podKinds.filter((kind) => kind !== "ClusterAnalysisTemplate");

export const noDefaultNamespace: ObjectPolicy = {
  name: "no-default-namespace",
  area: "namespaces",
  severity: "medium",
  description: "Nothing runs in the default namespace.",
  why: "It has no Pod Security label, no network policy and no quota, and whoever forgets a namespace lands there.",
  remedy: ["Set metadata.namespace to a namespace that the program creates."],
  link: "https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/",
  kinds: [...namespacedPodKinds, "Service", "ConfigMap", "Secret", "PersistentVolumeClaim", "Ingress"],
  checkObject({ root }, judge) {
    const accepts = (value: unknown) => typeof value === "string" && value !== "" && value !== "default";
    judge.expect(root.at("metadata", "namespace"), { accepts, wanted: "a namespace of the program's own" });
  },
};

const systemNamespaces = ["kube-system", "kube-public", "kube-node-lease"];

export const noSystemNamespaces: ObjectPolicy<{ allowed: readonly string[] }> = {
  name: "no-system-namespaces",
  area: "namespaces",
  severity: "high",
  description: "Nothing of the program is in a namespace of Kubernetes itself.",
  why: "Pods there stand beside the cluster's own, which no Pod Security label or network policy keeps apart.",
  remedy: [
    "Set metadata.namespace to a namespace that the program creates.",
    "If it only works there, add its name to allowed in policy/config/<stack>.json.",
  ],
  link: "https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/#initial-namespaces",
  parameters: {
    allowed: {
      type: "array",
      items: { type: "string" },
      description: "Regular expressions; an object whose name matches one may be there.",
      default: [],
    },
  },
  checkObject(object, judge, { allowed }) {
    const namespace = namespaceOf(object);
    const name = nameOf(object);
    if (!judge.knows(namespace) || !systemNamespaces.includes(String(namespace.value))) return;
    if (allowed.length > 0 && !judge.knows(name)) return;
    if (allowed.some((pattern) => new RegExp(pattern).test(String(name.value)))) return;
    judge.report(namespace, `is ${shown(namespace.value)}, must be a namespace of the program's own`);
  },
};

/** A stack policy that wants an object of the kind, with something in `spec.<key>`, in every namespace. */
function inEveryNamespace(kind: string, key: string): Pick<StackPolicy, "checkStack"> {
  return {
    checkStack(objects, judgeOf) {
      const guards = ofKind(objects, "core", kind);
      for (const namespace of ofKind(objects, "core", "Namespace")) {
        const judge = judgeOf(namespace);
        const name = nameOf(namespace);
        if (!judge.knows(name)) continue;
        const content = guards
          .filter((guard) => namespaceOf(guard).unknown || namespaceOf(guard).value === name.value)
          .map((guard) => ({ guard, fields: [namespaceOf(guard), guard.root.at("spec", key)] }));
        const unclear = content.filter(({ fields }) => fields.some(({ unknown }) => unknown));
        const sure = content.filter((each) => !unclear.includes(each));
        if (sure.some(({ fields: [, limits] }) => limits !== undefined && limits.entries().length > 0))
          continue;
        for (const { guard, fields } of unclear) fields.forEach((field) => judgeOf(guard).knows(field));
        if (unclear.length === 0) judge.report(name, `is ${shown(name.value)}, which has no ${kind}`);
      }
    },
  };
}

export const namespaceQuota: StackPolicy = {
  ...inEveryNamespace("ResourceQuota", "hard"),
  name: "namespace-quota",
  area: "namespaces",
  severity: "medium",
  description: "Every namespace of the stack has a quota.",
  why: "Without one a faulty autoscaler or a taken-over account fills the whole cluster.",
  remedy: ["Create a ResourceQuota in the namespace with limits.cpu, limits.memory and pods in spec.hard."],
  link: "https://kubernetes.io/docs/concepts/policy/resource-quotas/",
};

export const namespaceLimitRange: StackPolicy = {
  ...inEveryNamespace("LimitRange", "limits"),
  name: "namespace-limit-range",
  area: "namespaces",
  severity: "low",
  description: "Every namespace of the stack has limits for containers that set none.",
  why: "A pod that did not come through this program may have none, and then nothing holds it back.",
  remedy: ["Create a LimitRange in the namespace with default and defaultRequest of type Container."],
  link: "https://kubernetes.io/docs/concepts/policy/limit-range/",
};

export const namespacePolicies: readonly Policy[] = [
  namespacePodSecurity,
  noDefaultNamespace,
  noSystemNamespaces,
  namespaceQuota,
  namespaceLimitRange,
];
