import { changed, outcome, stackOutcome, unknown } from "../support/policy";
import {
  ingressWithTls,
  namespaceDefaultDeny,
  noExternalIps,
  noLoadBalancerServices,
  noNodePortServices,
} from "../../policy/network";
import { expect } from "chai";

const service = (key: string, value: unknown) =>
  changed(
    { metadata: { name: "web", namespace: "inventory" }, spec: { ports: [{ port: 80 }] } },
    ["spec", key],
    value,
  );

describe("policy/network", () => {
  describe(noLoadBalancerServices.name, () => {
    const judged = (type: unknown, settings?: object) =>
      outcome(noLoadBalancerServices, "kubernetes:core/v1:Service", service("type", type), settings);

    it("accepts a service inside the cluster", () => {
      for (const type of [undefined, "ClusterIP", "NodePort"]) expect(judged(type).violations).to.be.empty;
    });
    it("refuses a load balancer", () => {
      expect(judged("LoadBalancer").violations).to.deep.equal(["spec.type"]);
    });
    it("accepts a load balancer where the stack allows it", () => {
      expect(judged("LoadBalancer", { loadBalancerAllowed: true }).violations).to.be.empty;
    });
    it("says so when the type is unknown", () => {
      expect(judged(unknown)).to.deep.equal({ violations: [], undecided: ["spec.type"] });
    });
    it("looks at patches of services too", () => {
      const patch = service("type", "LoadBalancer");
      expect(
        outcome(noLoadBalancerServices, "kubernetes:core/v1:ServicePatch", patch).violations,
      ).to.have.length(1);
    });
    it("leaves other kinds alone", () => {
      const other = service("type", "LoadBalancer");
      expect(outcome(noLoadBalancerServices, "kubernetes:apps/v1:Deployment", other).violations).to.be.empty;
    });
  });

  describe(noNodePortServices.name, () => {
    const judged = (type: unknown, settings?: object) =>
      outcome(noNodePortServices, "kubernetes:core/v1:Service", service("type", type), settings);

    it("accepts other services", () => {
      for (const type of [undefined, "ClusterIP", "LoadBalancer"]) {
        expect(judged(type).violations).to.be.empty;
      }
    });
    it("refuses node ports, unless the stack allows them", () => {
      expect(judged("NodePort").violations).to.deep.equal(["spec.type"]);
      expect(judged("NodePort", { nodePortAllowed: true }).violations).to.be.empty;
    });
    it("says so when the type is unknown", () => {
      expect(judged(unknown)).to.deep.equal({ violations: [], undecided: ["spec.type"] });
    });
  });

  describe(noExternalIps.name, () => {
    const judged = (value: unknown) =>
      outcome(noExternalIps, "kubernetes:core/v1:Service", service("externalIPs", value));

    it("accepts none", () => {
      for (const value of [undefined, []]) expect(judged(value).violations).to.be.empty;
    });
    it("refuses any", () => expect(judged(["192.0.2.1"]).violations).to.deep.equal(["spec.externalIPs"]));
    it("says so when they are unknown", () => {
      expect(judged([unknown]).undecided).to.deep.equal(["spec.externalIPs[0]"]);
    });
  });

  describe(ingressWithTls.name, () => {
    const judged = (tls: unknown) =>
      outcome(ingressWithTls, "kubernetes:networking.k8s.io/v1:Ingress", service("tls", tls)).violations;

    it("accepts certificates", () =>
      expect(judged([{ hosts: ["a.example"], secretName: "tls" }])).to.be.empty);
    it("refuses none", () => {
      for (const tls of [undefined, []]) expect(judged(tls)).to.deep.equal(["spec.tls"]);
    });

    const withRules = (hosts: unknown, ...rules: unknown[]) =>
      outcome(ingressWithTls, "kubernetes:networking.k8s.io/v1:Ingress", {
        spec: { tls: [{ hosts, secretName: "tls" }], rules: rules.map((host) => ({ host })) },
      });
    it("accepts hosts with a certificate, of their own or of a wildcard", () => {
      expect(withRules(["a.example", "b.example"], "a.example", "b.example").violations).to.be.empty;
      expect(withRules(["*.example"], "a.example", "*.example").violations).to.be.empty;
      for (const hosts of [undefined, []])
        expect(withRules(hosts, "a.example", undefined).violations).to.be.empty;
    });
    it("refuses hosts without one, and a rule for every host", () => {
      expect(withRules(["a.example"], "a.example", "b.example").violations).to.deep.equal([
        "spec.rules[1].host",
      ]);
      for (const host of ["a.b.example", "example", "b.other", "*.b.example", undefined, ""]) {
        expect(withRules(["*.example"], host).violations, host).to.deep.equal(["spec.rules[0].host"]);
      }
      expect(withRules(["a.example"], "*.example").violations).to.have.length(1);
    });
    it("says so when a host is unknown", () => {
      expect(withRules(["a.example"], unknown)).to.deep.equal({
        violations: [],
        undecided: ["spec.rules[0].host"],
      });
      expect(withRules([unknown], "a.example")).to.deep.equal({
        violations: [],
        undecided: ["spec.tls[0].hosts[0]"],
      });
    });
  });

  describe(namespaceDefaultDeny.name, () => {
    const namespace = ["kubernetes:core/v1:Namespace", { metadata: { name: "inventory" } }] as const;
    const policyType = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
    const denyAll = {
      metadata: { name: "default-deny", namespace: "inventory" },
      spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
    };
    const violation = { namespace: { violations: ["metadata.name"], undecided: [] } };
    const judged = (...policies: readonly object[]) =>
      stackOutcome(namespaceDefaultDeny, {
        namespace,
        ...Object.fromEntries(
          policies.map((policy, index) => [`policy${index}`, [policyType, policy] as const]),
        ),
      });

    it("accepts a policy that denies everything", () => expect(judged(denyAll)).to.be.empty);
    it("accepts one policy for each direction", () => {
      const only = (direction: string) => changed(denyAll, ["spec", "policyTypes"], [direction]);
      expect(judged(only("Ingress"), only("Egress"))).to.be.empty;
    });
    it("accepts a selector that is written out but empty", () => {
      expect(judged(changed(denyAll, ["spec", "podSelector"], { matchLabels: {}, matchExpressions: [] }))).to
        .be.empty;
    });
    it("refuses a namespace without a policy", () => expect(judged()).to.deep.equal(violation));
    const wrong: Record<string, object> = {
      "denies one direction only": changed(denyAll, ["spec", "policyTypes"], ["Ingress"]),
      "names no direction": changed(denyAll, ["spec", "policyTypes"], undefined),
      "selects some pods only": changed(denyAll, ["spec", "podSelector"], { matchLabels: { app: "web" } }),
      "lets something in": changed(denyAll, ["spec", "ingress"], [{}]),
      "is in another namespace": changed(denyAll, ["metadata", "namespace"], "other"),
    };
    for (const [what, policy] of Object.entries(wrong)) {
      it(`refuses a policy that ${what}`, () => expect(judged(policy)).to.deep.equal(violation));
    }
    it("says so when it is unknown where a policy is", () => {
      expect(judged(changed(denyAll, ["metadata", "namespace"], unknown))).to.deep.equal({
        policy0: { violations: [], undecided: ["metadata.namespace"] },
      });
    });
    for (const path of [
      ["spec", "podSelector"],
      ["spec", "policyTypes", 0],
      ["spec", "ingress"],
    ]) {
      it(`says so when ${path.join(".")} of the only policy is unknown`, () => {
        const [[, found] = []] = Object.entries(judged(changed(denyAll, path, unknown)));
        expect(found?.violations).to.be.empty;
        expect(found?.undecided).to.have.length(1);
      });
    }
    it("says so when the namespace's name is unknown", () => {
      const unnamed = ["kubernetes:core/v1:Namespace", { metadata: { name: unknown } }] as const;
      expect(stackOutcome(namespaceDefaultDeny, { unnamed })).to.deep.equal({
        unnamed: { violations: [], undecided: ["metadata.name"] },
      });
    });
  });
});
