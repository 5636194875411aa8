import type { Flow } from "../cluster/flows";
import {
  alertmanager,
  apiServerAt,
  apiServerPorts,
  dnsFlow,
  githubAudit,
  loki,
  metricsFlow,
  prometheus,
  promtail,
} from "../cluster/wellKnown";
import type { AlertmanagerSettings, GitHubAuditSettings, MonitoringSettings } from "../config/monitoring";
import type { ClusterSettings } from "../config/platform";
import { gossipPort } from "./alertmanager";
import { promtailPort } from "./collecting";
import { prometheusPort } from "./prometheus";

/** What the monitoring may say. What it reads, each part of the platform lets it read. */
export function monitoringFlows(
  { alertmanager: alerts, logs }: MonitoringSettings,
  { apiServerCidrs }: ClusterSettings["network"],
): Flow[] {
  return [
    {
      name: "prometheus-to-api-server",
      from: prometheus,
      to: apiServerAt(apiServerCidrs),
      ports: apiServerPorts,
      why: "Prometheus looks for Pods to read from.",
    },
    {
      name: "api-server-to-prometheus",
      from: apiServerAt(apiServerCidrs),
      to: prometheus,
      ports: [{ port: prometheusPort }],
      why: "A rollback asks how well the service does, through the API server.",
    },
    ...(alerts === undefined ? [] : alertFlows(alerts)),
    ...(logs === undefined ? [] : logFlows(apiServerCidrs)),
    ...(logs?.github === undefined ? [] : githubFlows(logs.github)),
  ];
}

/** The port of `host:port`, or of a host alone. */
const portOf = (host: string, usual: number): number => Number(/:(\d+)$/.exec(host)?.[1] ?? usual);

function alertFlows({ replicas, receivers }: AlertmanagerSettings): Flow[] {
  const { pods, port } = alertmanager;
  const gossip: Flow = {
    name: "alertmanager-to-alertmanager",
    from: pods,
    to: pods,
    ports: [{ port: gossipPort }, { port: gossipPort, protocol: "UDP" }],
    why: "Replicas of Alertmanager tell each other what they have sent.",
  };
  return [
    dnsFlow("prometheus", prometheus),
    {
      name: "prometheus-to-alertmanager",
      from: prometheus,
      to: pods,
      // It is read from there, too.
      ports: [{ port }],
      why: "Prometheus tells what is wrong, and reads the metrics.",
    },
    ...(replicas > 1 ? [gossip] : []),
    ...(replicas > 1 || receivers.length > 0 ? [dnsFlow("alertmanager", pods)] : []),
    ...receivers.map((receiver): Flow => ({
      name: `alertmanager-to-${receiver.name}`,
      from: pods,
      to: { cidrs: receiver.cidrs, who: receiver.name },
      ports: [{ port: receiver.type === "email" ? portOf(receiver.smarthost, 25) : receiver.port }],
      why: `${receiver.name} is told what is wrong.`,
    })),
  ];
}

function githubFlows({ api, cidrs }: GitHubAuditSettings): Flow[] {
  return [
    dnsFlow("github-audit", githubAudit),
    {
      name: "github-audit-to-github",
      from: githubAudit,
      to: { cidrs, who: "GitHub" },
      ports: [{ port: portOf(new URL(api).host, 443) }],
      why: "What was done in the organisation is asked for.",
    },
    {
      name: "github-audit-to-loki",
      from: githubAudit,
      to: loki.pods,
      ports: [{ port: loki.port }],
      why: "It is written into the audit trail.",
    },
  ];
}

const logFlows = (apiServerCidrs: readonly string[]): Flow[] => [
  dnsFlow("promtail", promtail),
  {
    name: "api-server-to-loki",
    from: apiServerAt(apiServerCidrs),
    to: loki.pods,
    ports: [{ port: loki.port }],
    why: "The audit trail is read, and updates are written into it, through the API server.",
  },
  {
    name: "promtail-to-loki",
    from: promtail,
    to: loki.pods,
    ports: [{ port: loki.port }],
    why: "The logs of each node are kept by Loki.",
  },
  metricsFlow("loki", loki.pods, loki.port, true),
  metricsFlow("promtail", promtail, promtailPort, true),
];
