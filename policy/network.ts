import { absentOrNot, isAbsent } from "./frame/tests";
import { type ObjectPolicy, type Policy, shown, type StackPolicy } from "./frame/policy";
import type { Field } from "./frame/field";
import type { Target } from "./frame/objects";

export const noLoadBalancerServices: ObjectPolicy<{ loadBalancerAllowed: boolean }> = {
  name: "no-load-balancer-services",
  area: "network",
  severity: "high",
  description: "No Service asks for a load balancer of its own where the stack does not allow it.",
  why: "A load balancer costs money and puts the service on the internet, past the gateway and its TLS.",
  remedy: [
    "Use type ClusterIP and route through the gateway.",
    "Where a load balancer is meant to be, as in production, set loadBalancerAllowed in policy/config/<stack>.json.",
  ],
  link: "https://kubernetes.io/docs/concepts/services-networking/service/#loadbalancer",
  parameters: {
    loadBalancerAllowed: {
      type: "boolean",
      description: "Whether the stack may have Services of type LoadBalancer.",
      default: false,
    },
  },
  kinds: ["Service"],
  checkObject({ root }, judge, { loadBalancerAllowed }) {
    if (!loadBalancerAllowed) {
      judge.expect(root.at("spec", "type"), {
        ...absentOrNot("LoadBalancer"),
        wanted: "ClusterIP or NodePort",
      });
    }
  },
};

export const noNodePortServices: ObjectPolicy<{ nodePortAllowed: boolean }> = {
  name: "no-node-port-services",
  area: "network",
  severity: "high",
  description: "No Service opens a port on every node where the stack does not allow it.",
  why: "The port is open on all nodes, past the gateway and its TLS, for whoever reaches one of them.",
  remedy: [
    "Use type ClusterIP and route through the gateway.",
    "Where the gateway itself is reached through nodes, set nodePortAllowed in policy/config/<stack>.json.",
  ],
  link: "https://kubernetes.io/docs/concepts/services-networking/service/#type-nodeport",
  parameters: {
    nodePortAllowed: {
      type: "boolean",
      description: "Whether the stack may have Services of type NodePort.",
      default: false,
    },
  },
  kinds: ["Service"],
  checkObject({ root }, judge, { nodePortAllowed }) {
    if (!nodePortAllowed) judge.expect(root.at("spec", "type"), absentOrNot("NodePort"));
  },
};

export const noExternalIps: ObjectPolicy = {
  name: "no-external-ips",
  area: "network",
  severity: "high",
  description: "No Service claims external IP addresses.",
  why: "Whoever may create such a Service can take over traffic to any address (CVE-2020-8554).",
  remedy: ["Remove spec.externalIPs and route through the gateway."],
  link: "https://github.com/kubernetes/kubernetes/issues/97076",
  kinds: ["Service"],
  checkObject({ root }, judge) {
    const accepts = (value: unknown) => isAbsent(value) || (Array.isArray(value) && value.length === 0);
    judge.expect(root.at("spec", "externalIPs"), { accepts, wanted: "absent" });
  },
};

export const ingressWithTls: ObjectPolicy = {
  name: "ingress-with-tls",
  area: "network",
  severity: "high",
  description: "Every Ingress serves TLS, for each of its hosts.",
  why: "API keys travel in headers: without TLS everybody on the way can read them.",
  remedy: [
    "Set spec.tls with the secret that holds the certificate of each host.",
    "Give each rule a host, and spec.tls the same: TLS is not served to hosts that it does not name.",
  ],
  link: "https://kubernetes.io/docs/concepts/services-networking/ingress/#tls",
  kinds: ["Ingress"],
  checkObject({ group, root }, judge) {
    if (group !== "networking.k8s.io" && group !== "extensions") return;
    const accepts = (value: unknown) => Array.isArray(value) && value.length > 0;
    const tls = root.at("spec", "tls");
    judge.expect(tls, { accepts, wanted: "a list of certificates" });
    if (tls.firstUnknown() !== undefined || !accepts(tls.value)) return;
    const hosts = tls.items().map((entry) => entry.at("hosts").items());
    // An entry that names no host is about all.
    if (hosts.some((names) => names.length === 0)) return;
    for (const rule of judge.items(root.at("spec", "rules"))) {
      const host = rule.at("host");
      const isServed = hosts.flat().some(({ value }) => covers(value, host.value));
      if (judge.knows(host) && !isServed)
        judge.report(host, `is ${shown(host.value)}, which is not among spec.tls`);
    }
  },
};

/** Whether the certificate's host is the rule's, with its wildcard in the place of one label. */
function covers(certified: unknown, host: unknown): boolean {
  if (typeof certified !== "string" || typeof host !== "string") return false;
  return certified === host || (certified.startsWith("*.") && host.replace(/^[^.*]+/, "*") === certified);
}

export const namespaceDefaultDeny: StackPolicy = {
  name: "namespace-default-deny",
  area: "network",
  severity: "high",
  description: "Every namespace of the stack denies all traffic that no network policy allows.",
  why: "Without it every pod of the cluster can reach every other, so one broken-into pod reaches the database.",
  remedy: [
    "Create a NetworkPolicy in the namespace with podSelector {} and policyTypes [Ingress, Egress], without rules.",
    "Allow the flows that are needed with further policies.",
  ],
  link: "https://kubernetes.io/docs/concepts/services-networking/network-policies/#default-deny-all-ingress-and-all-egress-traffic",
  checkStack(objects, judgeOf) {
    const policies = objects.filter(
      ({ kind, group }) => kind === "NetworkPolicy" && group === "networking.k8s.io",
    );
    for (const namespace of objects.filter(({ kind, group }) => kind === "Namespace" && group === "core")) {
      const judge = judgeOf(namespace);
      const name = namespace.root.at("metadata", "name");
      if (!judge.knows(name)) continue;
      const own = policies.filter(({ root }) => {
        const place = root.at("metadata", "namespace");
        return place.unknown || place.value === name.value;
      });
      const missing = ["Ingress", "Egress"].filter(
        (direction) => !own.some((policy) => denies(policy, direction)),
      );
      if (missing.length === 0) continue;
      // A policy of which something is unknown may be the one that is missing.
      const unclear = own.filter((policy) => unknownOf(policy) !== undefined);
      for (const policy of unclear) judgeOf(policy).knows(unknownOf(policy) ?? name);
      if (unclear.length === 0) {
        judge.report(
          name,
          `is ${shown(name.value)}, which has no policy that denies all ${missing.join(" and ")}`,
        );
      }
    }
  },
};

function unknownOf({ root }: Target): Field | undefined {
  return root.at("metadata", "namespace").firstUnknown() ?? root.at("spec").firstUnknown();
}

/** Selects every pod of its namespace and, for the direction, allows nothing. False if any of that is unknown. */
function denies(policy: Target, direction: string): boolean {
  if (unknownOf(policy) !== undefined) return false;
  const spec = policy.root.at("spec");
  const selectsAll = spec
    .at("podSelector")
    .entries()
    .every(([, part]) => part.entries().length === 0);
  const types = spec.at("policyTypes").items();
  const rules = spec.at(direction.toLowerCase()).items();
  return selectsAll && types.some(({ value }) => value === direction) && rules.length === 0;
}

export const networkPolicies: readonly Policy[] = [
  noLoadBalancerServices,
  noNodePortServices,
  noExternalIps,
  ingressWithTls,
  namespaceDefaultDeny,
];
