import { Field } from "./field";

/** One Kubernetes object that a resource stands for. */
export interface KubernetesObject {
  /** Without a `Patch` ending: a patch is judged as the object it changes. */
  readonly kind: string;
  readonly group: string;
  readonly root: Field;
  /** The resource it comes from; a list resource gives several objects. */
  readonly resource: Resource;
}

export interface Resource {
  readonly type: string;
  readonly urn: string;
  readonly props: unknown;
}

/** `kubernetes:<group>/<version>:<Kind>`; a custom resource of the core group has no group in its token. */
const typeToken = /^kubernetes:(?:([^:/]+)\/)?[^:/]+:([A-Za-z0-9]+)$/;

/** The objects behind a resource: none if it is not Kubernetes', several for a `List` kind. */
export function objectsOf(resource: Resource): readonly KubernetesObject[] {
  const [, group = "core", name] = typeToken.exec(resource.type) ?? [];
  if (name === undefined) return [];
  const root = Field.root(resource.props);
  const object = { group, resource };
  if (isBuiltIn(group) && name.endsWith("List")) {
    return root
      .at("items")
      .items()
      .map((item) => ({ ...object, kind: itemKind(item, name), root: item }));
  }
  const kind = isBuiltIn(group) ? name.replace(/Patch$/, "") : name;
  return [{ ...object, kind, root }];
}

/** `apps/v1`'s list kinds need no kind in their items; `v1` `List` does. */
function itemKind(item: Field, list: string): string {
  const kind = item.at("kind").value;
  return typeof kind === "string" ? kind : list.replace(/List$/, "");
}

function isBuiltIn(group: string): boolean {
  return !group.includes(".") || group.endsWith(".k8s.io");
}

/** `kind namespace/name` as far as it is known. */
export function describe(object: KubernetesObject): string {
  const name = text(object.root.at("metadata", "name")) ?? text(object.root.at("metadata", "generateName"));
  const namespace = text(object.root.at("metadata", "namespace"));
  return [object.kind, [namespace, name].filter((part) => part !== undefined).join("/")].join(" ").trim();
}

function text(field: Field): string | undefined {
  return typeof field.value === "string" ? field.value : undefined;
}
