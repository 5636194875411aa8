import { celOf, podChanges, variables } from "./frame/cel";
import { type Exception, patternOf } from "./frame/exceptions";
import type { Policy, RulePolicy } from "./frame/policy";
import { rulesOf } from "./frame/evaluate";
import { policies } from "./policies";
import { noTokenSecrets, tokenType } from "./secrets";

/**
 * The pack's rules about pods as the cluster itself can enforce them: what does not come through Pulumi is held to the
 * same. One admission policy for each area, and for each level of the Pod Security Standards.
 */

/** The parts of a ValidatingAdmissionPolicy that follow from the pack. */
export interface AdmissionPolicy {
  /** `pod-security-baseline`, `images`, ... */
  readonly name: string;
  /** What it is about, by API group. */
  readonly resources: readonly GuardedResources[];
  /** In CEL; what requests it is about at all. */
  readonly matchConditions: readonly { readonly name: string; readonly expression: string }[];
  readonly variables: readonly { readonly name: string; readonly expression: string }[];
  readonly validations: readonly Validation[];
}

export interface Validation {
  /** In CEL; true of an object that keeps the rule. */
  readonly expression: string;
  /** Without line breaks, as the API server demands. */
  readonly message: string;
}

export interface GuardedResources {
  readonly group: string;
  readonly resources: readonly string[];
}

/** The resources that hold pods, by API group; subresources that change one count too. */
export const guardedResources: readonly GuardedResources[] = [
  { group: "", resources: ["pods", "pods/ephemeralcontainers", "podtemplates", "replicationcontrollers"] },
  { group: "apps", resources: ["deployments", "statefulsets", "daemonsets", "replicasets"] },
  { group: "batch", resources: ["jobs", "cronjobs"] },
  { group: "argoproj.io", resources: ["rollouts"] },
  { group: "keda.sh", resources: ["scaledjobs"] },
];

/**
 * @param settings of policies by name, as in `policy/config/<stack>.json`; a policy that is `disabled` is left out
 * @param exceptions of the stack; those that name their resource by its URN are nothing that a cluster knows
 */
export function admissionPolicies(
  settings: Readonly<Record<string, object | "disabled">> = {},
  exceptions: readonly Exception[] = [],
): readonly AdmissionPolicy[] {
  const groups = new Map<string, Validation[]>();
  for (const policy of policies) {
    const given = settings[policy.name] ?? {};
    if (!isRulePolicy(policy) || given === "disabled") continue;
    const name = policy.profile === undefined ? policy.area : `${policy.area}-${policy.profile}`;
    const message = messageOf(policy);
    const own = exceptions.filter((exception) => exception.policy === policy.name);
    const expressions = new Set(rulesOf(policy, given).map(celOf));
    const validations = [...expressions].map((holds) => ({ expression: unless(own, holds), message }));
    if (validations.length > 0) groups.set(name, [...(groups.get(name) ?? []), ...validations]);
  }
  return [...groups].map(([name, validations]) => ({
    name,
    resources: guardedResources,
    matchConditions: [{ name: "pod-changes", expression: podChanges }],
    variables: [...variables, ...naming],
    validations,
  }));
}

const messageOf = ({ name, description, link }: Policy) => `${name}: ${description} See ${link}`;

/** The same of Secrets: whoever may make one could take the token of any account of the namespace. */
export function secretAdmission(
  settings: Readonly<Record<string, object | "disabled">> = {},
  exceptions: readonly Exception[] = [],
): readonly AdmissionPolicy[] {
  if (settings[noTokenSecrets.name] === "disabled") return [];
  const own = exceptions.filter(({ policy }) => policy === noTokenSecrets.name);
  const holds = `object.?type.orValue("") != "${tokenType}"`;
  return [
    {
      name: "token-secrets",
      resources: [{ group: "", resources: ["secrets"] }],
      matchConditions: [],
      variables: naming,
      validations: [{ expression: unless(own, holds), message: messageOf(noTokenSecrets) }],
    },
  ];
}

/**
 * How exceptions call the object, and the controller that it says it belongs to: pods have names of their own. Who may
 * make pods in a namespace could claim such an owner, so an exception is as wide as its namespace.
 */
const naming = [
  {
    name: "place",
    expression: `object.?metadata.?namespace.hasValue() ? object.metadata.namespace + "/" : ""`,
  },
  {
    name: "names",
    expression:
      `[object.kind + " " + variables.place + object.?metadata.?name.orValue("")] + ` +
      `object.?metadata.?ownerReferences.orValue([]).map(owner, owner.kind + " " + variables.place + owner.name)`,
  },
];

function unless(exceptions: readonly Exception[], holds: string): string {
  if (exceptions.length === 0) return holds;
  const patterns = exceptions.map(({ resource }) => JSON.stringify(patternOf(resource).source));
  const excepted = patterns.map((pattern) => `name.matches(${pattern})`).join(" || ");
  return `variables.names.exists(name, ${excepted}) || (${holds})`;
}

function isRulePolicy(policy: Policy): policy is RulePolicy {
  return "rules" in policy;
}
