import { stringify } from "yaml";
import { network, ports } from "../network";
import { configFolder, flags, pkiFolder, type Component } from "./component";
import { cipherSuites, minimumTlsVersion } from "./tls";

export function kubelet(program: string, cgroup: string): Component {
  const configuration = {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: network.nodeAddress,
    port: ports.kubelet,
    healthzBindAddress: network.nodeAddress,
    healthzPort: ports.kubeletHealth,
    tlsCertFile: `${pkiFolder}/kubelet.crt`,
    tlsPrivateKeyFile: `${pkiFolder}/kubelet.key`,
    tlsMinVersion: minimumTlsVersion,
    tlsCipherSuites: [...cipherSuites],
    // The port without authentication.
    readOnlyPort: 0,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: `${pkiFolder}/ca.crt` },
    },
    authorization: { mode: "Webhook" },
    clusterDomain: network.domain,
    clusterDNS: [network.dnsService],
    resolvConf: "/etc/resolv.conf",
    containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${cgroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    serializeImagePulls: false,
    registryPullQPS: 0,
    nodeStatusUpdateFrequency: "10s",
    containerLogMaxSize: "10Mi",
    containerLogMaxFiles: 3,
    // The disk is the machine's: only a nearly full one is the node's business.
    imageGCHighThresholdPercent: 99,
    imageGCLowThresholdPercent: 95,
    evictionHard: { "memory.available": "200Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
    // A Pod that names no profile has the runtime's.
    seccompDefault: true,
    // Enough for a database with a process for each connection; a Pod that forks without end stops at it.
    podPidsLimit: 2048,
    eventRecordQPS: 50,
    eventBurst: 100,
    // The kernel is the machine's: the kubelet must not stop because its settings are others.
    protectKernelDefaults: false,
    enableProfilingHandler: false,
    enableDebugFlagsHandler: false,
    // It would show the node's own logs.
    enableSystemLogHandler: false,
  };
  return {
    name: "kubelet",
    part: "node",
    health: { type: "http", url: `http://${network.nodeAddress}:${ports.kubeletHealth}/healthz` },
    files: { "kubelet.yaml": stringify(configuration) },
    command: [
      program,
      ...flags({
        config: `${configFolder}/kubelet.yaml`,
        kubeconfig: `${configFolder}/kubelet.kubeconfig`,
        "hostname-override": network.nodeName,
        "node-ip": network.nodeAddress,
        "root-dir": "/var/lib/kubelet",
      }),
    ],
  };
}

export function kubeProxy(program: string): Component {
  const configuration = {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    mode: "nftables",
    bindAddress: network.nodeAddress,
    metricsBindAddress: `${network.nodeAddress}:${ports.kubeProxyMetrics}`,
    healthzBindAddress: `${network.nodeAddress}:${ports.kubeProxyHealth}`,
    clientConnection: { kubeconfig: `${configFolder}/kube-proxy.kubeconfig` },
    clusterCIDR: network.podCidr,
    hostnameOverride: network.nodeName,
    // Few services and one node: rather follow every change at once than gather changes for a second.
    nftables: { minSyncPeriod: "100ms", syncPeriod: "30s" },
    // The table of connections belongs to the machine; its size is not the node's to set.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
  };
  return {
    name: "kube-proxy",
    part: "node",
    nice: -5,
    health: { type: "http", url: `http://${network.nodeAddress}:${ports.kubeProxyHealth}/livez` },
    files: { "kube-proxy.yaml": stringify(configuration) },
    command: [program, ...flags({ config: `${configFolder}/kube-proxy.yaml` })],
  };
}

/** Enforces network policies, and does nothing else of what it could. */
export function kubeRouter(program: string): Component {
  const { first, last } = ports.nodePorts;
  return {
    name: "kube-router",
    part: "node",
    // A new Pod has no connections to guarded ones before its address is known here.
    nice: -5,
    health: { type: "http", url: `http://${network.nodeAddress}:${ports.kubeRouterHealth}/healthz` },
    command: [
      program,
      ...flags({
        kubeconfig: `${configFolder}/kube-router.kubeconfig`,
        "hostname-override": network.nodeName,
        "run-firewall": true,
        "run-router": false,
        "run-service-proxy": false,
        "enable-cni": false,
        "enable-ipv6": false,
        "service-cluster-ip-range": network.serviceCidr,
        "service-node-port-range": `${first}-${last}`,
        "health-port": ports.kubeRouterHealth,
      }),
    ],
  };
}
