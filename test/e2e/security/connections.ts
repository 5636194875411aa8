import { isPods, type Flow, type Peer, type Pods } from "../../../components/cluster/flows";
import { isAt, isInTable } from "../../support/network";
import type { Endpoint } from "../../support/networkModel";
import { platform } from "./access";
import type { RunningPod } from "./probes";

export interface Port {
  readonly port: number;
  readonly protocol: string;
}

/** Somebody, and where he listens. */
export interface Target {
  readonly endpoint: Endpoint;
  readonly ports: readonly Port[];
}

/** Somebody's try to reach somebody else. */
export interface Attempt {
  /** As `gateway/traefik -> inventory/api 8080/TCP`. */
  readonly name: string;
  /** As `10.244.0.7:8080/TCP`. */
  readonly place: string;
  readonly to: Endpoint;
  readonly port: Port;
}

export const tcp = (...ports: number[]): Port[] => ports.map((port) => ({ port, protocol: "TCP" }));

export const endpointOf = ({ name, namespace, labels, address }: RunningPod): Endpoint => ({
  name: `${namespace}/${name}`,
  address,
  pod: { namespace, namespaceLabels: {}, labels, ports: [] },
});

/** Every port of every target but the Pods of one's own workload, of which the table does not speak. */
export function attempts(from: Endpoint, targets: readonly Target[]): Attempt[] {
  return targets
    .filter(({ endpoint: to }) => from.pod === undefined || !isAt(from.pod, to, true))
    .flatMap(({ endpoint: to, ports }) =>
      ports.map((port) => {
        const where = `${port.port}/${port.protocol}`;
        return { name: `${from.name} -> ${to.name} ${where}`, place: `${to.address}:${where}`, to, port };
      }),
    );
}

/** Those attempts of a Pod that should come about. Between those whom nobody guards, all do. */
export function allowed(entries: readonly Flow[], from: Endpoint, targets: readonly Target[]): string[] {
  const guarded = guardedEnds(entries);
  const isOurs = (endpoint: Endpoint) =>
    platform.some((namespace) => namespace === endpoint.pod?.namespace) ||
    guarded.some((end) => isAt(end, endpoint, true));
  return attempts(from, targets)
    .filter(
      ({ to, port }) => (!isOurs(from) && !isOurs(to)) || isInTable(entries, isOurs, { from, to, ...port }),
    )
    .map(({ name }) => name);
}

/** The Pods at the ends of the table that it guards, each once. */
export function guardedEnds(
  entries: readonly Flow[],
  which: readonly ("from" | "to")[] = ["from", "to"],
): Pods[] {
  return distinct(
    entries
      .flatMap((entry) => which.flatMap((end) => (entry.unguarded === end ? [] : [entry[end]])))
      .filter(isPods),
  );
}

/** Running Pods at the ends that the table lets somebody reach, with the ports that it names for them. */
export function runningTargets(entries: readonly Flow[], pods: readonly RunningPod[]): Target[] {
  const ends = distinct(entries.map(({ to }) => to).filter(isPods));
  return ends.flatMap((end) => {
    const flows = entries.filter(({ to }) => keyOf(to) === keyOf(end));
    const ports = distinct(
      flows.flatMap((flow) => flow.ports.map(({ port, protocol = "TCP" }) => ({ port, protocol }))),
    );
    return pods
      .map(endpointOf)
      .filter((endpoint) => isAt(end, endpoint, true))
      .map((endpoint) => ({ endpoint, ports }));
  });
}

function distinct<T extends Peer | Port>(values: readonly T[]): T[] {
  return [...new Map(values.map((value) => [keyOf(value), value])).values()];
}

const keyOf = (value: Peer | Port): string => JSON.stringify(value);
