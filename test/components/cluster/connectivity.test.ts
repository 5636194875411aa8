import { expect } from "chai";
import { entriesOf } from "../../../components/cluster/flowTable";
import type { Flow, Peer } from "../../../components/cluster/flows";
import {
  configurations,
  connections,
  isInTable,
  networkOf,
  podOf,
  type Network,
} from "../../support/network";
import type { Endpoint } from "../../support/networkModel";
import type { Workload } from "../../support/workloads";

/**
 * What the rendered policies let through, computed from them alone, against what the table says. Every Pod that a
 * stack starts is there, strangers beside each of them, and somebody in and outside of every address range.
 */
describe("the network policies", () => {
  for (const [name, config] of Object.entries(configurations)) {
    describe(`of ${name}`, () => {
      let network: Network;
      before(async () => {
        network = await networkOf(config());
      });

      it("let through what the table says, and nothing else", () => {
        // No range of the settings has the Pods in it, as it should be.
        const { actual, expected } = compared(network, "100.64.0.");
        expect(expected.size).to.be.greaterThan(20);
        expect(difference(expected, actual), "in the table, and not possible").to.deep.equal([]);
        expect(difference(actual, expected), "possible, and not in the table").to.deep.equal([]);
      });

      it("let nobody else in where the ranges for API server and nodes cover the Pods, too", () => {
        const { actual, expected } = compared(network, "10.244.0.");
        const more = difference(actual, expected).filter((connection) => {
          const [, from, to] = /^(.*) -> (.*) \S+$/.exec(connection) ?? [];
          return from !== to;
        });
        expect(difference(expected, actual)).to.deep.equal([]);
        expect(more, "possible, and not in the table").to.deep.equal([]);
      });
    });
  }
});

describe("the comparison", () => {
  it("notices each policy that is missing, and one too many", async () => {
    const network = await networkOf(configurations.production?.() ?? {});
    const exceptions = network.policies.filter(({ spec }) => spec.ingress ?? spec.egress);
    expect(exceptions.length).to.be.greaterThan(20);
    const { expected } = compared(network, "100.64.0.");
    // A policy is about the Pods of its namespace.
    const places = new Set(exceptions.map(({ namespace }) => namespace));
    const meant = new Map(
      [...places].map((name) => [name, compared(network, "100.64.0.", undefined, name).expected]),
    );
    for (const missing of exceptions) {
      const { namespace } = missing;
      const expected = meant.get(namespace);
      const policies = network.policies.filter((policy) => policy !== missing);
      const { actual } = compared({ ...network, policies }, "100.64.0.", expected, namespace);
      // Where no policy closes a whole namespace, one too few is one way too many.
      if (expected === undefined) throw new Error(`nothing is meant to come about in ${namespace}`);
      const noticed = [...difference(expected, actual), ...difference(actual, expected)];
      expect(noticed, JSON.stringify(missing)).not.to.deep.equal([]);
    }
    const open = {
      namespace: "inventory",
      spec: { podSelector: {}, policyTypes: ["Ingress"], ingress: [{}] },
    };
    const opened = { ...network, policies: [...network.policies, open] };
    const { actual } = compared(opened, "100.64.0.", expected);
    expect(difference(actual, expected)).not.to.deep.equal([]);
  });
});

/**
 * @param known what the table says, where that has been computed
 * @param only namespace that one of both ends has to be in
 */
function compared(network: Network, podNetwork: string, known?: ReadonlySet<string>, only?: string) {
  const entries = entriesOf(network.table);
  const endpoints = everybody(network, entries, podNetwork);
  const ports = new Set([22, 80, 12345]);
  for (const { ports: own } of [...entries, ...network.workloads])
    for (const { port } of own) ports.add(port);
  const { policies } = network;
  const isOurs = (endpoint: Endpoint) => isGuarded(network, endpoint);
  const isThere = ({ pod }: Endpoint) => only === undefined || pod?.namespace === only;
  const isMeant = (from: Endpoint, to: Endpoint) =>
    (isOurs(from) || isOurs(to)) && (isThere(from) || isThere(to));
  const inTable = (_: unknown, from: Endpoint, to: Endpoint, port: number, protocol: string) =>
    isInTable(entries, isOurs, { from, to, port, protocol });
  return {
    actual: connections(policies, endpoints, [...ports], isMeant),
    expected: known ?? connections(policies, endpoints, [...ports], isMeant, inTable),
  };
}

/** Whether the platform decides over a Pod: those of its namespaces, and those elsewhere that it starts. */
function isGuarded({ namespaces, workloads }: Network, { name, pod }: Endpoint): boolean {
  if (pod === undefined) return false;
  return namespaces.includes(pod.namespace) || workloads.some((workload) => workload.name === name);
}

function everybody(
  { workloads, namespaces }: Network,
  entries: readonly Flow[],
  podNetwork: string,
): Endpoint[] {
  const stranger = (namespace: string, labels: Record<string, string> = { app: "stranger" }): Workload => ({
    name: `a stranger in ${namespace}, ${Object.values(labels).join(" ")}`,
    namespace,
    labels,
    annotations: {},
    spec: {},
    ports: [],
  });
  const pods = [
    ...workloads,
    ...["default", "kube-system", ...namespaces].map((namespace) => stranger(namespace)),
    stranger("kube-system", { "k8s-app": "kube-dns" }),
    // The right labels in the wrong place.
    ...workloads.map(({ labels }, index) => ({ ...stranger("default", labels), name: `double ${index}` })),
  ];
  const ranges = new Set(entries.flatMap(({ from, to }) => [from, to]).flatMap(cidrsOf));
  const addresses = [...ranges].filter((range) => !range.endsWith("/0")).map((range) => addressIn(range));
  return [
    ...pods.map((pod, index) => podOf(pod, `${podNetwork}${index + 1}`)),
    ...[...addresses, "203.0.113.7", "2001:db8::7"].map((address) => ({ name: address, address })),
  ];
}

const cidrsOf = (peer: Peer): readonly string[] => ("cidrs" in peer ? peer.cidrs : []);

/** Some address of a range. */
function addressIn(range: string): string {
  const [address = ""] = range.split("/");
  return address.replace(/0$/, "9");
}

const difference = (a: ReadonlySet<string>, b: ReadonlySet<string>): string[] =>
  [...a].filter((each) => !b.has(each));
