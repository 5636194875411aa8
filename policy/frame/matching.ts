import type { Field } from "./field";
import type { Target } from "./objects";

/** Questions about two objects of a stack, of which a preview may not know everything. */

/** False only if both values are known and differ. */
export function mayEqual(one: Field, other: Field): boolean {
  return one.unknown || other.unknown || one.value === other.value;
}

export function ofKind(objects: readonly Target[], group: string, ...kinds: readonly string[]): Target[] {
  return objects.filter((object) => object.group === group && kinds.includes(object.kind));
}

export const namespaceOf = ({ root }: Target): Field => root.at("metadata", "namespace");

export const nameOf = ({ root }: Target): Field => root.at("metadata", "name");
