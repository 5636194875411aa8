import { isPropertyMap, Unknown, type PropertyMap, type PropertyValue } from "../rpc/values";

/** Only those parts of `source` that `shape` has too, so that fields that the cluster filled in drop out. */
export function prune(source: PropertyMap, shape: PropertyMap): PropertyMap {
  const pruned: PropertyMap = {};
  for (const [key, value] of Object.entries(source)) {
    if (key in shape) pruned[key] = pruneValue(value, shape[key]!);
  }
  return pruned;
}

function pruneValue(value: PropertyValue, shape: PropertyValue): PropertyValue {
  if (isPropertyMap(value) && isPropertyMap(shape)) return prune(value, shape);
  if (Array.isArray(value) && Array.isArray(shape)) return pruneList(value, shape);
  return value;
}

function pruneList(source: PropertyValue[], shape: PropertyValue[]): PropertyValue[] {
  if (source.length === 0 || shape.length === 0) return [];
  if (typeName(source[0]!) !== typeName(shape[0]!)) return source;
  return shape.slice(0, source.length).map((element, index) => pruneValue(source[index]!, element));
}

function typeName(value: PropertyValue): string {
  if (value === null) return "null";
  if (value instanceof Unknown) return "unknown";
  return Array.isArray(value) ? "list" : typeof value;
}
