import { network, ports, registryHost } from "../network";
import { configFolder, type Component } from "./component";

/** Registries whose names are looked up in the local registry first, as `<local>/<name>/<repository>`. */
export const mirroredRegistries: Readonly<Record<string, string>> = {
  "docker.io": "https://registry-1.docker.io",
  "registry.k8s.io": "https://registry.k8s.io",
  "quay.io": "https://quay.io",
  "ghcr.io": "https://ghcr.io",
};

export function containerd(pauseImage: string): Component {
  return {
    name: "containerd",
    part: "node",
    health: { type: "http", url: `http://${network.nodeAddress}:${ports.containerdMetrics}/v1/metrics` },
    files: {
      "containerd.toml": containerdConfiguration(pauseImage),
      "cni/10-technova.conflist": `${JSON.stringify(podNetwork(), undefined, 2)}\n`,
      ...registryHosts(),
    },
    command: ["/usr/bin/containerd", "--config", `${configFolder}/containerd.toml`],
  };
}

export function containerdConfiguration(pauseImage: string): string {
  return `version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
oom_score = 0

[grpc]
  address = "/run/containerd/containerd.sock"

[metrics]
  address = "${network.nodeAddress}:${ports.containerdMetrics}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  # Without CAP_SYS_RESOURCE runc may not lower the score of a container below that of its parent.
  restrict_oom_score_adj = true
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  max_concurrent_downloads = 6

[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "${configFolder}/registries"

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "${configFolder}/cni"
`;
}

/** One `hosts.toml` for each registry: the local one under its prefix, then the registry itself. */
export function registryHosts(): Record<string, string> {
  const local = `[host."http://${registryHost}"]\n  capabilities = ["pull", "resolve"]\n`;
  const files: Record<string, string> = {
    [`registries/${registryHost}/hosts.toml`]: `server = "http://${registryHost}"\n\n${local}`,
  };
  for (const [name, server] of Object.entries(mirroredRegistries)) {
    files[`registries/${name}/hosts.toml`] = [
      `server = "${server}"`,
      "",
      `[host."http://${registryHost}/v2/${name}"]`,
      '  capabilities = ["pull", "resolve"]',
      "  override_path = true",
      "",
    ].join("\n");
  }
  return files;
}

function podNetwork(): object {
  return {
    cniVersion: "1.0.0",
    name: "technova",
    plugins: [
      {
        // A link of its own for each Pod: what one says to another is routed by the node, so that no packet gets
        // past the rules for it, whatever its protocol.
        type: "ptp",
        ipMasq: true,
        mtu: network.mtu,
        ipam: {
          type: "host-local",
          ranges: [[{ subnet: network.nodePodCidr }]],
          routes: [{ dst: "0.0.0.0/0" }],
        },
      },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  };
}

export function dockerd(cgroup: string): Component {
  const configuration = {
    hosts: ["unix:///run/docker.sock"],
    containerd: "/run/containerd/containerd.sock",
    "data-root": "/var/lib/docker",
    "exec-root": "/run/docker",
    pidfile: "/run/docker.pid",
    bip: network.dockerBridge,
    "default-address-pools": [{ base: network.dockerPools, size: 24 }],
    mtu: network.mtu,
    "cgroup-parent": `/${cgroup}/docker`,
    "insecure-registries": [registryHost],
    "metrics-addr": `${network.nodeAddress}:${ports.dockerMetrics}`,
    experimental: true,
    "log-driver": "local",
    features: { buildkit: true },
  };
  return {
    name: "dockerd",
    part: "node",
    health: { type: "socket", path: "/run/docker.sock", url: "/_ping" },
    files: { "docker.json": `${JSON.stringify(configuration, undefined, 2)}\n` },
    command: ["/usr/sbin/dockerd", `--config-file=${configFolder}/docker.json`],
  };
}

export function registry(): Component {
  const configuration = {
    version: "0.1",
    log: { level: "warn", accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: "/var/lib/registry" },
      delete: { enabled: true },
      cache: { blobdescriptor: "inmemory" },
    },
    http: {
      // The node's own network; pods are kept out by a rule of the node.
      addr: `:${ports.registry}`,
      debug: {
        addr: `${network.nodeAddress}:${ports.registryMetrics}`,
        prometheus: { enabled: true, path: "/metrics" },
      },
    },
  };
  return {
    name: "registry",
    part: "node",
    health: { type: "http", url: `http://127.0.0.1:${ports.registry}/v2/` },
    // The registry reads YAML, of which JSON is a part.
    files: { "registry.yaml": `${JSON.stringify(configuration, undefined, 2)}\n` },
    command: ["/usr/bin/docker-registry", "serve", `${configFolder}/registry.yaml`],
  };
}
