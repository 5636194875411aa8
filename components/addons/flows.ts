import type { Flow, Pods } from "../cluster/flows";
import { apiServerAt, apiServerPorts, dnsFlow, metricsFlow, prometheus } from "../cluster/wellKnown";
import type { ClusterSettings, GatewaySettings } from "../config/platform";
import { prometheusPort } from "../monitoring/prometheus";
import { argoRolloutsPorts } from "./argoRollouts";
import { falcoFlows, type FalcoFlowsArgs } from "./falco/flows";
import { sealedSecretsFlows } from "./sealedSecrets/flows";
import { metricsServerLabels, metricsServerNamespace, metricsServerPort } from "./metricsServer";
import { traefikPorts } from "./traefikArguments";
import { veleroFlows, type VeleroFlowsArgs } from "./velero/flows";

export interface AddonFlowsArgs {
  readonly gateway: GatewaySettings;
  readonly network: ClusterSettings["network"];
  readonly metricsServer?: object;
  /** Left out where nothing opens sealed Secrets. */
  readonly sealedSecrets?: object;
  readonly gatewayPods: Pods;
  /** Left out where nothing drives releases. */
  readonly rolloutsPods?: Pods;
  /** Whether the platform brings its own monitoring. */
  readonly monitored: boolean;
  /** Left out where nothing watches the containers. */
  readonly falco?: FalcoFlowsArgs;
  /** Left out where nothing keeps the cluster. */
  readonly velero?: VeleroFlowsArgs;
}

const everywhere = ["0.0.0.0/0", "::/0"];
const kubeletPort = 10250;

/** What the add-ons may say, and who may speak to them. */
export function addonFlows(args: AddonFlowsArgs): Flow[] {
  const { gateway, network, metricsServer, gatewayPods, rolloutsPods, monitored } = args;
  const { service } = gateway;
  const users = service.type === "LoadBalancer" && service.sourceRanges ? service.sourceRanges : everywhere;
  return [
    {
      name: "users-to-gateway",
      from: { cidrs: users, who: "users" },
      to: gatewayPods,
      ports: [{ port: traefikPorts.http }, { port: traefikPorts.https }],
      why: "Requests of users.",
    },
    {
      name: "gateway-to-api-server",
      from: gatewayPods,
      to: apiServerAt(network.apiServerCidrs),
      ports: apiServerPorts,
      why: "Traefik watches routes, Services and certificates.",
    },
    metricsFlow("gateway", gatewayPods, traefikPorts.metrics, monitored),
    ...(rolloutsPods === undefined ? [] : rolloutsFlows(rolloutsPods, network, monitored)),
    ...(metricsServer === undefined ? [] : metricsServerFlows(network)),
    ...(args.sealedSecrets === undefined ? [] : sealedSecretsFlows(network.apiServerCidrs, monitored)),
    ...(args.falco === undefined ? [] : falcoFlows(args.falco)),
    ...(args.velero === undefined ? [] : veleroFlows(args.velero)),
  ];
}

function rolloutsFlows(
  pods: Pods,
  { apiServerCidrs }: ClusterSettings["network"],
  monitored: boolean,
): Flow[] {
  const questions: Flow = {
    name: "rollouts-to-prometheus",
    from: pods,
    to: prometheus,
    ports: [{ port: prometheusPort }],
    why: "What was measured decides over a release.",
  };
  return [
    {
      name: "rollouts-to-api-server",
      from: pods,
      to: apiServerAt(apiServerCidrs),
      ports: apiServerPorts,
      why: "The controller watches releases and moves them on.",
    },
    ...(monitored ? [questions] : []),
    metricsFlow("rollouts", pods, argoRolloutsPorts.metrics, monitored),
    dnsFlow("rollouts", pods),
  ];
}

/** Its namespace belongs to the cluster; these policies close its Pods all the same. */
function metricsServerFlows({ nodeCidrs, apiServerCidrs }: ClusterSettings["network"]): Flow[] {
  const pods: Pods = { namespace: metricsServerNamespace, labels: metricsServerLabels };
  return [
    {
      name: "metrics-server-to-kubelets",
      from: pods,
      to: { cidrs: nodeCidrs, who: "nodes" },
      ports: [{ port: kubeletPort }],
      why: "Each kubelet knows what its Pods use.",
    },
    {
      name: "metrics-server-to-api-server",
      from: pods,
      to: apiServerAt(apiServerCidrs),
      ports: apiServerPorts,
      why: "It watches nodes and checks who asks.",
    },
    {
      name: "api-server-to-metrics-server",
      from: apiServerAt(apiServerCidrs),
      to: pods,
      ports: [{ port: metricsServerPort }],
      why: "The API server passes questions for metrics on.",
    },
  ];
}
