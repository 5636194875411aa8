import { type Facts, Judge, type Policy, type RulePolicy } from "./policy";
import type { Rule } from "./rules";
import { objectsOf, type Resource } from "./objects";
import { checkRules } from "./rules";
import { containersOf, podsOf } from "./workloads";

/** What a policy finds on one resource. A stack policy finds nothing here. */
export function judgeResource<S>(policy: Policy<S>, resource: Resource, given: object = {}): Judge {
  const judge = new Judge();
  const { settings } = prepare(policy, given);
  for (const object of objectsOf(resource)) {
    if ("checkObject" in policy && (policy.kinds === undefined || policy.kinds.includes(object.kind))) {
      policy.checkObject(object, judge, settings);
    }
    if (!("checkPod" in policy) && !("checkContainer" in policy) && !("rules" in policy)) continue;
    for (const pod of podsOf(object)) {
      if (!judge.knows(pod.spec)) continue;
      if ("rules" in policy) checkRules(rulesOf(policy, given), pod, judge);
      if ("checkPod" in policy) policy.checkPod(pod, judge, settings);
      if (!("checkContainer" in policy)) continue;
      for (const container of containersOf(pod)) {
        if (judge.knows(container.field)) policy.checkContainer(container, judge, settings);
      }
    }
  }
  return judge;
}

/** What a stack policy finds, by the resource that it finds it on. */
export function judgeStack<S>(
  policy: Policy<S>,
  resources: readonly Resource[],
  given: object = {},
): ReadonlyMap<Resource, Judge> {
  const judges = new Map<Resource, Judge>();
  const stack = stackOf(resources);
  const judgeOf = ({ resource }: { resource: Resource } = { resource: stack }) => {
    const judge = judges.get(resource) ?? new Judge();
    judges.set(resource, judge);
    return judge;
  };
  if ("checkStack" in policy) {
    policy.checkStack(resources.flatMap(objectsOf), judgeOf, prepare(policy, given).settings);
  }
  return judges;
}

/** What a finding about no single resource is told of. */
function stackOf(resources: readonly Resource[]): Resource {
  const type = "pulumi:pulumi:Stack";
  const known = resources.find((resource) => resource.type === type);
  if (known !== undefined) return known;
  const [, stack = "", project = ""] = /^urn:pulumi:([^:]+)::([^:]+)::/.exec(resources[0]?.urn ?? "") ?? [];
  return { type, urn: `urn:pulumi:${stack}::${project}::${type}::${project}-${stack}`, props: {} };
}

/** A policy's rules with its settings. */
export function rulesOf<S>(policy: RulePolicy<S>, given: object = {}): readonly Rule[] {
  const prepared = prepare(policy, given);
  return (prepared.rules ??= policy.rules(prepared.settings));
}

/** What follows from a policy and what a stack sets of it, for all resources alike. */
interface Prepared<S> {
  readonly settings: S;
  rules?: readonly Rule[];
}

const known = new WeakMap<object, Map<string, Prepared<unknown>>>();

function prepare<S>(policy: Facts<S>, given: object): Prepared<S> {
  const ofPolicy = known.get(policy) ?? new Map<string, Prepared<unknown>>();
  known.set(policy, ofPolicy);
  const key = Object.keys(given).length === 0 ? "" : JSON.stringify(given);
  const prepared = ofPolicy.get(key) ?? { settings: settingsOf(policy, given) };
  ofPolicy.set(key, prepared);
  return prepared as Prepared<S>;
}

/** The policy's settings with their defaults. A setting that the policy does not have is refused, not ignored. */
export function settingsOf<S>(policy: Facts<S>, given: object): S {
  const parameters = Object.entries<{ default: unknown }>(policy.parameters ?? {});
  const known = parameters.map(([name]) => name);
  const stray = Object.keys(given).filter((name) => !known.includes(name));
  if (stray.length > 0) {
    const takes = known.length === 0 ? "it takes none" : `it takes ${known.join(", ")}`;
    throw new Error(
      `policy "${policy.name}" has no setting ${stray.join(", ")}: ${takes}. Correct policy/config/<stack>.json.`,
    );
  }
  const defaults = Object.fromEntries(parameters.map(([name, parameter]) => [name, parameter.default]));
  return { ...defaults, ...given } as S;
}
