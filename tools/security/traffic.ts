import { field, list, type KubeObject } from "../plugins/kubernetes/object";
import { isPropertyMap, type PropertyMap, type PropertyValue } from "../plugins/rpc/values";

/** What a policy is about and lets through, as one text; with what the API server fills in. */
export function rulesOf(policy: KubeObject): string {
  const { podSelector, ingress, egress } = (policy.spec ?? {}) as PropertyMap;
  return JSON.stringify(
    ordered({ podSelector: podSelector ?? {}, ingress: ingress ?? [], egress: egress ?? [] }),
  );
}

function ordered(value: PropertyValue | undefined): PropertyValue | undefined {
  if (Array.isArray(value))
    return value.length === 0 ? undefined : value.map((each) => ordered(each) ?? null);
  if (!isPropertyMap(value)) return value;
  const given = "port" in value ? { protocol: "TCP", ...value } : value;
  return Object.fromEntries(
    Object.keys(given)
      .sort()
      .flatMap((key) => {
        const kept = ordered(given[key]);
        return kept === undefined ? [] : [[key, kept] as const];
      }),
  );
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
