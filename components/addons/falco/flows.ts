import type { Flow, Pods } from "../../cluster/flows";
import { alertmanager, dnsFlow, loki, metricsFlow } from "../../cluster/wellKnown";
import type { FalcoSettings } from "../../config/falco";
import { receiverPort, sensorPort } from "./configuration";
import type { EventTargets } from "./targets";

export interface FalcoFlowsArgs {
  readonly settings: FalcoSettings;
  readonly sensor: Pods;
  readonly receiver: Pods;
  /** Addresses of the nodes, for a Falco that they bring themselves. */
  readonly nodeCidrs: readonly string[];
  readonly monitored: boolean;
  readonly targets: EventTargets;
}

/** The way of an event: from Falco to the receiver, and from there to where people see it. */
export function falcoFlows(args: FalcoFlowsArgs): Flow[] {
  const { settings, sensor, receiver, targets } = args;
  const ways = [
    ...(targets.alertmanager === undefined ? [] : [way("alertmanager", alertmanager, "Events are alerts.")]),
    ...(targets.loki === undefined ? [] : [way("loki", loki, "Events are kept.")]),
  ];
  const ports = [{ port: receiverPort }];
  const why = "Falco's events are taken further.";
  return [
    ...(settings.sensor.enabled
      ? [
          { name: "falco-to-receiver", from: sensor, to: receiver, ports, why },
          dnsFlow("falco", sensor),
          metricsFlow("falco", sensor, sensorPort, args.monitored),
        ]
      : [
          {
            name: "nodes-to-receiver",
            from: { cidrs: args.nodeCidrs, who: "nodes" },
            to: receiver,
            ports,
            why,
          },
        ]),
    metricsFlow("falco-receiver", receiver, receiverPort, args.monitored),
    ...ways.map((flow) => ({ ...flow, from: receiver })),
    ...(ways.length === 0 ? [] : [dnsFlow("falco-receiver", receiver)]),
  ];
}

function way(name: string, { pods, port }: typeof loki, why: string): Omit<Flow, "from"> {
  return { name: `falco-receiver-to-${name}`, to: pods, ports: [{ port }], why };
}
