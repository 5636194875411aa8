import { expect } from "chai";
import fc from "fast-check";
import { connects, contains, matches, type Endpoint, type Policy } from "../../support/networkModel";

const namespaces = ["a", "b"];
const labels = fc.record({ app: fc.constantFrom("x", "y") });
const port = fc.integer({ min: 1, max: 5 });
const endpoint: fc.Arbitrary<Endpoint> = fc.record({
  name: fc.constant("pod"),
  address: fc.constantFrom("10.0.0.1", "10.0.1.1", "192.0.2.1"),
  pod: fc.record({
    namespace: fc.constantFrom(...namespaces),
    namespaceLabels: fc.constant({}),
    labels,
    ports: fc.constant([{ name: "http", port: 3, protocol: "TCP" }]),
  }),
});
const selector = fc.oneof(fc.constant({}), fc.record({ matchLabels: labels }));
const peer = fc.oneof(
  fc.record({ podSelector: selector }),
  fc.record({ namespaceSelector: fc.constant({ matchLabels: { "kubernetes.io/metadata.name": "b" } }) }),
  fc.record({ ipBlock: fc.record({ cidr: fc.constantFrom("10.0.0.0/24", "0.0.0.0/0") }) }),
);
const ports = fc.array(fc.record({ port: fc.oneof(port, fc.constant("http")) }), { maxLength: 2 });
const policy: fc.Arbitrary<Policy> = fc.record({
  namespace: fc.constantFrom(...namespaces),
  spec: fc.record({
    podSelector: selector,
    policyTypes: fc.constant(["Ingress", "Egress"]),
    ingress: fc.array(fc.record({ from: fc.array(peer, { maxLength: 2 }), ports }), { maxLength: 2 }),
    egress: fc.array(fc.record({ to: fc.array(peer, { maxLength: 2 }), ports }), { maxLength: 2 }),
  }),
});
const policies = fc.array(policy, { maxLength: 4 });
const closed: readonly Policy[] = namespaces.map((namespace) => ({
  namespace,
  spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
}));

describe("the model of network policies", () => {
  it("lets everything through where there is no policy, and nothing where all are closed", () => {
    fc.assert(
      fc.property(endpoint, endpoint, port, (from, to, number) => {
        expect(connects([], from, to, number, "TCP")).to.equal(true);
        expect(connects(closed, from, to, number, "TCP")).to.equal(false);
      }),
    );
  });

  it("does not depend on the order of the policies, or on one that stands there twice", () => {
    fc.assert(
      fc.property(policies, endpoint, endpoint, port, (some, from, to, number) => {
        const before = connects(some, from, to, number, "TCP");
        expect(connects([...some, ...some].reverse(), from, to, number, "TCP")).to.equal(before);
      }),
    );
  });

  it("never lets less through for another policy of a namespace that is closed", () => {
    fc.assert(
      fc.property(policies, policy, endpoint, endpoint, port, (some, more, from, to, number) => {
        const before = connects([...closed, ...some], from, to, number, "TCP");
        fc.pre(before);
        expect(connects([...closed, ...some, more], from, to, number, "TCP")).to.equal(true);
      }),
    );
  });

  it("needs both ends: what one of them does not allow, the other cannot", () => {
    fc.assert(
      fc.property(policies, endpoint, endpoint, port, (some, from, to, number) => {
        const only = (type: "Ingress" | "Egress") =>
          [...closed, ...some].map(({ namespace, spec }) => ({
            namespace,
            spec: { ...spec, policyTypes: [type] },
          }));
        expect(connects([...closed, ...some], from, to, number, "TCP")).to.equal(
          connects(only("Egress"), from, to, number, "TCP") &&
            connects(only("Ingress"), from, to, number, "TCP"),
        );
      }),
    );
  });

  it("knows which addresses are in a range", () => {
    const number = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    const address = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
    fc.assert(
      fc.property(number, number, fc.integer({ min: 0, max: 32 }), (range, value, length) => {
        const size = 2 ** (32 - length);
        expect(contains(`${address(range)}/${length}`, address(value))).to.equal(
          Math.floor(range / size) === Math.floor(value / size),
        );
      }),
    );
    expect(contains("::/0", "2001:db8::1")).to.equal(true);
    expect(contains("2001:db8::/32", "2001:db8:0:1::9")).to.equal(true);
    expect(contains("2001:db8::/32", "2001:db9::1")).to.equal(false);
    expect(contains("0.0.0.0/0", "2001:db8::1")).to.equal(false);
  });

  it("knows exceptions, ranges of ports, protocols and what is meant where types are left out", () => {
    const pod = (name: string, address: string): Endpoint => ({
      name,
      address,
      pod: { namespace: "a", namespaceLabels: {}, labels: { app: name }, ports: [] },
    });
    const [x, y] = [pod("x", "10.0.0.1"), pod("y", "10.0.0.2")];
    const rule: Policy = {
      namespace: "a",
      spec: {
        podSelector: { matchExpressions: [{ key: "app", operator: "In", values: ["y"] }] },
        ingress: [
          {
            from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.0.0.1/32"] } }],
            ports: [{ port: 10, endPort: 12, protocol: "UDP" }],
          },
        ],
      },
    };
    const outside: Endpoint = { name: "outside", address: "10.9.9.9" };
    expect(connects([rule], outside, y, 12, "UDP")).to.equal(true);
    expect(connects([rule], outside, y, 13, "UDP")).to.equal(false);
    expect(connects([rule], outside, y, 12, "TCP")).to.equal(false);
    expect(connects([rule], x, y, 12, "UDP")).to.equal(false);
    expect(connects([rule], y, x, 12, "UDP"), "egress, for which it is no policy").to.equal(true);
    const expression = (operator: string) => ({ matchExpressions: [{ key: "k", operator, values: ["v"] }] });
    const told = ["In", "NotIn", "Exists", "DoesNotExist"].map((operator) =>
      [{ k: "v" }, { k: "w" }, {}].map((each) =>
        matches(expression(operator), each as Record<string, string>),
      ),
    );
    expect(told).to.deep.equal([
      [true, false, false],
      [false, true, true],
      [true, true, false],
      [false, false, true],
    ]);
  });
});
