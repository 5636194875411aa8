import type { CheckFailure } from "./provider";
import {
  isPropertyMap,
  Secret,
  Unknown,
  withoutSecrets,
  type PropertyMap,
  type PropertyValue,
} from "./values";

type FieldType = "integer" | "boolean" | "string" | "map" | "list";

/** One argument of a resource. */
export interface Field {
  readonly type: FieldType;
  readonly required?: boolean;
  readonly default?: number | boolean | string;
  /** Smallest value that is allowed. */
  readonly min?: number;
}

export type Fields = Readonly<Record<string, Field>>;

/** What is wrong with the inputs. Values that are not known yet are not judged. */
export function fieldFailures(fields: Fields, inputs: PropertyMap): CheckFailure[] {
  const failures: CheckFailure[] = [];
  const fail = (property: string, reason: string) => failures.push({ property, reason });
  for (const name of Object.keys(inputs)) {
    if (!(name in fields) && !name.startsWith("__")) {
      fail(name, `${name} is not an argument; it takes ${Object.keys(fields).join(", ")}`);
    }
  }
  for (const [name, field] of Object.entries(fields)) {
    const value = reveal(inputs[name]);
    if (value === undefined) {
      if (field.required) fail(name, `${name} is missing; it takes a value of type ${field.type}`);
    } else if (value instanceof Unknown) continue;
    else if (!hasType(value, field.type)) fail(name, `${name} has to be a value of type ${field.type}`);
    else if (field.min !== undefined && (value as number) < field.min) {
      fail(name, `${name} is ${String(value)}; the smallest value is ${field.min}`);
    }
  }
  return failures;
}

/** The arguments with defaults filled in. Values keep their secretness. */
export function withDefaults(fields: Fields, inputs: PropertyMap): PropertyMap {
  const complete: PropertyMap = {};
  for (const [name, field] of Object.entries(fields)) {
    const value = reveal(inputs[name]) === undefined ? field.default : inputs[name];
    if (value !== undefined) complete[name] = value;
  }
  return complete;
}

/** A value in the form in which two of them are compared: what is empty is the same as none. */
export function comparable(value: PropertyValue | undefined): PropertyValue | undefined {
  const plain = reveal(value);
  if (plain === "" || (Array.isArray(plain) && !plain.length)) return undefined;
  if (!isPropertyMap(plain)) return plain;
  const entries = Object.entries(plain).filter(([, entry]) => comparable(entry) !== undefined);
  return entries.length ? Object.fromEntries(entries) : undefined;
}

export function integer(values: PropertyMap, name: string): number {
  const value = reveal(values[name]);
  return typeof value === "number" ? value : 0;
}

export function flag(values: PropertyMap, name: string): boolean {
  return reveal(values[name]) === true;
}

export function text(values: PropertyMap, name: string): string {
  const value = reveal(values[name]);
  return typeof value === "string" ? value : "";
}

/** The value without secrets; null is the same as none. */
export function reveal(value: PropertyValue | undefined): PropertyValue | undefined {
  if (value === undefined || value === null) return undefined;
  const plain = value instanceof Secret ? withoutSecrets(value) : value;
  return plain === null ? undefined : isPropertyMap(plain) ? withoutSecrets(plain) : plain;
}

function hasType(value: PropertyValue, type: FieldType): boolean {
  switch (type) {
    case "integer":
      return Number.isSafeInteger(value);
    case "map":
      return isPropertyMap(value);
    case "list":
      return Array.isArray(value);
    case "boolean":
    case "string":
      return typeof value === type;
  }
}
