import { Field } from "./field";

/** What a policy judges: one object of Kubernetes that a resource stands for, or a resource of GitHub or Docker. */
export interface Target {
  /** Without a `Patch` ending: a patch is judged as the object it changes. */
  readonly kind: string;
  /** API group (`core` for the one without a name), `github` or `docker`. */
  readonly group: string;
  readonly root: Field;
  /** The resource it comes from; a list resource gives several objects. */
  readonly resource: Resource;
}

export interface Resource {
  readonly type: string;
  readonly urn: string;
  readonly props: unknown;
  /** Whether the engine refuses to delete or replace it. */
  readonly protect?: boolean;
  /** URNs that it had before. */
  readonly aliases?: readonly string[];
}

/** `kubernetes:<group>/<version>:<Kind>`; a custom resource of the core group has no group in its token. */
const kubernetesType = /^kubernetes:(?:([^:/]+)\/)?[^:/]+:([A-Za-z0-9]+)$/;

/** Both of Docker's providers: what they build is an `Image`. */
const otherType = /^(github|docker)(?:-build)?:[^:]+:([A-Za-z0-9]+)$/;

/** Whether resources of the type are judged, whatever is in them. */
export function isJudged(type: string): boolean {
  return kubernetesType.test(type) || otherType.test(type);
}

/** The engine hands the same properties to one policy after the other. */
const known = new WeakMap<object, readonly Target[]>();

/** The objects behind a resource: none if nothing judges its provider, several for a `List` kind. */
export function objectsOf(resource: Resource): readonly Target[] {
  const { props } = resource;
  if (typeof props !== "object" || props === null) return readObjects(resource);
  const objects = known.get(props) ?? readObjects(resource);
  known.set(props, objects);
  return objects;
}

/** The object that a field is in; none if it is in no single one of several. */
export function objectAt(resource: Resource, field: Field): Target | undefined {
  const { keys } = field;
  return objectsOf(resource).find(({ root }) => root.keys.every((key, index) => key === keys[index]));
}

/** To be called when properties have been changed. */
export function forget(props: object): void {
  known.delete(props);
}

function readObjects(resource: Resource): readonly Target[] {
  const root = Field.root(resource.props);
  const [, provider, ofProvider] = otherType.exec(resource.type) ?? [];
  if (provider !== undefined && ofProvider !== undefined) {
    return [{ group: provider, kind: ofProvider, root, resource }];
  }
  const [, group = "core", name] = kubernetesType.exec(resource.type) ?? [];
  if (name === undefined) return [];
  const object = { group, resource };
  if (isBuiltIn(group) && name.endsWith("List")) {
    return root
      .at("items")
      .items()
      .map((item) => ({ ...object, kind: itemKind(item, name), root: item }));
  }
  return [{ ...object, kind: patchedKind(root, group, name), root }];
}

/** A custom resource's kind may end like that by itself; the patch of one says the kind without the ending. */
function patchedKind(root: Field, group: string, name: string): string {
  const kind = name.replace(/Patch$/, "");
  return isBuiltIn(group) || root.at("kind").value === kind ? kind : name;
}

/** `apps/v1`'s list kinds need no kind in their items; `v1` `List` does. */
function itemKind(item: Field, list: string): string {
  const kind = item.at("kind").value;
  return typeof kind === "string" ? kind : list.replace(/List$/, "");
}

function isBuiltIn(group: string): boolean {
  return !group.includes(".") || group.endsWith(".k8s.io");
}

/** `Kind namespace/name` as far as it is known; `Kind name` of a repository. */
export function describe(object: Target): string {
  if (object.group === "docker") return `${object.kind} ${text(object.root.at("imageName")) ?? ""}`.trim();
  if (object.group === "github") {
    const place = text(object.root.at("repository")) ?? text(object.root.at("name")) ?? "";
    return `${object.kind} ${place}`.trim();
  }
  const name = text(object.root.at("metadata", "name")) ?? text(object.root.at("metadata", "generateName"));
  const namespace = text(object.root.at("metadata", "namespace"));
  return [object.kind, [namespace, name].filter((part) => part !== undefined).join("/")].join(" ").trim();
}

function text(field: Field): string | undefined {
  return typeof field.value === "string" ? field.value : undefined;
}
