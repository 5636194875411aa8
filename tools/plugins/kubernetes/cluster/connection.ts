import { Discovery } from "./discovery";
import { KubernetesApi } from "./api";
import { ambientKubeconfig, selectTarget, type Selection, type Target } from "./kubeconfig";
import { Transport, type TransportOptions } from "./transport";
import { ConnectionError } from "./errors";

/** Long enough for a machine under load; a port that nobody listens on answers at once. */
const PROBE_SECONDS = 15;

export const HOW_TO_REACH_A_CLUSTER =
  "Point the stack at a cluster with `npm run pulumi -- config set kubernetes:context <context>` (and KUBECONFIG or " +
  "`kubernetes:kubeconfig`), or start the embedded one with `npm run cluster -- up`.";

/** The cluster of a stack, or why there is none that answers. */
export type Connection =
  | { readonly api: KubernetesApi; readonly reason?: undefined }
  | { readonly api?: undefined; readonly reason: string };

export interface ClusterLink {
  /** Where objects without a namespace go. */
  readonly namespace: string;
  /** Asks once whether the cluster answers; later calls give the same answer. */
  readonly connect: () => Promise<Connection>;
}

export async function linkCluster(selection: Selection, options: TransportOptions): Promise<ClusterLink> {
  let target: Target;
  try {
    const config = await ambientKubeconfig(selection.kubeconfig);
    if (!config) return unlinked(selection, "there is no kubeconfig");
    target = selectTarget(config, selection);
  } catch (error) {
    return unlinked(selection, `the kubeconfig cannot be used: ${(error as Error).message}`);
  }
  const transport = new Transport(target, options);
  const discovery = new Discovery(transport);
  let connection: Promise<Connection> | undefined;
  return {
    namespace: target.namespace,
    connect: () => (connection ??= probe(transport, new KubernetesApi(transport, discovery))),
  };
}

function unlinked({ namespace }: Selection, reason: string): ClusterLink {
  return { namespace: namespace || "default", connect: async () => ({ reason }) };
}

async function probe(transport: Transport, api: KubernetesApi): Promise<Connection> {
  try {
    await transport.once({ method: "GET", path: "/version" }, PROBE_SECONDS);
    return { api };
  } catch (error) {
    const message = (error as Error).message;
    if (error instanceof ConnectionError) return { reason: message };
    return { reason: `${transport.server} refused us: ${message}` };
  }
}
