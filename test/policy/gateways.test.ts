import { changed, outcome, type Path, stackOutcome, unknown } from "../support/policy";
import { gatewayListenersWithTls, noPlaintextRoutes } from "../../policy/gateways";
import { expect } from "chai";

const gatewayType = "kubernetes:gateway.networking.k8s.io/v1:Gateway";
const routeType = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute";

describe("policy/gateways", () => {
  describe(gatewayListenersWithTls.name, () => {
    const metadata = { name: "front", namespace: "gateway" };
    const gateway = {
      metadata,
      spec: {
        listeners: [
          { name: "http", protocol: "HTTP", port: 8000 },
          { name: "https", protocol: "HTTPS", port: 8443, tls: { certificateRefs: [{ name: "tls" }] } },
        ],
      },
    };
    const redirect = {
      metadata: { name: "redirect", namespace: "gateway" },
      spec: {
        parentRefs: [{ name: "front", sectionName: "http" }],
        rules: [{ filters: [{ type: "RequestRedirect", requestRedirect: { scheme: "https" } }] }],
      },
    };
    const application = {
      metadata: { name: "inventory", namespace: "inventory" },
      spec: {
        parentRefs: [{ name: "front", namespace: "gateway", sectionName: "https" }],
        rules: [{ backendRefs: [{ name: "inventory" }] }],
      },
    };
    const judged = (front: object, ...routes: readonly object[]) =>
      stackOutcome(gatewayListenersWithTls, {
        front: [gatewayType, front],
        ...Object.fromEntries(routes.map((route, index) => [`route${index}`, [routeType, route] as const])),
      });
    const violation = (path: string) => ({ front: { violations: [path], undecided: [] } });
    const plain = violation("spec.listeners[0].protocol");
    const first: Path = ["spec", "parentRefs", 0];

    it("accepts TLS beside a redirect to it", () => {
      expect(judged(gateway, redirect, application)).to.be.empty;
    });
    it("refuses plain HTTP that redirects nobody", () => {
      expect(judged(gateway)).to.deep.equal(plain);
      expect(judged(gateway, application)).to.deep.equal(plain);
    });
    it("refuses another route on it, by section, by port, or on all listeners", () => {
      for (const [key, value] of [
        ["sectionName", "http"],
        ["port", 8000],
        ["namespace", "gateway"],
      ] as const) {
        const open = changed(
          changed(application, [...first, "sectionName"], undefined),
          [...first, key],
          value,
        );
        expect(judged(gateway, redirect, open), key).to.deep.equal(plain);
      }
    });
    it("accepts routes of other gateways and other namespaces", () => {
      for (const [key, value] of [
        ["name", "other"],
        ["namespace", undefined],
        ["port", 8443],
      ] as const) {
        const open = changed(
          changed(application, [...first, "sectionName"], undefined),
          [...first, key],
          value,
        );
        expect(judged(gateway, redirect, open), key).to.be.empty;
      }
    });
    it("refuses a redirect that stays with http, or has a rule without one", () => {
      const filter: Path = ["spec", "rules", 0, "filters", 0];
      for (const route of [
        changed(redirect, [...filter, "requestRedirect", "scheme"], "http"),
        changed(redirect, [...filter, "requestRedirect", "scheme"], undefined),
        changed(redirect, [...filter, "type"], "URLRewrite"),
        changed(redirect, ["spec", "rules", 1], { backendRefs: [{ name: "web" }] }),
        changed(redirect, ["spec", "rules"], undefined),
      ]) {
        expect(judged(gateway, route)).to.deep.equal(plain);
      }
    });
    it("refuses TLS without a certificate, unless it is passed through", () => {
      const tls: Path = ["spec", "listeners", 1, "tls"];
      for (const value of [undefined, {}, { mode: "Terminate", certificateRefs: [] }]) {
        expect(judged(changed(gateway, tls, value), redirect)).to.deep.equal(
          violation("spec.listeners[1].tls"),
        );
      }
      const through = changed(gateway, ["spec", "listeners", 1], {
        name: "https",
        protocol: "TLS",
        tls: { mode: "Passthrough" },
      });
      expect(judged(through, redirect)).to.be.empty;
    });
    it("refuses other protocols, and none", () => {
      for (const protocol of ["TCP", "UDP", undefined]) {
        const other = changed(gateway, ["spec", "listeners", 0, "protocol"], protocol);
        expect(judged(other, redirect)).to.deep.equal(plain);
      }
    });
    it("says so when the gateway is unknown", () => {
      for (const path of [
        ["spec", "listeners"],
        ["spec", "listeners", 0, "protocol"],
        ["spec", "listeners", 1, "tls"],
        ["spec", "listeners", 1, "tls", "certificateRefs"],
      ] as Path[]) {
        const found = judged(changed(gateway, path, unknown), redirect).front;
        expect(found?.violations, path.join(".")).to.be.empty;
        expect(found?.undecided, path.join(".")).to.have.length(1);
      }
    });
    it("says so when the route is unknown", () => {
      for (const path of [
        [...first],
        [...first, "name"],
        [...first, "sectionName"],
        ["spec", "rules"],
        ["spec", "rules", 0, "filters", 0, "requestRedirect", "scheme"],
      ] as Path[]) {
        const found = judged(gateway, changed(redirect, path, unknown));
        expect(Object.keys(found), path.join(".")).to.deep.equal(["route0"]);
        expect(found.route0?.violations).to.be.empty;
        expect(found.route0?.undecided).not.to.be.empty;
      }
    });
  });

  describe(noPlaintextRoutes.name, () => {
    const judged = (spec: object, settings?: object, type = "kubernetes:traefik.io/v1alpha1:IngressRoute") =>
      outcome(noPlaintextRoutes, type, { spec }, settings);
    const secure = { tlsEntryPoints: ["websecure"] };

    it("accepts tls, and entry points that have it", () => {
      expect(judged({ tls: {} }).violations).to.be.empty;
      expect(judged({ entryPoints: ["websecure"] }, secure).violations).to.be.empty;
    });
    it("refuses anything else", () => {
      for (const spec of [{}, { entryPoints: [] }, { entryPoints: ["websecure", "web"] }]) {
        expect(judged(spec, secure).violations).to.deep.equal(["spec.tls"]);
      }
      const tcp = "kubernetes:traefik.io/v1alpha1:IngressRouteTCP";
      expect(judged({}, {}, tcp).violations).to.deep.equal(["spec.tls"]);
    });
    it("leaves a TraefikService behind the gateway alone", () => {
      expect(judged({}, {}, "kubernetes:traefik.io/v1alpha1:TraefikService").violations).to.be.empty;
    });
    it("says so when tls or the entry points are unknown", () => {
      expect(judged({ tls: unknown }).undecided).to.deep.equal(["spec.tls"]);
      expect(judged({ entryPoints: unknown })).to.deep.equal({
        violations: [],
        undecided: ["spec.entryPoints"],
      });
      expect(judged({ entryPoints: [unknown] }, secure)).to.deep.equal({
        violations: [],
        undecided: ["spec.entryPoints[0]"],
      });
    });
  });
});
