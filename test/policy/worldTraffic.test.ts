import { changed, outcome, unknown } from "../support/policy";
import { noWorldEgress, noWorldIngress } from "../../policy/worldTraffic";
import { expect } from "chai";

const type = "kubernetes:networking.k8s.io/v1:NetworkPolicy";

describe("policy/worldTraffic", () => {
  for (const [policy, direction, key] of [
    [noWorldEgress, "egress", "to"],
    [noWorldIngress, "ingress", "from"],
  ] as const) {
    describe(policy.name, () => {
      const path = `spec.${direction}[0].${key}`;
      const judged = (peers: unknown, namespace: unknown = "inventory", settings = {}) => {
        const rules = [changed({ ports: [{ port: 443 }] }, [key], peers)];
        return outcome(policy, type, { metadata: { namespace }, spec: { [direction]: rules } }, settings);
      };
      const range = (cidr: unknown) => [{ podSelector: {} }, { ipBlock: { cidr } }];

      it("accepts pods, namespaces and ranges", () => {
        expect(judged([{ namespaceSelector: {} }]).violations).to.be.empty;
        for (const cidr of [
          ...["10.0.0.0/8", "192.0.2.1/32", "172.16.0.0/12", "10.0.0.0/10"],
          ...["2001:db8::/32", "2600::/16", "fc00::/7", "fd00::/8"],
        ]) {
          expect(judged(range(cidr)).violations, cidr).to.be.empty;
        }
        expect(outcome(policy, type, { spec: { policyTypes: ["Ingress"] } }).violations).to.be.empty;
      });
      it("refuses everywhere", () => {
        for (const peers of [undefined, null, []]) expect(judged(peers).violations).to.deep.equal([path]);
        for (const cidr of ["0.0.0.0/0", "::/0"]) {
          expect(judged(range(cidr)).violations).to.deep.equal([`${path}[1].ipBlock.cidr`]);
        }
      });
      it("refuses a large part of everywhere", () => {
        for (const cidr of [
          ...["0.0.0.0/1", "128.0.0.0/1", "64.0.0.0/2", "10.0.0.0/7", "0.0.0.0/00"],
          ...["::/1", "8000::/1", "2000::/3", "2600::/15", "fc00::/6"],
        ]) {
          expect(judged(range(cidr)).violations, cidr).to.deep.equal([`${path}[1].ipBlock.cidr`]);
        }
      });
      it("looks at the policies of Kubernetes only", () => {
        const spec = { [direction]: [{}] };
        expect(outcome(policy, "kubernetes:crd.example/v1:NetworkPolicy", { spec }).violations).to.be.empty;
      });
      it("says so when peers are unknown", () => {
        for (const [peers, at] of [
          [unknown, path],
          [[unknown], `${path}[0]`],
          [range(unknown), `${path}[1].ipBlock.cidr`],
        ] as const) {
          expect(judged(peers)).to.deep.equal({ violations: [], undecided: [at] });
        }
      });
      if (policy === noWorldIngress) {
        it("accepts it at the gateway, whose namespaces the stack names", () => {
          expect(judged([], "gateway").violations).to.be.empty;
          expect(judged([], "edge", { gatewayNamespaces: ["edge"] }).violations).to.be.empty;
          expect(judged([], "gateway", { gatewayNamespaces: ["edge"] }).violations).to.have.length(1);
          expect(judged([], unknown)).to.deep.equal({ violations: [], undecided: ["metadata.namespace"] });
        });
      }
    });
  }
});
