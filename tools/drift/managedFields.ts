import { list, text, type KubeObject } from "../plugins/kubernetes/object";
import { isPropertyMap, sameValue, type PropertyMap, type PropertyValue } from "../plugins/rpc/values";

/** Where something stands in an object: keys of maps, and places in lists. */
export type Path = readonly (string | number)[];

/** Somebody who manages a field, as the API server keeps it in `metadata.managedFields`. */
export interface Writer {
  /** Such as `kubectl-edit`; "unknown" for a client that gave no name. */
  readonly manager: string;
  /** When it last changed what it manages, as `2026-11-25T07:38:24Z`; "" where the server does not say. */
  readonly time: string;
}

/**
 * Who manages the field at `path`, or something in it. What is only reported in the status does not count.
 */
export function writersOf(object: KubeObject, path: Path): Writer[] {
  return entriesOf(object)
    .filter(({ fieldsV1 }) => isPropertyMap(fieldsV1) && Object.keys(fieldsV1).length > 0)
    .filter(({ fieldsV1 }) => manages(fieldsV1, object, path))
    .map(toWriter);
}

/** Everybody who manages anything of an object, the latest first. */
export function allWriters(object: KubeObject): Writer[] {
  return entriesOf(object).map(toWriter).sort(latestFirst);
}

export function latestFirst(one: Writer, other: Writer): number {
  return other.time.localeCompare(one.time);
}

function entriesOf(object: KubeObject): PropertyMap[] {
  return list(object, "metadata", "managedFields").filter((entry) => text(entry, "subresource") !== "status");
}

function toWriter(entry: PropertyMap): Writer {
  return { manager: text(entry, "manager") || "unknown", time: text(entry, "time") };
}

function manages(fields: PropertyValue | undefined, value: PropertyValue | undefined, path: Path): boolean {
  if (!isPropertyMap(fields)) return false;
  const children = Object.keys(fields).filter((key) => key !== ".");
  const [step, ...rest] = path;
  // Without children the whole value is managed as one.
  if (step === undefined || children.length === 0) return true;
  if (typeof step === "string") {
    const inner = isPropertyMap(value) ? value[step] : undefined;
    return manages(fields[`f:${step}`], inner, rest);
  }
  const element = Array.isArray(value) ? value[step] : undefined;
  const key = children.find((child) => isElement(child, element));
  return key !== undefined && manages(fields[key], element, rest);
}

/** Whether `k:{"name":"web"}` or `v:"text"` means an element of a list. */
function isElement(key: string, element: PropertyValue | undefined): boolean {
  if (key.startsWith("v:")) return sameValue(JSON.parse(key.slice(2)) as PropertyValue, element);
  if (!key.startsWith("k:") || !isPropertyMap(element)) return false;
  const wanted = JSON.parse(key.slice(2)) as PropertyMap;
  return Object.entries(wanted).every(([name, value]) => sameValue(value, element[name]));
}

/**
 * By what the elements of a list are told apart: the names of their keys, none for a list that is a set of
 * values, undefined for one that is managed as a whole.
 */
export function keysOfList(object: KubeObject, path: Path): readonly string[] | undefined {
  for (const { fieldsV1 } of entriesOf(object)) {
    const children = Object.keys(fieldsAt(fieldsV1, object, path) ?? {});
    const keyed = children.find((child) => child.startsWith("k:"));
    if (keyed !== undefined) return Object.keys(JSON.parse(keyed.slice(2)) as PropertyMap);
    if (children.some((child) => child.startsWith("v:"))) return [];
  }
  return undefined;
}

function fieldsAt(
  fields: PropertyValue | undefined,
  value: PropertyValue | undefined,
  path: Path,
): PropertyMap | undefined {
  if (!isPropertyMap(fields)) return undefined;
  const [step, ...rest] = path;
  if (step === undefined) return fields;
  if (typeof step === "string")
    return fieldsAt(fields[`f:${step}`], isPropertyMap(value) ? value[step] : undefined, rest);
  const element = Array.isArray(value) ? value[step] : undefined;
  const key = Object.keys(fields).find((child) => isElement(child, element));
  return key === undefined ? undefined : fieldsAt(fields[key], element, rest);
}
