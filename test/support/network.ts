import { flowTable, type FlowTable } from "../../components/cluster/flowTable";
import { types } from "./components";
import type { JsonObject, Recording, Registered } from "./mocks";
import type { Flow, Peer } from "../../components/cluster/flows";
import { connects, contains, selects, type Endpoint, type Policy } from "./networkModel";
import { goodConfig, load } from "./settings";
import { asEngineConfig, runProgram, stackConfig, stacks } from "./stacks";
import { get, text, workloads, type Workload } from "./workloads";

/** A stack as the mocks register it, and what its table says. */
export interface Network {
  readonly resources: readonly Registered[];
  readonly table: FlowTable;
  readonly workloads: readonly Workload[];
  readonly policies: readonly Policy[];
  /** Namespaces that the stack makes. */
  readonly namespaces: readonly string[];
}

const off: JsonObject = { enabled: false };

/** The three stacks, and one with as much and one with as little as the settings can say. */
export const configurations: Readonly<Record<string, () => Record<string, unknown>>> = {
  ...Object.fromEntries(stacks.map((stack) => [stack, () => stackConfig(stack)])),
  everything: () => {
    const config = goodConfig();
    const { database, ...application } = config["technova:application"] ?? {};
    const recovery = { snapshot: "latest" };
    return {
      ...config,
      "technova:monitoring": {
        alertmanager: { replicas: 2 },
        logs: { github: { organisation: "technova", existingSecret: "audit", cidrs: ["203.0.113.0/24"] } },
      },
      "technova:application": { ...application, database: { ...(database as JsonObject), recovery } },
    };
  },
  "the least": () => ({
    ...goodConfig(),
    "technova:monitoring": off,
    "technova:metricsServer": off,
    "technova:argoRollouts": off,
    "technova:falco": off,
    "technova:sealedSecrets": off,
    "technova:velero": off,
    "technova:github": off,
  }),
};

export async function networkOf(config: Record<string, unknown>): Promise<Network> {
  const secretKeys = "technova:secrets" in config ? ["technova:secrets"] : [];
  const { resources, all }: Recording<unknown> = await runProgram("staging", {
    config: asEngineConfig(config),
    secretKeys,
  });
  return {
    resources,
    table: flowTable(await load(config, secretKeys)),
    workloads: workloads(resources),
    policies: all(types.networkPolicy).map(({ inputs }) => ({
      namespace: text(get(inputs, "metadata", "namespace")) ?? "default",
      spec: inputs.spec as unknown as Policy["spec"],
    })),
    namespaces: all(types.namespace).flatMap(({ inputs }) => text(get(inputs, "metadata", "name")) ?? []),
  };
}

/** A Pod of a workload, at an address of its own. */
export function podOf({ name, namespace, labels, ports }: Workload, address: string): Endpoint {
  return { name, address, pod: { namespace, namespaceLabels: {}, labels, ports } };
}

/** Every connection that the policies let through, as `from -> to port/protocol`. */
export function connections(
  policies: readonly Policy[],
  endpoints: readonly Endpoint[],
  ports: readonly number[],
  isMeant: (from: Endpoint, to: Endpoint) => boolean,
  allowed: typeof connects = connects,
): Set<string> {
  const found = new Set<string>();
  // Asked once for each of them: there are thousands of connections.
  const of = new Map(endpoints.map((each) => [each, policies.filter((policy) => selects(policy, each))]));
  for (const from of endpoints) {
    for (const to of endpoints.filter((each) => isMeant(from, each))) {
      const own = [...new Set([...(of.get(from) ?? []), ...(of.get(to) ?? [])])];
      for (const port of ports) {
        for (const protocol of ["TCP", "UDP"]) {
          if (allowed(own, from, to, port, protocol))
            found.add(`${from.name} -> ${to.name} ${port}/${protocol}`);
        }
      }
    }
  }
  return found;
}

export interface Connection {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly port: number;
  readonly protocol: string;
}

/**
 * Whether an entry of the table lets a connection through.
 * @param isOurs whether the platform decides over a Pod
 */
export function isInTable(
  entries: readonly Flow[],
  isOurs: (endpoint: Endpoint) => boolean,
  { from, to, port, protocol }: Connection,
): boolean {
  return entries.some(
    (entry) =>
      isAt(entry.from, from, isOurs(from)) &&
      isAt(entry.to, to, isOurs(to)) &&
      entry.ports.some((each) => each.port === port && (each.protocol ?? "TCP") === protocol),
  );
}

/** A Pod is at an end of an entry by its labels; an address by its range, unless the platform knows whose it is. */
export function isAt(peer: Peer, endpoint: Endpoint, ours: boolean): boolean {
  if ("cidrs" in peer) return !ours && peer.cidrs.some((cidr) => contains(cidr, endpoint.address));
  const { pod } = endpoint;
  return (
    pod !== undefined &&
    pod.namespace === peer.namespace &&
    Object.entries(peer.labels).every(([key, value]) => pod.labels[key] === value)
  );
}
