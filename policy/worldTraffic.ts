import { type Judge, type ObjectPolicy, type Policy, shown } from "./frame/policy";
import type { Field } from "./frame/field";

/** Network policies that open a namespace to everywhere, or everywhere to a namespace. */

const area = "network";
const guide =
  "https://media.defense.gov/2022/Aug/29/2003066362/-1/-1/0/CTR_KUBERNETES_HARDENING_GUIDANCE_1.2_20220829.PDF";

export const noWorldEgress: ObjectPolicy = {
  name: "no-world-egress",
  area,
  severity: "high",
  description: "No network policy lets pods reach every address, or nearly every one.",
  why: "Who breaks into such a pod can bring data out of the cluster and fetch tools from anywhere.",
  remedy: [
    "Say in the rule's list to which pods, namespaces or address ranges the pods have to reach.",
    "For services with changing addresses, go through a proxy that knows names.",
  ],
  link: guide,
  kinds: ["NetworkPolicy"],
  checkObject({ group, root }, judge) {
    if (group !== "networking.k8s.io") return;
    for (const rule of judge.items(root.at("spec", "egress"))) expectPeers(rule.at("to"), judge);
  },
};

export const noWorldIngress: ObjectPolicy<{ gatewayNamespaces: readonly string[] }> = {
  name: "no-world-ingress",
  area,
  severity: "high",
  description: "No network policy lets everybody reach pods, except those of the gateway.",
  why: "Traffic that does not come through the gateway has neither its TLS nor its limits and logs.",
  remedy: [
    "Say in the rule's list from which pods, namespaces or address ranges the traffic comes.",
    "If the pods are a gateway, add their namespace to gatewayNamespaces in policy/config/<stack>.json.",
  ],
  link: guide,
  parameters: {
    gatewayNamespaces: {
      type: "array",
      items: { type: "string" },
      description: "Namespaces whose pods take traffic from everywhere.",
      default: ["gateway"],
    },
  },
  kinds: ["NetworkPolicy"],
  checkObject({ group, root }, judge, { gatewayNamespaces }) {
    if (group !== "networking.k8s.io") return;
    const open = new OpenRules();
    for (const rule of judge.items(root.at("spec", "ingress"))) expectPeers(rule.at("from"), open);
    if (open.found.length === 0 && open.unknown.length === 0) return;
    // Only an open rule makes it matter where the policy is.
    const namespace = root.at("metadata", "namespace");
    if (!judge.knows(namespace) || gatewayNamespaces.includes(String(namespace.value))) return;
    for (const field of open.unknown) judge.knows(field);
    for (const [field, found] of open.found) judge.report(field, found);
  },
};

/** Collects for later what a judge would be told. */
class OpenRules implements Pick<Judge, "knows" | "report" | "items"> {
  readonly found: [Field, string][] = [];
  readonly unknown: Field[] = [];

  knows(field: Field): boolean {
    if (field.unknown) this.unknown.push(field);
    return !field.unknown;
  }

  report(field: Field, found: string): void {
    this.found.push([field, found]);
  }

  items(list: Field): readonly Field[] {
    return list.items().filter((item) => this.knows(item));
  }
}

/** Kubernetes takes a rule without peers for one with all of them. */
function expectPeers(peers: Field, judge: Pick<Judge, "knows" | "report" | "items">): void {
  if (!judge.knows(peers)) return;
  if (peers.items().length === 0) judge.report(peers, `is ${shown(peers.value)}, which is everywhere`);
  for (const peer of judge.items(peers)) {
    const range = peer.at("ipBlock", "cidr");
    if (judge.knows(range) && isWorld(String(range.value))) {
      judge.report(range, `is ${shown(range.value)}, which is everywhere`);
    }
  }
}

/**
 * Two halves are the world as well, and so are their halves. What is wider than a /8, as wide as the largest private
 * range and the largest block that one owner has, is nobody's network; of IPv6 what is wider than a /16, of which the
 * registries themselves have a fraction. The private addresses of IPv6 are a range of their own, the /7.
 */
function isWorld(range: string): boolean {
  const [address = "", length] = range.toLowerCase().split("/");
  if (!address.includes(":")) return Number(length) < 8;
  return Number(length) < (/^f[cd][0-9a-f]{2}:/.test(address) ? 7 : 16);
}

export const worldTrafficPolicies: readonly Policy[] = [noWorldEgress, noWorldIngress];
