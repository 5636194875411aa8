/**
 * What Kubernetes' NetworkPolicies let through, from the policies alone: a second opinion that knows nothing of the
 * table which they are made from. Written after the API's reference:
 * https://kubernetes.io/docs/reference/kubernetes-api/policy-resources/network-policy-v1/
 */

type Labels = Readonly<Record<string, string>>;

export interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

export interface PolicyPeer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

export interface PolicyPort {
  readonly port?: number | string;
  readonly endPort?: number;
  readonly protocol?: string;
}

export interface Policy {
  readonly namespace: string;
  readonly spec: {
    readonly podSelector: Selector;
    readonly policyTypes?: readonly string[];
    readonly ingress?: readonly {
      readonly from?: readonly PolicyPeer[];
      readonly ports?: readonly PolicyPort[];
    }[];
    readonly egress?: readonly {
      readonly to?: readonly PolicyPeer[];
      readonly ports?: readonly PolicyPort[];
    }[];
  };
}

export interface Endpoint {
  readonly name: string;
  readonly address: string;
  /** Left out for what is not in the Pod network, which no policy selects. */
  readonly pod?: {
    readonly namespace: string;
    readonly namespaceLabels: Labels;
    readonly labels: Labels;
    readonly ports: readonly { readonly name?: string; readonly port: number; readonly protocol: string }[];
  };
}

/** Whether a connection comes about: let out where it starts, and in where it ends. */
export function connects(
  policies: readonly Policy[],
  from: Endpoint,
  to: Endpoint,
  port: number,
  protocol: string,
): boolean {
  const passes = (direction: "Ingress" | "Egress", self: Endpoint, other: Endpoint): boolean => {
    const own = policies.filter((policy) => selects(policy, self) && typesOf(policy).includes(direction));
    if (own.length === 0) return true;
    return own.some(({ spec }) => {
      const rules =
        direction === "Egress"
          ? (spec.egress ?? []).map(({ to: peers, ports }) => ({ peers, ports }))
          : (spec.ingress ?? []).map(({ from: peers, ports }) => ({ peers, ports }));
      const { namespace = "" } = self.pod ?? {};
      return rules.some(
        ({ peers, ports }) =>
          (isEmpty(peers) || peers.some((peer) => isPeer(peer, namespace, other))) &&
          (isEmpty(ports) || ports.some((each) => isPort(each, to, port, protocol))),
      );
    });
  };
  return passes("Egress", from, to) && passes("Ingress", to, from);
}

/** No list and an empty one mean the same: everything. */
function isEmpty<T>(values: readonly T[] | undefined): values is undefined {
  return values === undefined || values.length === 0;
}

/** Whether a policy is about somebody. */
export function selects({ namespace, spec }: Policy, { pod }: Endpoint): boolean {
  return pod !== undefined && pod.namespace === namespace && matches(spec.podSelector, pod.labels);
}

/** Ingress is meant unless the types say otherwise, egress only where there is a rule for it. */
function typesOf({ spec: { policyTypes, egress } }: Policy): readonly string[] {
  return policyTypes ?? (isEmpty(egress) ? ["Ingress"] : ["Ingress", "Egress"]);
}

function isPeer(
  { ipBlock, namespaceSelector, podSelector }: PolicyPeer,
  own: string,
  other: Endpoint,
): boolean {
  if (ipBlock !== undefined) {
    const { cidr, except = [] } = ipBlock;
    return contains(cidr, other.address) && !except.some((range) => contains(range, other.address));
  }
  const { pod } = other;
  if (pod === undefined) return false;
  const there =
    namespaceSelector === undefined
      ? pod.namespace === own
      : matches(namespaceSelector, { ...pod.namespaceLabels, "kubernetes.io/metadata.name": pod.namespace });
  return there && matches(podSelector ?? {}, pod.labels);
}

/** A name stands for the port of that name of the Pod that is connected to. */
function isPort(allowed: PolicyPort, to: Endpoint, port: number, protocol: string): boolean {
  if ((allowed.protocol ?? "TCP") !== protocol) return false;
  if (allowed.port === undefined) return true;
  if (typeof allowed.port === "string") {
    return (to.pod?.ports ?? []).some(
      (each) => each.name === allowed.port && each.port === port && each.protocol === protocol,
    );
  }
  return allowed.port <= port && port <= (allowed.endPort ?? allowed.port);
}

export function matches({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case "In":
          return value !== undefined && values.includes(value);
        case "NotIn":
          return value === undefined || !values.includes(value);
        case "Exists":
          return value !== undefined;
        case "DoesNotExist":
          return value === undefined;
        default:
          throw new Error(`there is no operator ${operator}`);
      }
    })
  );
}

/** Whether an address is in a range; an address of the other family is in none. */
export function contains(cidr: string, address: string): boolean {
  const [range = "", length = ""] = cidr.split("/");
  const [a, b] = [bitsOf(range), bitsOf(address)];
  return a.length === b.length && a.slice(0, Number(length)) === b.slice(0, Number(length));
}

function bitsOf(address: string): string {
  if (!address.includes(":")) {
    return address
      .split(".")
      .map((part) => Number(part).toString(2).padStart(8, "0"))
      .join("");
  }
  const [head = "", tail] = address.split("::");
  const groups = (part: string | undefined) => (part ? part.split(":") : []);
  const [first, last] = [groups(head), groups(tail)];
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length;
  return [...first, ...Array<string>(zeros).fill("0"), ...last]
    .map((group) => parseInt(group, 16).toString(2).padStart(16, "0"))
    .join("");
}
