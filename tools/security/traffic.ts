import { field, list, type KubeObject } from "../plugins/kubernetes/object";
import type { PropertyMap } from "../plugins/rpc/values";
import { inOneForm } from "./oneForm";

/** What a policy is about and lets through, as one text. */
export function rulesOf(policy: KubeObject): string {
  const { podSelector, ingress, egress } = (policy.spec ?? {}) as PropertyMap;
  const rules = { podSelector: podSelector ?? {}, ingress: ingress ?? [], egress: egress ?? [] };
  return inOneForm(rules, (map) => ("port" in map ? { protocol: "TCP", ...map } : map));
}

/** Selects every Pod, and lets nothing in or out. */
export function deniesAll(policy: KubeObject): boolean {
  const types = field(policy, "spec", "policyTypes");
  const selected = field(policy, "spec", "podSelector") ?? {};
  return (
    Object.keys(selected as object).length === 0 &&
    Array.isArray(types) &&
    types.includes("Ingress") &&
    types.includes("Egress") &&
    list(policy, "spec", "ingress").length === 0 &&
    list(policy, "spec", "egress").length === 0
  );
}
