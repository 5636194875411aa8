import { expect } from "chai";
import { parse } from "yaml";
import { declaredComponents, programOf } from "../../../tools/cluster/components";
import {
  containerdConfiguration,
  mirroredRegistries,
  registryHosts,
} from "../../../tools/cluster/components/containers";
import { programs } from "../../../tools/cluster/builds";
import { nodePackages } from "../../../tools/cluster/node-packages";
import { hostRules, network, nodeRules, ports } from "../../../tools/cluster/network";
import { clusterPaths } from "../../../tools/cluster/paths";
import { certificateExtensions, certificates } from "../../../tools/cluster/pki";

const paths = clusterPaths({ TECHNOVA_CLUSTER_DIR: "/srv/elsewhere" });
const all = declaredComponents(paths);

describe("components of the cluster", () => {
  it("keep all their data under the node's own folders", () => {
    for (const { name, command, files } of Object.values(all)) {
      expect(JSON.stringify([command, files]), name).to.not.include("/srv/elsewhere");
    }
  });

  it("show etcd to nobody without a certificate", () => {
    const flags = all.etcd.command;
    expect(flags).to.include("--client-cert-auth=true");
    expect(flags).to.include("--peer-client-cert-auth=true");
    for (const flag of ["--listen-client-urls=", "--listen-peer-urls="]) {
      expect(flags.find((value) => value.startsWith(flag))).to.match(/=https:\/\/127\.0\.0\.1:/);
    }
  });

  it("have an API server that authorises, audits and knows the aggregation layer", () => {
    const flags = all.apiserver.command.join(" ");
    expect(flags).to.include("--authorization-mode=Node,RBAC");
    expect(flags).to.include("--requestheader-client-ca-file=");
    expect(flags).to.include("--kubelet-certificate-authority=");
    expect(flags).to.match(/--audit-log-maxsize=\d+/);
    const policy = parse(all.apiserver.files?.["audit-policy.yaml"] ?? "") as {
      rules: { level: string; resources?: { resources?: string[] }[] }[];
    };
    const secrets = policy.rules.find((rule) =>
      rule.resources?.some(({ resources }) => resources?.includes("secrets")),
    );
    expect(secrets?.level).to.equal("Metadata");
    expect(policy.rules.map(({ level }) => level)).to.not.include("RequestResponse");
  });

  it("have a control plane that nobody speaks to without a name, nor by old TLS, and that is not profiled", () => {
    const { apiserver, controllerManager, scheduler, etcd } = all;
    expect(apiserver.command).to.include.members([
      "--anonymous-auth=false",
      "--service-account-lookup=true",
      "--service-account-extend-token-expiration=false",
      "--enable-admission-plugins=NodeRestriction,DenyServiceExternalIPs",
    ]);
    // A health check that shows no certificate would be refused by it.
    expect(apiserver.health.type).to.equal("https");
    for (const { name, command } of [apiserver, controllerManager, scheduler]) {
      expect(command, name).to.include.members(["--profiling=false", "--tls-min-version=VersionTLS12"]);
    }
    for (const { name, command } of [apiserver, controllerManager, scheduler, etcd]) {
      const suites = command.filter((flag) => /^--(tls-)?cipher-suites=/.test(flag));
      expect(suites, name).to.have.length(1);
      for (const suite of suites[0]?.split("=")[1]?.split(",") ?? []) {
        expect(suite, name).to.match(/^TLS_ECDHE_(ECDSA|RSA)_WITH_AES_(128|256)_GCM_SHA(256|384)$/);
      }
    }
    expect(etcd.command).to.include.members(["--auto-tls=false", "--peer-auto-tls=false"]);
  });

  it("have a kubelet that confines Pods and answers nobody without a right to ask", () => {
    const kubelet = parse(all.kubelet.files?.["kubelet.yaml"] ?? "") as Record<string, unknown>;
    expect(kubelet).to.deep.include({
      seccompDefault: true,
      podPidsLimit: 2048,
      readOnlyPort: 0,
      eventRecordQPS: 50,
      tlsMinVersion: "VersionTLS12",
      authorization: { mode: "Webhook" },
      protectKernelDefaults: false,
      enableProfilingHandler: false,
      enableDebugFlagsHandler: false,
      enableSystemLogHandler: false,
    });
    expect(kubelet.authentication).to.deep.include({
      anonymous: { enabled: false },
      webhook: { enabled: true },
    });
    expect(kubelet.tlsCipherSuites).to.include("TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
  });

  it("put pods into the node's own control group", () => {
    const kubelet = parse(all.kubelet.files?.["kubelet.yaml"] ?? "") as Record<string, unknown>;
    expect(kubelet.cgroupRoot).to.equal("/elsewhere");
    expect(kubelet.cgroupDriver).to.equal("cgroupfs");
    expect(kubelet.authentication).to.deep.include({ anonymous: { enabled: false } });
    expect(JSON.parse(all.dockerd.files?.["docker.json"] ?? "")).to.include({
      "cgroup-parent": "/elsewhere/docker",
    });
  });

  it("leave the machine's table of connections alone", () => {
    const proxy = parse(all.kubeProxy.files?.["kube-proxy.yaml"] ?? "") as Record<string, unknown>;
    expect(proxy.conntrack).to.include({ maxPerCore: 0, min: 0 });
  });

  it("have network policies enforced by something that takes no other part of the network", () => {
    const { command, health } = all.kubeRouter;
    expect(command).to.include("--run-firewall=true");
    for (const flag of ["run-router", "run-service-proxy", "enable-cni"]) {
      expect(command).to.include(`--${flag}=false`);
    }
    expect(command).to.include(`--service-cluster-ip-range=${network.serviceCidr}`);
    expect(command).to.include(`--health-port=${ports.kubeRouterHealth}`);
    expect(health).to.deep.include({
      url: `http://${network.nodeAddress}:${ports.kubeRouterHealth}/healthz`,
    });
    expect(nodePackages.include).to.include.members(["iptables", "ipset"]);
  });

  it("run the programs that are built for them", () => {
    expect(programOf(all.apiserver)).to.equal(programs.apiserver);
    expect(programOf(all.kubelet)).to.equal(programs.kubelet);
    expect(programOf(all.etcd)).to.equal(undefined);
  });
});

describe("containerd", () => {
  it("looks every upstream registry up in the local one first", () => {
    const hosts = registryHosts();
    for (const [name, server] of Object.entries(mirroredRegistries)) {
      const file = hosts[`registries/${name}/hosts.toml`];
      expect(file).to.include(`server = "${server}"`);
      expect(file).to.include(`[host."http://localhost:5050/v2/${name}"]`);
      expect(file).to.include("override_path = true");
    }
    expect(hosts["registries/localhost:5050/hosts.toml"]).to.not.include("override_path");
  });

  it("routes what Pods say to each other, so that every packet meets the node's rules", () => {
    const { plugins } = JSON.parse(all.containerd.files?.["cni/10-technova.conflist"] ?? "") as {
      plugins: { type: string; bridge?: string }[];
    };
    expect(plugins.map(({ type }) => type)).to.deep.equal(["ptp", "portmap"]);
  });

  it("takes the pause image it is given", () => {
    expect(containerdConfiguration("localhost:5050/p:1")).to.include('sandbox_image = "localhost:5050/p:1"');
  });
});

describe("packet filter of the machine", () => {
  it("forwards the API, the registry and every NodePort of 127.0.0.1, and nothing else", () => {
    const rules = hostRules()
      .split("\n")
      .filter((line) => line.includes("dnat"));
    expect(rules).to.have.length(2);
    for (const rule of rules) {
      expect(rule).to.include("ip daddr 127.0.0.1");
      expect(rule).to.include(`dnat to ${network.nodeAddress}`);
    }
    expect(rules[0]).to.include(`{ ${ports.registry}, ${ports.api}, 30000-32767 }`);
  });

  it("can be loaded again: the old table goes first", () => {
    expect(hostRules()).to.match(/^table ip technova \{\}\ndelete table ip technova\n/);
  });
});

describe("packet filter of the node", () => {
  it("lets nothing through to or from a Pod whose policies are not known yet, but questions for names", () => {
    const [, forward = ""] = nodeRules().split("chain forward {");
    const rules = forward.split("\n").filter((line) => /accept$|drop$/.test(line));
    expect(forward).to.match(/hook forward priority 10;/);
    const pods = network.podCidr;
    expect(rules.map((line) => line.trim())).to.deep.equal([
      `ip saddr ${pods} udp dport 53 accept`,
      `ip saddr ${pods} ct state new meta mark & 0x20000 == 0 drop`,
      `ip daddr ${pods} ct state new meta mark & 0x20000 == 0 drop`,
    ]);
  });
});

describe("certificates", () => {
  it("name the addresses under which servers are asked for", () => {
    const extensions = (name: string) => {
      const request = certificates.find((item) => item.name === name);
      if (request === undefined) throw new Error(`no certificate ${name}`);
      return certificateExtensions(request);
    };
    expect(extensions("apiserver")).to.include(`IP:${network.apiService}`).and.to.include("IP:127.0.0.1");
    expect(extensions("kubelet")).to.include(`IP:${network.nodeAddress}`);
    expect(extensions("admin")).to.include("extendedKeyUsage=clientAuth\n");
    expect(extensions("admin")).to.not.include("subjectAltName");
  });

  it("give only the administrator all rights", () => {
    const masters = certificates.filter(({ organization }) => organization === "system:masters");
    expect(masters.map(({ name }) => name)).to.deep.equal(["admin"]);
  });
});
