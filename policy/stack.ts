import type { ObjectPolicy, Policy } from "./frame/policy";

export const noHiddenObjects: ObjectPolicy = {
  name: "no-hidden-objects",
  area: "stack",
  severity: "high",
  description: "Every Kubernetes object is a resource of its own that policies see.",
  why: "A Helm release is one resource: the objects it creates are made behind the back of every policy.",
  remedy: ["Use helm.v4.Chart, which renders the chart into resources, instead of helm.v3.Release."],
  link: "https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/choosing-the-right-helm-resource-for-your-use-case/",
  kinds: ["Release"],
  checkObject({ group, root }, judge) {
    if (group === "helm.sh") judge.report(root, "hides its objects");
  },
};

export const stackPolicies: readonly Policy[] = [noHiddenObjects];
