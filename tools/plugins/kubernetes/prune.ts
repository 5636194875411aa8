import { isPropertyMap, Unknown, type PropertyMap, type PropertyValue } from "../rpc/values";

/** Only those parts of `source` that `shape` has too, so that fields that the cluster filled in drop out. */
export function prune(source: PropertyMap, shape: PropertyMap): PropertyMap {
  const pruned: PropertyMap = {};
  for (const [key, value] of Object.entries(source)) {
    const part = shape[key];
    if (part !== undefined) pruned[key] = pruneValue(value, part);
  }
  return pruned;
}

function pruneValue(value: PropertyValue, shape: PropertyValue): PropertyValue {
  if (isPropertyMap(value) && isPropertyMap(shape)) return prune(value, shape);
  if (Array.isArray(value) && Array.isArray(shape)) return pruneList(value, shape);
  return value;
}

function pruneList(source: PropertyValue[], shape: PropertyValue[]): PropertyValue[] {
  const [first] = source;
  const [shapeOfFirst] = shape;
  if (first === undefined || shapeOfFirst === undefined) return [];
  if (typeName(first) !== typeName(shapeOfFirst)) return source;
  return source.slice(0, shape.length).map((value, index) => pruneValue(value, shape[index] ?? null));
}

function typeName(value: PropertyValue): string {
  if (value === null) return "null";
  if (value instanceof Unknown) return "unknown";
  return Array.isArray(value) ? "list" : typeof value;
}
