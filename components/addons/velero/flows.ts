import type { Flow } from "../../cluster/flows";
import { apiServerAt, apiServerPorts, dnsFlow, metricsFlow } from "../../cluster/wellKnown";
import type { ClusterSettings } from "../../config/platform";
import type { VeleroSettings } from "../../config/velero";
import { storePort } from "../../delivery/store";
import { selectorLabels } from "../../labels";
import { backupNamespace, nodeAgentIdentity, serverIdentity, veleroLabels, veleroPort } from "./identities";

export interface VeleroFlowsArgs {
  readonly settings: VeleroSettings;
  readonly network: ClusterSettings["network"];
  readonly monitored: boolean;
}

/** Objects come from the API server, and everything goes into the bucket. */
export function veleroFlows({ settings, network, monitored }: VeleroFlowsArgs): Flow[] {
  const all = { namespace: backupNamespace, labels: veleroLabels };
  const pods = (identity: typeof serverIdentity) => ({ ...all, labels: selectorLabels(identity) });
  return [
    {
      name: "velero-to-api-server",
      from: all,
      to: apiServerAt(network.apiServerCidrs),
      ports: apiServerPorts,
      why: "Velero reads the cluster's objects and writes down what it did.",
    },
    {
      name: "velero-to-store",
      from: all,
      to: { cidrs: settings.store.cidrs, who: "store of the cluster's backups" },
      ports: [{ port: storePort(settings.store) }],
      why: "Backups are kept outside of the cluster.",
    },
    dnsFlow("velero", all),
    metricsFlow("velero", pods(serverIdentity), veleroPort, monitored),
    ...(settings.nodeAgent.enabled
      ? [metricsFlow("velero-node-agents", pods(nodeAgentIdentity), veleroPort, monitored)]
      : []),
  ];
}
