import { network, ports } from "../network";
import { flags, pkiFolder, type Component } from "./component";
import { cipherSuites } from "./tls";

export function etcd(): Component {
  const client = `https://127.0.0.1:${ports.etcd}`;
  const metrics = `http://${network.nodeAddress}:${ports.etcdMetrics}`;
  return {
    name: "etcd",
    part: "control plane",
    nice: -5,
    health: { type: "http", url: `${metrics}/health` },
    command: [
      "/usr/bin/etcd",
      ...flags({
        name: network.nodeName,
        "data-dir": "/var/lib/etcd",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": `https://127.0.0.1:${ports.etcdPeer}`,
        "initial-advertise-peer-urls": `https://127.0.0.1:${ports.etcdPeer}`,
        "initial-cluster": `${network.nodeName}=https://127.0.0.1:${ports.etcdPeer}`,
        "listen-metrics-urls": metrics,
        "client-cert-auth": true,
        "cert-file": `${pkiFolder}/etcd.crt`,
        "key-file": `${pkiFolder}/etcd.key`,
        "trusted-ca-file": `${pkiFolder}/etcd-ca.crt`,
        "peer-client-cert-auth": true,
        "peer-cert-file": `${pkiFolder}/etcd.crt`,
        "peer-key-file": `${pkiFolder}/etcd.key`,
        "peer-trusted-ca-file": `${pkiFolder}/etcd-ca.crt`,
        "auto-tls": false,
        "peer-auto-tls": false,
        "cipher-suites": cipherSuites.join(","),
        "auto-compaction-mode": "periodic",
        "auto-compaction-retention": "1h",
        "snapshot-count": 10000,
        logger: "zap",
      }),
    ],
  };
}
