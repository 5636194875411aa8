import { isPropertyMap, type PropertyMap, type PropertyValue } from "../rpc/values";
import { parsePath } from "./diff";
import { field, list, text, withField, type KubeObject } from "./object";

const KUBECTL_APPLY = { manager: "kubectl", operation: "Apply" };

/** Writers whose fields belong to the resource: creations by this provider, and earlier tools for the same object. */
const FORMER_MANAGERS = [
  KUBECTL_APPLY,
  { manager: "kubectl", operation: "Update" },
  { manager: "before-first-apply", operation: "Update" },
  { manager: "pulumi-kubernetes", operation: "Update" },
  { manager: "pulumi-kubernetes.exe", operation: "Update" },
  { manager: "pulumi-resource-kubernetes", operation: "Update" },
];

const isBy = (entry: PropertyMap, { manager, operation }: { manager: string; operation: string }) =>
  text(entry, "manager") === manager && text(entry, "operation") === operation;

/** Whether this provider wrote the object other than by an apply, as it does when it creates one. */
export function wroteWithoutApply(live: KubeObject): boolean {
  return list(live, "metadata", "managedFields").some((entry) =>
    FORMER_MANAGERS.slice(3).some((former) => isBy(entry, former)),
  );
}

/**
 * A JSON patch that gives `manager` the fields of former managers, so that it does not conflict with them and can
 * remove them. `undefined` when there is nothing to take over.
 */
export function takeOverCreation(live: KubeObject, manager: string): PropertyValue | undefined {
  const entries = list(live, "metadata", "managedFields");
  const isOurs = (entry: PropertyMap) => isBy(entry, { manager, operation: "Apply" });
  const isFormer = (entry: PropertyMap) =>
    !text(entry, "subresource") && !isOurs(entry) && FORMER_MANAGERS.some((former) => isBy(entry, former));
  const former = entries.filter(isFormer);
  const [first] = former;
  if (!first) return undefined;

  const own = entries.find(isOurs) ?? { ...first, manager, operation: "Apply" };
  const fieldsV1 = [own, ...former].map((entry): PropertyValue => entry.fieldsV1 ?? {}).reduce(union);
  const others = entries.filter((entry) => !isOurs(entry) && !isFormer(entry));
  return [
    { op: "replace", path: "/metadata/managedFields", value: [...others, { ...own, fieldsV1 }] },
    // Refused when somebody else writes in between.
    { op: "replace", path: "/metadata/resourceVersion", value: text(live, "metadata", "resourceVersion") },
  ];
}

function union(a: PropertyValue, b: PropertyValue): PropertyValue {
  if (!isPropertyMap(a) || !isPropertyMap(b)) return a;
  const result: PropertyMap = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const other = a[key];
    result[key] = other === undefined ? value : union(other, value);
  }
  return result;
}

/**
 * Leaves ignored fields to whom they belong: a field that only others manage is not sent at all, any other keeps
 * the value that it has in the cluster.
 */
export function keepIgnored(
  inputs: KubeObject,
  live: KubeObject,
  manager: string,
  ignoreChanges: string[],
): KubeObject {
  const entries = list(live, "metadata", "managedFields");
  return ignoreChanges.map(parsePath).reduce<KubeObject>((result, path) => {
    // Elements of lists are not told apart by their place in managed fields.
    if (!path.every((part): part is string => typeof part === "string")) return result;
    const managers = entries.filter((entry) => manages(entry, path)).map((entry) => text(entry, "manager"));
    if (managers.length > 0 && !managers.includes(manager)) return withField(result, path, undefined);
    const current = field(live, ...path);
    return current === undefined ? result : withField(result, path, current);
  }, inputs);
}

function manages(entry: PropertyMap, path: string[]): boolean {
  return field(entry.fieldsV1, ...path.map((key) => `f:${key}`)) !== undefined;
}
