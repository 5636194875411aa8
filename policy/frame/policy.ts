import type { Container, Pod } from "./workloads";
import type { Field } from "./field";
import type { Rule } from "./rules";
import type { Target } from "./objects";
import type { Test } from "./tests";

/** How bad it is if the policy is violated; shown with each finding. */
export type Severity = "low" | "medium" | "high" | "critical";

/** What a policy is about; `npm run policy -- check --area` takes them. */
export const areas = {
  "pod-security": "Pod Security Standards",
  pods: "Pods beyond the standards",
  images: "Images",
  resources: "Resources",
  reliability: "Reliability",
  network: "Network",
  rbac: "Access to the API",
  namespaces: "Namespaces",
  secrets: "Secrets",
  storage: "Storage",
  observability: "Observability",
  github: "GitHub",
  "supply-chain": "Supply chain",
  delivery: "Delivery",
  stack: "The whole stack",
} as const;

export type Area = keyof typeof areas;

/** The levels of the Pod Security Standards that a policy can belong to; restricted has all of baseline too. */
export type Profile = "baseline" | "restricted";

/** One setting of a policy, given in `policy/config/<stack>.json`. The schema is checked before anything runs. */
export interface Parameter<T> {
  readonly type: "boolean" | "integer" | "number" | "string" | "array";
  readonly description: string;
  readonly default: T;
  readonly items?: { readonly type: "string" };
  readonly enum?: readonly T[];
  readonly minimum?: number;
}

export type Parameters<S> = { readonly [K in keyof S]: Parameter<S[K]> };

/** What every policy says about itself. */
export interface Facts<S> {
  /** Kebab-case, unique; the key in `policy/config/<stack>.json`. Never renamed: exceptions refer to it. */
  readonly name: string;
  readonly area: Area;
  /** For the Pod Security Standards: the weakest level that has the rule. */
  readonly profile?: Profile;
  readonly severity: Severity;
  /** The rule, in one sentence. */
  readonly description: string;
  /** What goes wrong without it. */
  readonly why: string;
  /** What to do, in the order to do it. */
  readonly remedy: readonly [string, ...string[]];
  /** Where the rule comes from: Pod Security Standards, NSA/CISA hardening guidance, Kubernetes or Pulumi docs. */
  readonly link: string;
  readonly parameters?: Parameters<S>;
  /** It is about what an update does, and says nothing about files. */
  readonly onlyInUpdates?: true;
  /** How hard it is enforced unless the stack says otherwise; `mandatory` when absent. */
  readonly enforcement?: "advisory";
}

/**
 * A policy has exactly one of: rules about the fields of a pod, or a check of each container, each pod (template),
 * each object, or the whole stack.
 */
export type Policy<S = object> =
  RulePolicy<S> | ContainerPolicy<S> | PodPolicy<S> | ObjectPolicy<S> | StackPolicy<S>;

/** Rules as data, so that the cluster's own admission can be given the same. The first choice where it can say it. */
export interface RulePolicy<S = object> extends Facts<S> {
  rules(settings: S): readonly Rule[];
}

export interface ContainerPolicy<S = object> extends Facts<S> {
  checkContainer(container: Container, judge: Judge, settings: S): void;
}

export interface PodPolicy<S = object> extends Facts<S> {
  checkPod(pod: Pod, judge: Judge, settings: S): void;
}

export interface ObjectPolicy<S = object> extends Facts<S> {
  /** The kinds it looks at; all when absent. */
  readonly kinds?: readonly string[];
  checkObject(object: Target, judge: Judge, settings: S): void;
}

/** Sees the whole stack, so it is decided at the end of the preview: before the first change, if there is one. */
export interface StackPolicy<S = object> extends Facts<S> {
  /** @param judgeOf the judge of a resource; of the stack as a whole without one */
  checkStack(objects: readonly Target[], judgeOf: (object?: Target) => Judge, settings: S): void;
}

export interface Finding {
  readonly field: Field;
  /** What is there. Never a value that could be a secret. */
  readonly found: string;
}

/** Collects what one policy finds on one resource. */
export class Judge {
  readonly violations: Finding[] = [];
  /** Fields that the policy would have to know and that only the update will tell. */
  readonly undecided: Field[] = [];
  /** What else the policy would have to know, and nobody has told it. A whole sentence each. */
  readonly missing: string[] = [];

  /** Reports `field` unless the test accepts its value. */
  expect(field: Field, { accepts, wanted, shallow }: Omit<Test, "cel">): void {
    const unknown = shallow === true && !field.unknown ? undefined : field.firstUnknown();
    if (unknown !== undefined) this.knows(unknown);
    else if (!accepts(field.value)) this.report(field, `is ${found(field, shallow)}, must be ${wanted}`);
  }

  report(field: Field, found: string): void {
    this.violations.push({ field, found });
  }

  /** False, and noted as undecided, if the field is unknown. */
  knows(field: Field): boolean {
    if (field.unknown && !this.undecided.some((other) => other.path === field.path))
      this.undecided.push(field);
    return !field.unknown;
  }

  /** Notes that the policy cannot decide for want of something that is in no field. */
  cannotDecide(because: string): void {
    this.missing.push(because);
  }

  /** The items of a list; an unknown list or item is noted as undecided and left out. */
  items(list: Field): readonly Field[] {
    return list.items().filter((item) => this.knows(item));
  }
}

function found({ value }: Field, shallow?: boolean): string {
  return shallow === true && typeof value === "object" && value !== null
    ? Object.keys(value).join(", ")
    : shown(value);
}

/** A value as a message shows it. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return "not set";
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
