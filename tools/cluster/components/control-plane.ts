import { stringify } from "yaml";
import { network, ports } from "../network";
import { configFolder, flags, pkiFolder, type Component } from "./component";
import { encryptionFile } from "../pki";
import { auditPolicy } from "./audit-policy";
import { tlsFlags } from "./tls";

export function apiserver(program: string): Component {
  return {
    name: "kube-apiserver",
    part: "control plane",
    nice: -5,
    health: { type: "https", url: `https://127.0.0.1:${ports.api}/readyz` },
    files: { "audit-policy.yaml": stringify(auditPolicy) },
    command: [
      program,
      ...flags({
        "advertise-address": network.nodeAddress,
        "secure-port": ports.api,
        // Whoever asks whether it works, shows a certificate too.
        "anonymous-auth": false,
        ...tlsFlags,
        "etcd-servers": `https://127.0.0.1:${ports.etcd}`,
        "etcd-cafile": `${pkiFolder}/etcd-ca.crt`,
        "etcd-certfile": `${pkiFolder}/apiserver-etcd-client.crt`,
        "etcd-keyfile": `${pkiFolder}/apiserver-etcd-client.key`,
        "tls-cert-file": `${pkiFolder}/apiserver.crt`,
        "tls-private-key-file": `${pkiFolder}/apiserver.key`,
        "client-ca-file": `${pkiFolder}/ca.crt`,
        "kubelet-certificate-authority": `${pkiFolder}/ca.crt`,
        "kubelet-client-certificate": `${pkiFolder}/apiserver-kubelet-client.crt`,
        "kubelet-client-key": `${pkiFolder}/apiserver-kubelet-client.key`,
        "kubelet-preferred-address-types": "InternalIP",
        "service-account-issuer": `https://kubernetes.default.svc.${network.domain}`,
        // The token of an account that was deleted opens nothing any more.
        "service-account-lookup": true,
        // An hour, and not a year, for those who never read theirs anew.
        "service-account-extend-token-expiration": false,
        "service-account-key-file": `${pkiFolder}/service-account.pub`,
        "service-account-signing-key-file": `${pkiFolder}/service-account.key`,
        "service-cluster-ip-range": network.serviceCidr,
        "service-node-port-range": `${ports.nodePorts.first}-${ports.nodePorts.last}`,
        "authorization-mode": "Node,RBAC",
        // Beside those that are on by themselves: a node changes its own objects only, and no Service takes an address
        // of the network's for its own.
        "enable-admission-plugins": "NodeRestriction,DenyServiceExternalIPs",
        "allow-privileged": true,
        profiling: false,
        "requestheader-client-ca-file": `${pkiFolder}/front-proxy-ca.crt`,
        "requestheader-allowed-names": "front-proxy-client",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-username-headers": "X-Remote-User",
        "proxy-client-cert-file": `${pkiFolder}/front-proxy-client.crt`,
        "proxy-client-key-file": `${pkiFolder}/front-proxy-client.key`,
        "encryption-provider-config": `${pkiFolder}/${encryptionFile}`,
        "audit-policy-file": `${configFolder}/audit-policy.yaml`,
        "audit-log-path": "/var/log/technova/audit.log",
        "audit-log-maxage": 7,
        "audit-log-maxbackup": 3,
        "audit-log-maxsize": 20,
      }),
    ],
  };
}

export function controllerManager(program: string): Component {
  const kubeconfig = `${configFolder}/controller-manager.kubeconfig`;
  return {
    name: "kube-controller-manager",
    part: "control plane",
    nice: -5,
    health: { type: "https", url: `https://${network.nodeAddress}:${ports.controllerManager}/healthz` },
    command: [
      program,
      ...flags({
        kubeconfig,
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "bind-address": network.nodeAddress,
        "secure-port": ports.controllerManager,
        ...tlsFlags,
        "tls-cert-file": `${pkiFolder}/controller-manager.crt`,
        "tls-private-key-file": `${pkiFolder}/controller-manager.key`,
        "client-ca-file": `${pkiFolder}/ca.crt`,
        "requestheader-client-ca-file": `${pkiFolder}/front-proxy-ca.crt`,
        "root-ca-file": `${pkiFolder}/ca.crt`,
        "cluster-signing-cert-file": `${pkiFolder}/ca.crt`,
        "cluster-signing-key-file": `${pkiFolder}/ca.key`,
        "service-account-private-key-file": `${pkiFolder}/service-account.key`,
        "use-service-account-credentials": true,
        "terminated-pod-gc-threshold": 1000,
        "allocate-node-cidrs": true,
        "cluster-cidr": network.podCidr,
        "service-cluster-ip-range": network.serviceCidr,
        "leader-elect": false,
        profiling: false,
      }),
    ],
  };
}

export function scheduler(program: string): Component {
  const kubeconfig = `${configFolder}/scheduler.kubeconfig`;
  return {
    name: "kube-scheduler",
    part: "control plane",
    health: { type: "https", url: `https://${network.nodeAddress}:${ports.scheduler}/healthz` },
    command: [
      program,
      ...flags({
        kubeconfig,
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "bind-address": network.nodeAddress,
        "secure-port": ports.scheduler,
        ...tlsFlags,
        "tls-cert-file": `${pkiFolder}/scheduler.crt`,
        "tls-private-key-file": `${pkiFolder}/scheduler.key`,
        "client-ca-file": `${pkiFolder}/ca.crt`,
        "requestheader-client-ca-file": `${pkiFolder}/front-proxy-ca.crt`,
        "leader-elect": false,
        profiling: false,
      }),
    ],
  };
}
