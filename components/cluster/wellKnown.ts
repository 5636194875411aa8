import type { Flow, Pods } from "./flows";

/** The cluster's DNS, by the labels that it has everywhere. */
const dns: Pods = { namespace: "kube-system", labels: { "k8s-app": "kube-dns" } };

/** Whatever reads metrics: all Pods of the namespace that is kept for it. */
export const monitoring: Pods = { namespace: "monitoring", labels: {} };

/** Ports of the API server: of its Service and of the server itself. */
export const apiServerPorts = [{ port: 443 }, { port: 6443 }] as const;

/** Lets Pods look up names. */
export function dnsFlow(who: string, from: Pods): Flow {
  return {
    name: `${who}-to-dns`,
    from,
    to: dns,
    ports: [
      { port: 53, protocol: "UDP" },
      { port: 53, protocol: "TCP" },
    ],
    why: "Names of Services are looked up.",
    unguarded: "to",
  };
}
