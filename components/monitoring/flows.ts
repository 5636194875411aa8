import type { Flow } from "../cluster/flows";
import { apiServerAt, apiServerPorts, prometheus } from "../cluster/wellKnown";
import type { ClusterSettings } from "../config/platform";

/** What the monitoring may say. What it reads, each part of the platform lets it read. */
export function monitoringFlows({ apiServerCidrs }: ClusterSettings["network"]): Flow[] {
  return [
    {
      name: "prometheus-to-api-server",
      from: prometheus,
      to: apiServerAt(apiServerCidrs),
      ports: apiServerPorts,
      why: "Prometheus looks for Pods to read from.",
    },
  ];
}
