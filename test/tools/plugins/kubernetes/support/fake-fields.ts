import { isPropertyMap, type PropertyMap, type PropertyValue } from "../../../../../tools/plugins/rpc/values";
import {
  field,
  list,
  omit,
  text,
  withField,
  type KubeObject,
} from "../../../../../tools/plugins/kubernetes/object";

/** Fields that somebody else manages and that an apply would change. */
export class Conflict extends Error {
  constructor(readonly fields: string[]) {
    super(`Apply failed with ${fields.length} conflict: ${fields.join(", ")}`);
  }
}

type Path = string[];

const IDENTITY = new Set(["apiVersion", "kind", "metadata.name", "metadata.namespace"]);

/** Every leaf of an object, lists counting as one, but for those that say which object it is. */
function leaves(value: PropertyValue, path: Path = []): Path[] {
  if (IDENTITY.has(path.join("."))) return [];
  if (!isPropertyMap(value)) return [path];
  const keys = Object.entries(value);
  if (keys.length === 0 && path.length > 1) return [path];
  return keys.flatMap(([key, element]) => leaves(element, [...path, key]));
}

function toFields(paths: Path[]): PropertyMap {
  let fields: PropertyMap = {};
  for (const path of paths)
    fields = withField(
      fields,
      path.map((key) => `f:${key}`),
      {},
    );
  return fields;
}

function fromFields(fields: PropertyValue | undefined, path: Path = []): Path[] {
  if (!isPropertyMap(fields)) return [];
  const children = Object.entries(fields).filter(([key]) => key.startsWith("f:"));
  if (children.length === 0) return path.length > 0 ? [path] : [];
  return children.flatMap(([key, element]) => fromFields(element, [...path, key.slice(2)]));
}

const same = (a: PropertyValue | undefined, b: PropertyValue | undefined) =>
  JSON.stringify(a) === JSON.stringify(b);
const isBy = (entry: PropertyMap, manager: string, operation: string) =>
  text(entry, "manager") === manager && text(entry, "operation") === operation;

function withoutManaged(object: KubeObject): KubeObject {
  const keys = ["managedFields", "resourceVersion", "uid", "generation", "creationTimestamp"];
  const rest = omit(object, "status");
  return keys.reduce<KubeObject>((result, key) => withField(result, ["metadata", key], undefined), rest);
}

/** A create or a replace: the manager gets all the fields that it changed. */
export function setManager(
  object: KubeObject,
  current: KubeObject | undefined,
  manager: string,
  operation: string,
): KubeObject {
  const changed = leaves(withoutManaged(object)).filter(
    (path) => !same(field(object, ...path), field(current, ...path)),
  );
  const entries = list(current, "metadata", "managedFields");
  const isChanged = (path: Path) => changed.some((other) => same(other, path));
  const others = entries
    .filter((entry) => !isBy(entry, manager, operation))
    .map((entry) => ({
      ...entry,
      fieldsV1: toFields(fromFields(entry.fieldsV1).filter((path) => !isChanged(path))),
    }));
  const before = fromFields(entries.find((entry) => isBy(entry, manager, operation))?.fieldsV1);
  const kept = before.filter((path) => field(object, ...path) !== undefined && !isChanged(path));
  const fieldsV1 = toFields([...kept, ...changed]);
  const time = "2026-01-01T00:00:00Z";
  const own = { manager, operation, apiVersion: object.apiVersion ?? null, time, fieldsV1 };
  return withField(object, ["metadata", "managedFields"], [...others, own]);
}

/** A server-side apply, lists counting as one value. */
export function applyPatch(
  applied: KubeObject,
  current: KubeObject | undefined,
  manager: string,
  force: boolean,
): KubeObject {
  const entries = list(current, "metadata", "managedFields");
  const own = entries.find((entry) => isBy(entry, manager, "Apply"));
  const wanted = leaves(withoutManaged(applied));
  const others = entries.filter((entry) => entry !== own);
  const managedByOthers = (path: Path) =>
    others.some((entry) => field(entry.fieldsV1, ...path.map((key) => `f:${key}`)) !== undefined);

  const conflicts = wanted.filter(
    (path) => managedByOthers(path) && !same(field(applied, ...path), field(current, ...path)),
  );
  if (conflicts.length > 0 && !force) throw new Conflict(conflicts.map((path) => `.${path.join(".")}`));

  let result: KubeObject = current ?? applied;
  const before = fromFields(own?.fieldsV1);
  for (const path of before) {
    const kept = wanted.some((other) => same(other, path));
    if (!kept && !managedByOthers(path)) result = withField(result, path, undefined);
  }
  for (const path of wanted) result = withField(result, path, field(applied, ...path));
  const mine = {
    manager,
    operation: "Apply",
    apiVersion: applied.apiVersion ?? null,
    fieldsV1: toFields(wanted),
  };
  const rest = others.map((entry) => {
    const kept = fromFields(entry.fieldsV1).filter((path) => !conflicts.some((lost) => same(lost, path)));
    return { ...entry, fieldsV1: toFields(kept) };
  });
  return withField(result, ["metadata", "managedFields"], wanted.length > 0 ? [...rest, mine] : rest);
}
