import { expect } from "chai";
import { Cluster } from "../../../components/cluster";
import { policiesOf } from "../../../components/cluster/flows";
import { neededNamespaces } from "../../../components/cluster/namespaces";
import { at, settingsWith, types } from "../../support/components";
import { register } from "../../support/mocks";

describe("the cluster", () => {
  const cluster = async () => {
    const settings = await settingsWith({
      cluster: { quotas: { inventory: { cpu: "128", pods: 40 } } },
    });
    return register(
      () =>
        new Cluster("cluster", {
          settings: settings.cluster,
          stack: "local",
          registries: ["registry.example"],
          namespaces: neededNamespaces(settings),
        }),
    );
  };

  it("closes every namespace before anything runs there", async () => {
    const { all, one } = await cluster();
    const namespaces = all(types.namespace).map(({ inputs }) => String(at(inputs, "metadata", "name")));
    expect(namespaces.sort()).to.deep.equal([
      "backup",
      "delivery",
      "falco",
      "gateway",
      "inventory",
      "monitoring",
      "sealing",
    ]);
    for (const namespace of namespaces) {
      const labels = at(one(types.namespace, `${namespace}-namespace`).inputs, "metadata", "labels");
      // Falco and Velero look into their nodes.
      const standard = ["backup", "falco"].includes(namespace) ? "privileged" : "restricted";
      expect(labels).to.include({ "pod-security.kubernetes.io/enforce": standard });
      const policy = one(types.networkPolicy, `${namespace}-default-deny`).inputs;
      expect(at(policy, "metadata", "namespace")).to.equal(namespace);
      expect(policy.spec).to.deep.equal({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
      expect(one(types.limitRange, `${namespace}-limits`).inputs).to.have.nested.property(
        "spec.limits[0].default",
      );
    }
  });

  it("has those namespaces alone that something lives in, and opens its nodes to none that can do without", async () => {
    const settings = await settingsWith({});
    const falco = settings.falco && {
      ...settings.falco,
      sensor: { ...settings.falco.sensor, enabled: false },
    };
    const velero = settings.velero && {
      ...settings.velero,
      nodeAgent: { ...settings.velero.nodeAgent, enabled: false },
    };
    expect([...new Set(neededNamespaces({ ...settings, falco, velero }).values())]).to.deep.equal([
      "restricted",
    ]);
    const least = { ...settings, argoRollouts: undefined, monitoring: undefined, sealedSecrets: undefined };
    expect([...neededNamespaces({ ...least, falco: undefined, velero: undefined }).keys()]).to.deep.equal([
      "gateway",
      "inventory",
    ]);
  });

  it("bounds what a namespace may use", async () => {
    const { one } = await cluster();
    expect(at(one(types.quota, "inventory-quota").inputs, "spec", "hard")).to.deep.equal({
      "limits.cpu": "128",
      "limits.memory": "32Gi",
      pods: "40",
      "requests.storage": "100Gi",
    });
    expect(at(one(types.quota, "gateway-quota").inputs, "spec", "hard", "requests.storage")).to.equal("0");
  });
});

describe("a flow", () => {
  const api = { namespace: "inventory", labels: { app: "api" } };
  const database = { namespace: "data", labels: { app: "db" } };
  const flow = { name: "a-to-b", from: api, to: database, ports: [{ port: 5432 }], why: "Data." };

  it("is let out at its source and in at its target", () => {
    const [egress, ingress] = policiesOf(flow);
    expect(egress).to.deep.equal({
      role: "a-to-b-egress",
      namespace: "inventory",
      spec: {
        podSelector: { matchLabels: { app: "api" } },
        policyTypes: ["Egress"],
        egress: [
          {
            to: [
              {
                namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "data" } },
                podSelector: { matchLabels: { app: "db" } },
              },
            ],
            ports: [{ port: 5432, protocol: "TCP" }],
          },
        ],
      },
    });
    expect(ingress?.namespace).to.equal("data");
    expect(ingress?.spec).to.deep.include({
      policyTypes: ["Ingress"],
      podSelector: { matchLabels: { app: "db" } },
    });
  });

  it("needs no policy where the platform guards nothing", () => {
    expect(policiesOf({ ...flow, unguarded: "to" }).map(({ role }) => role)).to.deep.equal(["a-to-b-egress"]);
    expect(
      policiesOf({ ...flow, from: { cidrs: ["10.0.0.0/8"], who: "users" } }).map(({ role }) => role),
    ).to.deep.equal(["a-to-b-ingress"]);
  });
});
