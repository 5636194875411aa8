/** Addresses and ports of the cluster. The node is a network namespace of its own, one veth pair away. */
export const network = {
  /** The machine's end of the pair, and its name. */
  hostInterface: "technova0",
  hostAddress: "10.243.0.1",
  /** The node's end: `eth0` there. */
  nodeInterface: "eth0",
  nodeAddress: "10.243.0.2",
  linkPrefix: 30,
  /** Small enough for the tunnels that machines in clouds often sit behind. */
  mtu: 1400,
  podCidr: "10.244.0.0/16",
  nodePodCidr: "10.244.0.0/24",
  dockerBridge: "10.245.0.1/24",
  dockerPools: "10.246.0.0/16",
  serviceCidr: "10.96.0.0/16",
  apiService: "10.96.0.1",
  dnsService: "10.96.0.10",
  domain: "cluster.local",
  nodeName: "technova-local",
  /** Table of the machine's packet filter that forwards the ports below to the node; removed by `down`. */
  table: "technova",
} as const;

export const ports = {
  api: 6443,
  registry: 5050,
  nodePorts: { first: 30000, last: 32767 },
  etcd: 2379,
  etcdPeer: 2380,
  etcdMetrics: 2381,
  controllerManager: 10257,
  scheduler: 10259,
  kubelet: 10250,
  kubeletHealth: 10248,
  kubeProxyMetrics: 10249,
  kubeProxyHealth: 10256,
  kubeRouterHealth: 20244,
  containerdMetrics: 1338,
  dockerMetrics: 9323,
  registryMetrics: 5051,
} as const;

/** Name under which the registry is known to the node, to dockerd and to the machine. */
export const registryHost = `localhost:${ports.registry}`;

/** Rules that make the API, the registry and every NodePort answer on the machine's own 127.0.0.1. */
export function hostRules(): string {
  const { first, last } = ports.nodePorts;
  return [
    `table ip ${network.table} {}`,
    `delete table ip ${network.table}`,
    `table ip ${network.table} {`,
    "  chain output {",
    "    type nat hook output priority -100; policy accept;",
    `    ip daddr 127.0.0.1 tcp dport { ${ports.registry}, ${ports.api}, ${first}-${last} } dnat to ${network.nodeAddress}`,
    `    ip daddr 127.0.0.1 udp dport ${first}-${last} dnat to ${network.nodeAddress}`,
    "  }",
    "  chain postrouting {",
    "    type nat hook postrouting priority 100; policy accept;",
    `    oifname "${network.hostInterface}" ip saddr 127.0.0.0/8 snat to ${network.hostAddress}`,
    `    ip saddr ${network.nodeAddress} oifname != "${network.hostInterface}" masquerade`,
    "  }",
    "}",
    "",
  ].join("\n");
}

/** Bit that kube-router sets on a packet which the policies let through; it knows a Pod some time after its start. */
const passedPolicies = "0x20000";

/**
 * Rules inside the node: pods have no business with etcd or with writing to the registry; and nobody speaks to a Pod or
 * for it but through its policies, not even while nothing is known of them yet. Names can be looked up at any time:
 * whoever has to ask twice waits for seconds.
 */
export function nodeRules(): string {
  const unknown = `ct state new meta mark & ${passedPolicies} == 0`;
  return [
    `table ip ${network.table} {}`,
    `delete table ip ${network.table}`,
    `table ip ${network.table} {`,
    "  chain input {",
    "    type filter hook input priority 0; policy accept;",
    `    iifname != { "lo", "${network.nodeInterface}" } tcp dport { ${ports.registry}, ${ports.etcd}, ${ports.etcdPeer} } reject`,
    "  }",
    "  chain forward {",
    // After the filter table, where kube-router's rules are.
    "    type filter hook forward priority 10; policy accept;",
    `    ip saddr ${network.podCidr} udp dport 53 accept`,
    `    ip saddr ${network.podCidr} ${unknown} drop`,
    `    ip daddr ${network.podCidr} ${unknown} drop`,
    "  }",
    "}",
    "",
  ].join("\n");
}
