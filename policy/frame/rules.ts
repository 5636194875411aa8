import { type ContainerList, containersOf, each, type Pod } from "./workloads";
import type { Field } from "./field";
import { Judge } from "./policy";
import type { Test } from "./tests";

/** A step into those values of a map whose keys begin with this. */
export interface KeysFrom {
  readonly keysFrom: string;
}

/** Steps from an object into its fields; `each` steps into every item of a list. */
export type RulePath = readonly (string | KeysFrom)[];

/**
 * A rule as data: one field of a pod, and what it must be. The pack judges resources by it, and the admission policies
 * of the cluster are generated from it (`cel.ts`), so that both say the same.
 */
export interface Rule {
  /** Where `path` begins: at each container, or at the pod (`metadata` and `spec`). */
  readonly of: "container" | "pod";
  readonly path: RulePath;
  /** The pod's field that counts for a container which does not set its own. */
  readonly orOfPod?: readonly string[];
  readonly test: Test;
  /** The containers that it is about; all when absent. */
  readonly lists?: readonly ContainerList[];
  /** What remediation sets: takes rights away, and no well-behaved program notices. */
  readonly fix?: string | boolean | readonly string[];
  /** The field means nothing on Windows, and Kubernetes refuses it there. */
  readonly exceptOnWindows?: boolean;
}

/** The same field of the pod's security context and of each container's. */
export function bothContexts(path: RulePath, test: Test, fix?: Rule["fix"]): readonly Rule[] {
  return [
    { of: "pod", path: ["spec", "securityContext", ...path], test, fix },
    { of: "container", path: ["securityContext", ...path], test, fix },
  ];
}

export function checkRules(rules: readonly Rule[], pod: Pod, judge: Judge): void {
  for (const rule of rules) {
    for (const { decisive } of placesOf(rule, pod, judge)) judge.expect(decisive, rule.test);
  }
}

/** Where remediation sets what: the fields of rules with a `fix` that are known and not as they must be. */
export function fixesOf(
  rules: readonly Rule[],
  pod: Pod,
): readonly { readonly field: Field; readonly value: unknown }[] {
  const judge = new Judge();
  return rules.flatMap((rule) => {
    if (rule.fix === undefined) return [];
    const wrong = placesOf(rule, pod, judge).filter(
      ({ decisive }) => decisive.firstUnknown() === undefined && !rule.test.accepts(decisive.value),
    );
    return wrong.map(({ field }) => ({ field, value: rule.fix }));
  });
}

interface Place {
  /** The field that the rule names. */
  readonly field: Field;
  /** The same, or the pod's that counts instead. */
  readonly decisive: Field;
}

function placesOf(rule: Rule, pod: Pod, judge: Judge): readonly Place[] {
  if (rule.exceptOnWindows === true && isWindows(pod, judge)) return [];
  const bases = rule.of === "pod" ? [pod.root] : basesOf(rule, pod, judge);
  return bases
    .flatMap((base) => fieldsAt(base, rule.path, judge))
    .map((field) => ({
      field,
      decisive: rule.orOfPod === undefined ? field : field.or(pod.root.at(...rule.orOfPod)),
    }));
}

function isWindows(pod: Pod, judge: Judge): boolean {
  const name = pod.spec.at("os", "name");
  return judge.knows(name) && name.value === "windows";
}

function basesOf({ lists }: Rule, pod: Pod, judge: Judge): readonly Field[] {
  return containersOf(pod)
    .filter(({ list }) => lists === undefined || lists.includes(list))
    .map(({ field }) => field)
    .filter((field) => judge.knows(field));
}

function fieldsAt(base: Field, path: RulePath, judge: Judge, from = 0): readonly Field[] {
  let field = base;
  for (let index = from; index < path.length; index += 1) {
    const step = path[index];
    if (typeof step !== "string" || step === each)
      return next(field, step ?? "", judge).flatMap((found) => fieldsAt(found, path, judge, index + 1));
    field = field.at(step);
  }
  return [field];
}

function next(base: Field, step: string | KeysFrom, judge: Judge): readonly Field[] {
  if (step === each) return judge.items(base);
  if (typeof step === "string") return [base.at(step)];
  if (!judge.knows(base)) return [];
  return base
    .entries()
    .filter(([key]) => key.startsWith(step.keysFrom))
    .map(([, field]) => field);
}
