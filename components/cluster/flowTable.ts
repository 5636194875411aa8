import { argoRolloutsIdentity } from "../addons/argoRollouts";
import { addonFlows } from "../addons/flows";
import { falcoNamespace } from "../addons/falco";
import { receiverIdentity } from "../addons/falco/receiver";
import { sensorIdentity } from "../addons/falco/sensor";
import { eventTargets } from "../addons/falco/targets";
import { metricsServerNamespace } from "../addons/metricsServer";
import { traefikIdentity } from "../addons/traefik";
import type { Settings } from "../config";
import { applicationFlows } from "../delivery/flows";
import { selectorLabels, type Identity } from "../labels";
import { monitoringFlows } from "../monitoring/flows";
import { isPods, type Flow, type Peer, type Pods } from "./flows";
import { neededNamespaces } from "./namespaces";

/** All traffic that a stack allows, by the part of the platform that brings the policies for it. */
export interface FlowTable {
  readonly addons: readonly Flow[];
  readonly monitoring: readonly Flow[];
  readonly application: readonly Flow[];
}

export type FlowTableArgs = Pick<
  Settings,
  | "application"
  | "argoRollouts"
  | "cluster"
  | "falco"
  | "gateway"
  | "metricsServer"
  | "monitoring"
  | "sealedSecrets"
  | "velero"
>;

const pods = (namespace: string, identity: Identity): Pods => ({
  namespace,
  labels: selectorLabels(identity),
});

/**
 * The one table of allowed flows; `flows.md` shows it.
 * @throws Error that lists the entries that say the same, or what no policy could bring about
 */
export function flowTable(settings: FlowTableArgs): FlowTable {
  const { application, cluster, argoRollouts, falco, monitoring, velero } = settings;
  const { network } = cluster;
  const monitored = monitoring !== undefined;
  const gateway = pods("gateway", traefikIdentity);
  const table: FlowTable = {
    addons: addonFlows({
      gateway: settings.gateway,
      network,
      metricsServer: settings.metricsServer,
      sealedSecrets: settings.sealedSecrets,
      gatewayPods: gateway,
      rolloutsPods: argoRollouts && pods("delivery", argoRolloutsIdentity),
      monitored,
      falco: falco && {
        settings: falco,
        sensor: pods(falcoNamespace, sensorIdentity),
        receiver: pods(falcoNamespace, receiverIdentity),
        nodeCidrs: network.nodeCidrs,
        monitored,
        targets: eventTargets(monitoring),
      },
      velero: velero && { settings: velero, network, monitored },
    }),
    monitoring: monitored ? monitoringFlows(monitoring, network) : [],
    application: applicationFlows({
      identity: { name: "inventory", component: "api" },
      namespace: "inventory",
      gateway,
      database: application.database,
      snapshot: application.migration.snapshot,
      backup: application.backup,
      smokeTested: "smokeTest" in application.strategy,
      monitored,
      apiServerCidrs: network.apiServerCidrs,
    }),
  };
  const guarded = [...neededNamespaces(settings).keys()];
  const problems = problemsOf(entriesOf(table), guarded);
  if (problems.length > 0) throw new Error(`the table of allowed flows is wrong:\n${problems.join("\n")}`);
  return table;
}

/** Every entry of the table, in its order. */
export function entriesOf({ addons, monitoring, application }: FlowTable): readonly Flow[] {
  return [...addons, ...monitoring, ...application];
}

/**
 * What is wrong with entries, each by itself and together.
 * @param guarded names of the namespaces in which nothing is allowed that no entry names
 */
export function problemsOf(flows: readonly Flow[], guarded: readonly string[]): string[] {
  return [
    ...flows.flatMap((flow) => impossible(flow, guarded).map((problem) => `  ${flow.name}: ${problem}`)),
    ...flows.flatMap((flow, index) =>
      flows
        .slice(0, index)
        .filter((earlier) => flow.name === earlier.name || saysTheSame(flow, earlier))
        .map((earlier) => `  ${flow.name}: says what ${earlier.name} says`),
    ),
  ];
}

function impossible(flow: Flow, guarded: readonly string[]): string[] {
  const { from, to, ports, unguarded, why } = flow;
  const problems: string[] = [];
  // Kubernetes takes an empty list for everything.
  if (ports.length === 0) problems.push("has no ports, which would allow every one");
  if (why === "") problems.push("does not say why");
  if (!isPods(from) && !isPods(to)) problems.push("is between addresses, which no policy selects");
  for (const [end, peer] of [
    ["from", from],
    ["to", to],
  ] as const) {
    if (!isPods(peer)) {
      if (peer.cidrs.length === 0) problems.push(`${end} has no address ranges, which would allow every one`);
      if (unguarded === end) problems.push(`${end} is an address, of which nothing can be guarded`);
    } else if (unguarded === end) {
      if (guarded.includes(peer.namespace)) problems.push(`${end} is guarded, and so needs its policy`);
    } else if (![...guarded, metricsServerNamespace].includes(peer.namespace)) {
      problems.push(`${end} is in ${peer.namespace}, which is no namespace of the stack`);
    }
  }
  return problems;
}

function saysTheSame(a: Flow, b: Flow): boolean {
  const key = ({ from, to }: Flow) => `${identityOf(from)} -> ${identityOf(to)}`;
  const same = (one: Flow["ports"][number], other: Flow["ports"][number]) =>
    one.port === other.port && (one.protocol ?? "TCP") === (other.protocol ?? "TCP");
  return key(a) === key(b) && a.ports.some((port) => b.ports.some((other) => same(port, other)));
}

function identityOf(peer: Peer): string {
  return JSON.stringify(
    isPods(peer) ? [peer.namespace, Object.entries(peer.labels).sort()] : [...peer.cidrs].sort(),
  );
}
