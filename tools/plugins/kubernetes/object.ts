import { isPropertyMap, type PropertyMap, type PropertyValue } from "../rpc/values";

/** A Kubernetes object as the API server takes it. In a preview any part of it can be unknown. */
export type KubeObject = PropertyMap;

export function field(object: PropertyValue | undefined, ...path: string[]): PropertyValue | undefined {
  let value: PropertyValue | undefined = object;
  for (const key of path) {
    if (!isPropertyMap(value)) return undefined;
    value = value[key];
  }
  return value;
}

/** The text at `path`, or "" when there is none or it is not known yet. */
export function text(object: PropertyValue | undefined, ...path: string[]): string {
  const value = field(object, ...path);
  return typeof value === "string" ? value : "";
}

export function number(object: PropertyValue | undefined, ...path: string[]): number | undefined {
  const value = field(object, ...path);
  return typeof value === "number" ? value : undefined;
}

export function list(object: PropertyValue | undefined, ...path: string[]): PropertyMap[] {
  const value = field(object, ...path);
  return Array.isArray(value) ? value.filter(isPropertyMap) : [];
}

export function texts(object: PropertyValue | undefined, ...path: string[]): Record<string, string> {
  const value = field(object, ...path);
  if (!isPropertyMap(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

export const kindOf = (object: KubeObject) => text(object, "kind");
export const apiVersionOf = (object: KubeObject) => text(object, "apiVersion");
export const nameOf = (object: KubeObject) => text(object, "metadata", "name");
export const namespaceOf = (object: KubeObject) => text(object, "metadata", "namespace");
export const annotation = (object: KubeObject, key: string) => text(object, "metadata", "annotations", key);

/** `namespace/name`, or the name alone for what lies in no namespace: the id of a resource in state. */
export function objectId(object: KubeObject): string {
  const namespace = namespaceOf(object);
  return namespace ? `${namespace}/${nameOf(object)}` : nameOf(object);
}

export function parseId(id: string): { namespace: string; name: string } {
  const [first = "", second] = id.split("/");
  return second === undefined ? { namespace: "", name: first } : { namespace: first, name: second };
}

/** `Deployment inventory/web`, for messages. */
export const describe = (object: KubeObject) => `${kindOf(object)} ${objectId(object)}`;

/** A copy with one value set; without a value, the key is taken away. Parts that are unknown stay as they are. */
export function withField(
  object: PropertyMap,
  path: string[],
  value: PropertyValue | undefined,
): PropertyMap {
  const [key = "", ...rest] = path;
  const current = object[key];
  if (rest.length === 0) return value === undefined ? omit(object, key) : { ...object, [key]: value };
  if (current !== undefined && !isPropertyMap(current)) return object;
  if (current === undefined && value === undefined) return object;
  return { ...object, [key]: withField(current ?? {}, rest, value) };
}

/** A copy without some of its keys. */
export function omit(object: PropertyMap, ...keys: string[]): PropertyMap {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}

export function isKind(object: KubeObject, group: string, kind: string): boolean {
  return kindOf(object) === kind && groupOf(apiVersionOf(object)) === group;
}

export function groupOf(apiVersion: string): string {
  const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
  return group === "core" ? "" : group;
}

export const isCustomResourceDefinition = (object: KubeObject) =>
  isKind(object, "apiextensions.k8s.io", "CustomResourceDefinition");
