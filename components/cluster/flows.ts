import { NetworkPolicy } from "@pulumi/kubernetes/networking/v1";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import { platformLabels } from "../labels";

/** Pods of one namespace. */
export interface Pods {
  readonly namespace: string;
  /** Empty for all of the namespace's Pods. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Address ranges outside of the Pod network. */
export interface Addresses {
  readonly cidrs: readonly string[];
  /** Who is there, for people. */
  readonly who: string;
}

/** One end of a flow. */
export type Peer = Pods | Addresses;

export interface Port {
  readonly port: number;
  readonly protocol?: "TCP" | "UDP";
}

/** Traffic that is allowed. All other is not. */
export interface Flow {
  /** Short and unique, such as `gateway-to-api`. */
  readonly name: string;
  readonly from: Peer;
  readonly to: Peer;
  readonly ports: readonly Port[];
  /** Why it has to be allowed; written into the policy. */
  readonly why: string;
  /** The end whose namespace the platform does not guard, so that no policy is needed there. */
  readonly unguarded?: "from" | "to";
}

export interface AllowedFlowsArgs {
  readonly flows: readonly Flow[];
}

/** The exceptions to the namespaces' default deny: for each flow a policy at its source and one at its target. */
export class AllowedFlows extends pulumi.ComponentResource {
  constructor(name: string, args: AllowedFlowsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:cluster:AllowedFlows", name, {}, opts);
    for (const flow of args.flows) {
      for (const { role, namespace, spec } of policiesOf(flow)) {
        new NetworkPolicy(
          `${name}-${role}`,
          {
            metadata: {
              namespace,
              labels: platformLabels,
              annotations: { "technova.io/why": flow.why },
            },
            spec,
          },
          { parent: this },
        );
      }
    }
    this.registerOutputs();
  }
}

interface Policy {
  readonly role: string;
  readonly namespace: string;
  readonly spec: input.networking.v1.NetworkPolicySpec;
}

/** The policies that let a flow through: egress where it starts, ingress where it ends. */
export function policiesOf({ name, from, to, ports, unguarded }: Flow): Policy[] {
  const policies: Policy[] = [];
  const portList = ports.map(({ port, protocol = "TCP" }) => ({ port, protocol }));
  if (isPods(from) && unguarded !== "from") {
    policies.push({
      role: `${name}-egress`,
      namespace: from.namespace,
      spec: {
        podSelector: { matchLabels: from.labels },
        policyTypes: ["Egress"],
        egress: [{ to: peers(to), ports: portList }],
      },
    });
  }
  if (isPods(to) && unguarded !== "to") {
    policies.push({
      role: `${name}-ingress`,
      namespace: to.namespace,
      spec: {
        podSelector: { matchLabels: to.labels },
        policyTypes: ["Ingress"],
        ingress: [{ from: peers(from), ports: portList }],
      },
    });
  }
  return policies;
}

/** Tells Pods from addresses. */
export function isPods(peer: Peer): peer is Pods {
  return "namespace" in peer;
}

function peers(peer: Peer): input.networking.v1.NetworkPolicyPeer[] {
  if (!isPods(peer)) return peer.cidrs.map((cidr) => ({ ipBlock: { cidr } }));
  return [
    {
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": peer.namespace } },
      podSelector: { matchLabels: peer.labels },
    },
  ];
}
