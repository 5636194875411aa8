import { type ContainerList, containerLists, each, podPaths } from "./workloads";
import type { KeysFrom, Rule, RulePath } from "./rules";

/** Where most kinds keep their pod. */
const usual = ["spec", "template"];

/**
 * Variables that the expressions of rules refer to, in the order in which they build on each other; for
 * `spec.variables` of a ValidatingAdmissionPolicy. Nothing is assumed to be there: where a Rollout refers to a
 * Deployment, the pod is empty and fits every rule.
 */
export const variables: readonly { readonly name: string; readonly expression: string }[] = [
  { name: "pod", expression: podOf("object") },
  ...containerLists.map((list) => ({
    name: list,
    expression: `variables.pod.?spec.?${list}.orValue([])`,
  })),
];

/** An expression that is true of every object that the rule accepts. */
export function celOf(rule: Rule): string {
  const holds =
    rule.of === "pod"
      ? `!variables.pod.?spec.hasValue() || ${at("variables.pod", rule.path, rule.test.cel)}`
      : containers(
          rule.lists ?? containerLists,
          at("c", rule.path, (field) => rule.test.cel(orOfPod(field))),
        );
  return rule.exceptOnWindows === true
    ? `variables.pod.?spec.?os.?name.orValue("") == "windows" || ${holds}`
    : holds;

  function orOfPod(field: string): string {
    return rule.orOfPod === undefined ? field : `${field}.or(variables.pod${optional(rule.orOfPod)})`;
  }
}

function containers(lists: readonly ContainerList[], holds: string): string {
  return lists.map((list) => `variables.${list}.all(c, ${holds})`).join(" && ");
}

function at(base: string, path: RulePath, test: (optional: string) => string, depth = 1): string {
  const index = path.findIndex((step) => step === each || typeof step === "object");
  if (index < 0) return test(`${base}${optional(path as readonly string[])}`);
  const collection = `${base}${optional(path.slice(0, index) as readonly string[])}`;
  const step = path[index] as string | KeysFrom;
  const rest = path.slice(index + 1);
  const item = `x${depth}`;
  if (typeof step === "string") {
    const holds = rest.length === 0 ? test(`optional.of(${item})`) : at(item, rest, test, depth + 1);
    return `${collection}.orValue([]).all(${item}, ${holds})`;
  }
  const begins = `${item}.startsWith(${JSON.stringify(step.keysFrom)})`;
  return `${collection}.orValue({}).all(${item}, !${begins} || ${test(`${collection}[?${item}]`)})`;
}

function optional(path: readonly string[]): string {
  return path.map((key) => `.?${key}`).join("");
}

/**
 * An expression that is true of a request which makes a pod, or changes what rules look at. An object of before a rule
 * can then still be scaled down, and lose its finalizers.
 */
export const podChanges =
  'request.operation != "UPDATE" || ' +
  ["spec", "metadata.?annotations"]
    .map((part) => `${podOf("object")}.?${part}.orValue({}) != ${podOf("oldObject")}.?${part}.orValue({})`)
    .join(" || ");

/** Where each kind keeps its pod: `object` itself for a Pod. */
function podOf(object: "object" | "oldObject"): string {
  const choices = Object.entries(podPaths)
    .filter(([, path]) => !path.includes(each))
    .filter(([, path]) => path.join() !== usual.join())
    .map(([kind, path]) => `${object}.kind == "${kind}" ? ${holder(object, path)} : `);
  return `(${choices.join("")}${holder(object, usual)})`;
}

function holder(object: string, path: readonly string[]): string {
  return path.length === 0 ? object : `${object}${optional(path)}.orValue({})`;
}
