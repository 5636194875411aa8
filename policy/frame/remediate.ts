import type { Resource, Target } from "./objects";
import { forget, objectsOf } from "./objects";
import type { RulePolicy } from "./policy";
import { rulesOf } from "./evaluate";
import { podsOf } from "./workloads";
import { fixesOf } from "./rules";

/**
 * Sets what a policy's rules would have set, where its enforcement level is `remediate`: only rules with a `fix`, a
 * value that takes rights away and that no well-behaved program notices. What is unknown is left alone; the policy
 * then says that it is undecided.
 * @param given the stack's settings of the policy
 * @param isExcepted whether an exception lets an object be as it is
 * @returns the changed properties, or nothing when nothing had to change
 */
export function remediate(
  policy: RulePolicy,
  resource: Resource,
  given: object = {},
  isExcepted: (object: Target) => boolean = () => false,
): Record<string, unknown> | undefined {
  let changed = false;
  for (const object of objectsOf(resource)) {
    if (isExcepted(object)) continue;
    for (const pod of podsOf(object)) {
      for (const { field, value } of fixesOf(rulesOf(policy, given), pod)) {
        set(resource.props as Record<string, unknown>, field.keys, value);
        changed = true;
      }
    }
  }
  if (!changed) return undefined;
  forget(resource.props as object);
  return resource.props as Record<string, unknown>;
}

function set(
  root: Record<string | number, unknown>,
  path: readonly (string | number)[],
  value: unknown,
): void {
  const [key = "", ...rest] = path;
  if (rest.length === 0) root[key] = value;
  else {
    root[key] ??= {};
    set(root[key] as Record<string, unknown>, rest, value);
  }
}
