import type { PropertyMap, PropertyValue } from "../../../../../tools/plugins/rpc/values";
import { isPropertyMap, sameValue } from "../../../../../tools/plugins/rpc/values";
import { Refusal } from "./fake-answers";

export interface PatchOperation {
  readonly op: string;
  readonly path: string;
  readonly value?: PropertyValue;
}

/** The part of JSON patches that is used: `test`, `remove`, and `replace` of what is in a map. */
export function jsonPatched(object: PropertyMap, operations: readonly PatchOperation[]): PropertyMap {
  const result = structuredClone(object);
  for (const { op, path, value = null } of operations) {
    const steps = path
      .slice(1)
      .split("/")
      .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
    const last = steps.pop() ?? "";
    const parent = steps.reduce<PropertyValue | undefined>(inside, result);
    if (op === "test") {
      if (sameValue(inside(parent, last), value)) continue;
      throw new Refusal(422, "Invalid", `the server rejected our request: test of ${path} failed`);
    }
    if (inside(parent, last) === undefined && op === "remove")
      throw new Refusal(422, "Invalid", `there is nothing at ${path}`);
    if (Array.isArray(parent)) parent.splice(Number(last), 1);
    else if (isPropertyMap(parent) && op === "remove") Reflect.deleteProperty(parent, last);
    else if (isPropertyMap(parent)) parent[last] = value;
  }
  return result;
}

function inside(value: PropertyValue | undefined, step: string): PropertyValue | undefined {
  if (Array.isArray(value)) return value[Number(step)];
  return isPropertyMap(value) ? value[step] : undefined;
}
