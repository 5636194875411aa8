import { selectorLabels, type Identity } from "../labels";
import type { Addresses, Flow, Pods } from "./flows";

/** The cluster's DNS, by the labels that it has everywhere. */
const dns: Pods = { namespace: "kube-system", labels: { "k8s-app": "kube-dns" } };

export const prometheusIdentity: Identity = { name: "prometheus", component: "monitoring" };

/** What reads metrics; where it is not the platform's own, everything in its namespace may. */
export const prometheus: Pods = {
  namespace: "monitoring",
  labels: selectorLabels(prometheusIdentity),
};

/** Where alerts go, and where logs are kept: Services of those names in the same namespace. */
export const alertmanager = wellKnownService("alertmanager", 9093);
export const loki = wellKnownService("loki", 3100);

function wellKnownService(name: string, port: number) {
  const identity: Identity = { name, component: "monitoring" };
  const pods: Pods = { namespace: "monitoring", labels: selectorLabels(identity) };
  return { identity, pods, port, address: `http://${name}.${pods.namespace}.svc:${port}` };
}

/** What collects the logs, on every node. */
export const promtailIdentity: Identity = { name: "promtail", component: "monitoring" };
export const promtail: Pods = { namespace: "logging", labels: selectorLabels(promtailIdentity) };

/** What asks GitHub what was done in an organisation. */
export const githubAuditIdentity: Identity = { name: "github-audit", component: "monitoring" };
export const githubAudit: Pods = { namespace: "monitoring", labels: selectorLabels(githubAuditIdentity) };

/**
 * Lets metrics be read.
 * @param monitored whether the platform brings its own monitoring, and so guards that end too
 */
export function metricsFlow(who: string, to: Pods, port: number, monitored: boolean): Flow {
  return {
    name: `monitoring-to-${who}`,
    from: monitored ? prometheus : { ...prometheus, labels: {} },
    to,
    ports: [{ port }],
    why: "Prometheus reads the metrics.",
    ...(monitored ? {} : { unguarded: "from" }),
  };
}

export const apiServerName = "API server";

/** The API server, which is no Pod of the Pod network. */
export function apiServerAt(cidrs: readonly string[]): Addresses {
  return { cidrs, who: apiServerName };
}

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
