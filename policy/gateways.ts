import { mayEqual, nameOf, namespaceOf, ofKind } from "./frame/matching";
import { type ObjectPolicy, type Policy, shown, type StackPolicy } from "./frame/policy";
import type { Field } from "./frame/field";
import type { Target } from "./frame/objects";

const area = "network";
const gatewayApi = "gateway.networking.k8s.io";

export const gatewayListenersWithTls: StackPolicy = {
  name: "gateway-listeners-with-tls",
  area,
  severity: "high",
  description:
    "Every listener of a Gateway serves TLS, or does nothing but send its clients to one that does.",
  why: "API keys travel in headers: without TLS everybody on the way can read them.",
  remedy: [
    "Give the listener protocol HTTPS and tls.certificateRefs with the Secret that holds the certificate.",
    "Where plain HTTP is to be answered, attach only an HTTPRoute whose rules redirect to scheme https.",
  ],
  link: "https://gateway-api.sigs.k8s.io/guides/tls/",
  checkStack(objects, judgeOf) {
    for (const gateway of ofKind(objects, gatewayApi, "Gateway")) {
      const judge = judgeOf(gateway);
      for (const listener of judge.items(gateway.root.at("spec", "listeners"))) {
        const protocol = listener.at("protocol");
        if (!judge.knows(protocol)) continue;
        if (protocol.value === "HTTPS" || protocol.value === "TLS") {
          const { violation, unknown } = certificateOf(listener);
          if (unknown !== undefined) judge.knows(unknown);
          else if (violation) judge.report(listener.at("tls"), "names no certificate");
          continue;
        }
        const routes = attachedRoutes(gateway, listener, objects);
        const unclear = routes.flatMap(([route, parent]) =>
          unknownsOf(route, parent).map((field) => [route, field] as const),
        );
        for (const [route, field] of unclear) judgeOf(route).knows(field);
        if (unclear.length > 0) continue;
        const redirects = routes.length > 0 && routes.every(([route]) => onlyRedirects(route));
        if (protocol.value !== "HTTP" || !redirects) {
          judge.report(
            protocol,
            `is ${shown(protocol.value)}, and not all that it does is redirect to https`,
          );
        }
      }
    }
  },
};

/** A listener that passes TLS through needs no certificate. */
function certificateOf(listener: Field): { violation: boolean; unknown: Field | undefined } {
  const tls = listener.at("tls");
  const [mode, references] = [tls.at("mode"), tls.at("certificateRefs")];
  const unknown = [mode, references].find((field) => field.unknown);
  const violation = mode.value !== "Passthrough" && references.items().length === 0;
  return { violation, unknown };
}

const routeKinds = ["HTTPRoute", "GRPCRoute", "TCPRoute", "UDPRoute", "TLSRoute"];

/** Routes of the stack that are attached to the listener, or may be, by the reference that does it. */
function attachedRoutes(gateway: Target, listener: Field, objects: readonly Target[]) {
  return ofKind(objects, gatewayApi, ...routeKinds).flatMap((route) =>
    route.root
      .at("spec", "parentRefs")
      .items()
      .filter((parent) => refersTo(parent, route, gateway, listener))
      .map((parent) => [route, parent] as const),
  );
}

/** A reference that leaves the namespace out means the route's own; one without a section, all listeners. */
function refersTo(parent: Field, route: Target, gateway: Target, listener: Field): boolean {
  const section = parent.at("sectionName");
  const port = parent.at("port");
  return (
    mayEqual(parent.at("name"), nameOf(gateway)) &&
    mayEqual(parent.at("namespace").or(namespaceOf(route)), namespaceOf(gateway)) &&
    (section.absent || mayEqual(section, listener.at("name"))) &&
    (port.absent || mayEqual(port, listener.at("port")))
  );
}

/** What keeps from being sure that the route is attached, and that it redirects. */
function unknownsOf({ root }: Target, parent: Field): readonly Field[] {
  const keys = ["name", "namespace", "sectionName", "port"];
  const fields = [parent, ...keys.map((key) => parent.at(key)), root.at("metadata", "namespace")];
  const rules = root.at("spec", "rules");
  const filters = rules.items().map((rule) => rule.at("filters").firstUnknown() ?? rule);
  return [...fields, rules, ...filters].filter((field) => field.unknown);
}

function onlyRedirects({ root }: Target): boolean {
  const rules = root.at("spec", "rules").items();
  return rules.length > 0 && rules.every((rule) => rule.at("filters").items().some(isRedirect));
}

function isRedirect(filter: Field): boolean {
  return (
    filter.at("type").value === "RequestRedirect" && filter.at("requestRedirect", "scheme").value === "https"
  );
}

export const noPlaintextRoutes: ObjectPolicy<{ tlsEntryPoints: readonly string[] }> = {
  name: "no-plaintext-routes",
  area,
  severity: "high",
  description: "No route of Traefik's own kind serves plain text.",
  why: "An IngressRoute without tls answers on Traefik's entry points by itself, past the gateway and its listeners.",
  remedy: [
    "Attach an HTTPRoute to the gateway instead.",
    "If it has to be an IngressRoute, set spec.tls, or keep it to entry points that serve TLS by themselves.",
  ],
  link: "https://doc.traefik.io/traefik/routing/providers/kubernetes-crd/#tls",
  parameters: {
    tlsEntryPoints: {
      type: "array",
      items: { type: "string" },
      description: "Entry points of Traefik that serve TLS whatever a route says.",
      default: [],
    },
  },
  kinds: ["IngressRoute", "IngressRouteTCP"],
  checkObject({ group, root }, judge, { tlsEntryPoints }) {
    if (group !== "traefik.io" && group !== "traefik.containo.us") return;
    const tls = root.at("spec", "tls");
    if (!judge.knows(tls) || !tls.absent) return;
    const entryPoints = root.at("spec", "entryPoints");
    if (!judge.knows(entryPoints)) return;
    // Without a list it is on all of them.
    const plain = judge.items(entryPoints).filter(({ value }) => !tlsEntryPoints.includes(String(value)));
    if (entryPoints.items().length === 0 || plain.length > 0) judge.report(tls, "is not set");
  },
};

export const gatewayPolicies: readonly Policy[] = [gatewayListenersWithTls, noPlaintextRoutes];
