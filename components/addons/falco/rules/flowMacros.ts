import { argoRolloutsIdentity, argoRolloutsPorts } from "../../argoRollouts";
import { isPods, type Addresses, type Flow, type Pods } from "../../../cluster/flows";
import { apiServerName, loki } from "../../../cluster/wellKnown";
import { selectorLabels } from "../../../labels";
import { lokiGrpcPort } from "../../../monitoring/loki";
import { anyOf, valueList, type Macro } from "./rule";

/** Ports of Services that are other than those of the Pods behind them: a program sees the Service's. */
const servicePorts: Readonly<Record<number, number>> = { 8080: 80 };

/** Ports that Pods listen on for nobody but the kubelet or themselves, which no flow names. */
const probed: readonly { readonly pods: Pods; readonly port: number }[] = [
  {
    pods: { namespace: "delivery", labels: selectorLabels(argoRolloutsIdentity) },
    port: argoRolloutsPorts.healthz,
  },
  // With itself alone.
  { pods: loki.pods, port: lokiGrpcPort },
];

/** What the flow table allows, as conditions. */
export function flowMacros(flows: readonly Flow[], namespaces: readonly string[]): Macro[] {
  const own = (pods: Pods) => namespaces.includes(pods.namespace);
  const outgoing = flows.flatMap((flow) =>
    isPods(flow.from) && own(flow.from) ? [`${selected(flow.from)} and ${reached(flow)}`] : [],
  );
  const incoming = flows.flatMap(({ to, ports }) =>
    isPods(to) && own(to)
      ? [`${selected(to)} and fd.sport in ${valueList(ports.map(({ port }) => port))}`]
      : [],
  );
  const health = probed
    .filter(({ pods }) => own(pods))
    .map(({ pods, port }) => `${selected(pods)} and fd.sport = ${port}`);
  return [
    { macro: "expected_connection", condition: anyOf([...new Set(outgoing)]) },
    { macro: "expected_listener", condition: anyOf([...new Set([...incoming, ...health])]) },
  ];
}

function selected({ namespace, labels }: Pods): string {
  const parts = Object.entries(labels).map(([name, value]) => `k8s.pod.label[${name}] = ${value}`);
  return [`k8s.ns.name = ${namespace}`, ...parts].join(" and ");
}

/** A program sees the address of a Service, which is private, before it is translated into that of a Pod. */
function reached({ to, ports }: Flow): string {
  const numbers = ports.flatMap(({ port }) => {
    const published = servicePorts[port];
    return published === undefined || !isPods(to) ? [port] : [port, published];
  });
  return `fd.sport in ${valueList(numbers)} and fd.snet in (${rangesOf(to).join(", ")})`;
}

function rangesOf(to: Pods | Addresses): readonly string[] {
  if (isPods(to)) return ["private_ranges"];
  return to.who === apiServerName ? ["private_ranges", ...to.cidrs] : to.cidrs;
}
