import type { PropertyMap } from "../../../../../tools/plugins/rpc/values";
import { field, list, nameOf, text, type KubeObject } from "../../../../../tools/plugins/kubernetes/object";
import { found, listed, ownStatus, Refusal, requireVersion } from "./fake-answers";
import { jsonPatched, type PatchOperation } from "./fake-patch";
import { present } from "./present";
import { KINDS, type Kind } from "./fake-kinds";
import { applyPatch, Conflict, setManager } from "./fake-fields";

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly kind: string;
  readonly name: string;
}

/** The objects of a cluster and what its API server makes of requests for them. */
export class FakeStore {
  readonly objects = new Map<string, KubeObject>();
  /** Changes an object after each write to it, as a controller would. */
  controller: (object: KubeObject) => KubeObject = (object) => object;

  private readonly kinds = [...KINDS];
  private version = 1;

  constructor() {
    for (const name of ["default", "kube-system"]) {
      this.put({ apiVersion: "v1", kind: "Namespace", metadata: { name }, status: { phase: "Active" } });
    }
  }

  key(kind: string, namespace: string, name: string): string {
    return `${kind}/${namespace}/${name}`;
  }

  get(kind: string, namespace: string, name: string): KubeObject | undefined {
    return this.objects.get(this.key(kind, namespace, name));
  }

  /** The object that a test expects to be there. */
  live(kind: string, namespace: string, name: string): KubeObject {
    return present(this.get(kind, namespace, name));
  }

  /** Puts an object there as somebody else would. */
  put(object: KubeObject): void {
    const metadata = {
      uid: `uid-${this.version}`,
      ...(object.metadata as PropertyMap),
      resourceVersion: this.next(),
    };
    const stored = { ...object, metadata };
    this.objects.set(
      this.key(text(object, "kind"), text(object, "metadata", "namespace"), nameOf(object)),
      stored,
    );
  }

  /** Changes an object as somebody with another tool would; the API server remembers the tool. */
  edit(
    key: [kind: string, namespace: string, name: string],
    manager: string,
    change: (object: KubeObject) => void,
  ) {
    const current = this.live(...key);
    const changed = structuredClone(current);
    change(changed);
    this.put(setManager(changed, current, manager, "Update"));
  }

  private next(): string {
    return String(this.version++);
  }

  target(path: string): { kind: Kind; namespace: string; name: string } | undefined {
    const match =
      /^\/(?:api|apis)\/(v1|[^/]+\/v\d\w*)(?:\/namespaces\/([^/]+)(?=\/))?\/([^/]+)(?:\/([^/]+))?$/.exec(
        path,
      );
    if (!match) return undefined;
    const [, apiVersion, namespace = "", plural, name = ""] = match;
    const kind = this.kinds.find((known) => known.apiVersion === apiVersion && known.plural === plural);
    return kind && { kind, namespace, name };
  }

  answer(
    call: Call,
    body: KubeObject,
    target: ReturnType<FakeStore["target"]>,
    contentType: string,
  ): PropertyMap {
    if (call.path === "/version") return { major: "1", minor: "34", gitVersion: "v1.34.3" };
    if (!target) return this.discover(call.path);
    const { kind, namespace, name } = target;
    const dryRun = call.query.get("dryRun") === "All";
    const manager = call.query.get("fieldManager") ?? "unknown";
    if (namespace && !this.get("Namespace", "", namespace) && call.method !== "GET") {
      throw new Refusal(404, "NotFound", `namespaces "${namespace}" not found`, {
        kind: "namespaces",
        name: namespace,
      });
    }
    const current = name ? this.get(kind.kind, namespace, name) : undefined;
    switch (call.method) {
      case "GET":
        return name ? found(current, kind, name) : listed(this.objects, kind, namespace, call.query);
      case "POST":
        if (this.get(kind.kind, namespace, nameOf(body))) {
          throw new Refusal(409, "AlreadyExists", `${kind.plural} "${nameOf(body)}" already exists`);
        }
        return this.store(kind, namespace, setManager(body, undefined, manager, "Update"), undefined, dryRun);
      case "PUT":
        requireVersion(found(current, kind, name), body);
        return this.store(kind, namespace, setManager(body, current, manager, "Update"), current, dryRun);
      case "PATCH":
        if (contentType.includes("json-patch"))
          return this.jsonPatch(found(current, kind, name), body, kind, namespace, manager);
        return this.apply(
          kind,
          namespace,
          name,
          body,
          current,
          manager,
          call.query.get("force") === "true",
          dryRun,
        );
      default:
        return this.remove(found(current, kind, name), kind, namespace);
    }
  }

  private discover(path: string): PropertyMap {
    if (path === "/apis") {
      const versions = new Set(
        this.kinds.map(({ apiVersion }) => apiVersion).filter((each) => each !== "v1"),
      );
      const groups = [...versions].map((groupVersion) => ({
        name: groupVersion.split("/", 1).join(),
        preferredVersion: { groupVersion },
      }));
      return { kind: "APIGroupList", groups };
    }
    const apiVersion = /^\/(?:api|apis)\/(.+)$/.exec(path)?.[1] ?? "";
    const kinds = this.kinds.filter((kind) => kind.apiVersion === apiVersion);
    if (kinds.length === 0)
      throw new Refusal(404, "NotFound", "the server could not find the requested resource");
    const resources = kinds.map(({ kind, plural, namespaced }) => ({
      kind,
      name: plural,
      namespaced,
      verbs: ["get", "list"],
    }));
    return { kind: "APIResourceList", groupVersion: apiVersion, resources };
  }

  private apply(
    kind: Kind,
    namespace: string,
    name: string,
    body: KubeObject,
    current: KubeObject | undefined,
    manager: string,
    force: boolean,
    dryRun: boolean,
  ): KubeObject {
    if (nameOf(body) !== name)
      throw new Refusal(400, "BadRequest", "the name of the object does not match the URL");
    try {
      return this.store(kind, namespace, applyPatch(body, current, manager, force), current, dryRun);
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
      const causes = error.fields.map((path) => ({
        reason: "FieldManagerConflict",
        field: path,
        message: error.message,
      }));
      throw new Refusal(409, "Conflict", error.message, { causes });
    }
  }

  private jsonPatch(
    current: KubeObject,
    patch: PropertyMap,
    kind: Kind,
    namespace: string,
    manager: string,
  ): KubeObject {
    const operations = patch as unknown as PatchOperation[];
    const patched = jsonPatched(current, operations);
    requireVersion(current, patched);
    const setsManagers = operations.some(({ path }) => path === "/metadata/managedFields");
    const object = setsManagers ? patched : setManager(patched, current, manager, "Update");
    return this.store(kind, namespace, object, current, false);
  }

  private store(
    kind: Kind,
    namespace: string,
    object: KubeObject,
    current: KubeObject | undefined,
    dryRun: boolean,
  ): KubeObject {
    const immutable = kind.kind === "Deployment" ? "selector" : "";
    const before = field(current, "spec", immutable);
    if (
      immutable &&
      before !== undefined &&
      JSON.stringify(before) !== JSON.stringify(field(object, "spec", immutable))
    ) {
      throw new Refusal(422, "Invalid", `spec.${immutable}: Invalid value: field is immutable`);
    }
    const differs = (key: string) => JSON.stringify(current?.[key]) !== JSON.stringify(object[key]);
    if (current?.immutable === true && (differs("data") || differs("immutable"))) {
      throw new Refusal(422, "Invalid", "data: Forbidden: field is immutable when `immutable` is set");
    }
    const changed = JSON.stringify(current?.spec ?? null) !== JSON.stringify(object.spec ?? null);
    const generation = (Number(field(current, "metadata", "generation")) || 0) + (changed ? 1 : 0);
    const stored: KubeObject = {
      ...object,
      ...(current?.status ? { status: current.status } : {}),
      metadata: {
        creationTimestamp: "2026-01-01T00:00:00Z",
        uid: `uid-${this.version}`,
        ...(namespace ? { namespace } : {}),
        ...(object.metadata as PropertyMap),
        generation,
        resourceVersion: this.next(),
      },
    };
    if (dryRun) return stored;
    const controlled = this.controller(ownStatus(stored));
    this.objects.set(this.key(kind.kind, namespace, nameOf(object)), controlled);
    if (kind.kind === "CustomResourceDefinition") this.define(controlled);
    return stored;
  }

  private define(definition: KubeObject): void {
    for (const version of list(definition, "spec", "versions")) {
      const apiVersion = `${text(definition, "spec", "group")}/${text(version, "name")}`;
      const kind = text(definition, "spec", "names", "kind");
      if (this.kinds.some((known) => known.apiVersion === apiVersion && known.kind === kind)) continue;
      const plural = text(definition, "spec", "names", "plural");
      this.kinds.push({
        apiVersion,
        kind,
        plural,
        namespaced: text(definition, "spec", "scope") === "Namespaced",
      });
    }
  }

  private remove(current: KubeObject, kind: Kind, namespace: string): KubeObject {
    const finalizers = field(current, "metadata", "finalizers");
    const key = this.key(kind.kind, namespace, nameOf(current));
    if (Array.isArray(finalizers) && finalizers.length > 0) {
      const metadata = { ...(current.metadata as PropertyMap), deletionTimestamp: "2026-01-01T00:00:01Z" };
      this.objects.set(key, { ...current, metadata });
      return { ...current, metadata };
    }
    this.objects.delete(key);
    if (kind.kind === "Namespace") {
      for (const [other, object] of this.objects) {
        if (text(object, "metadata", "namespace") === nameOf(current)) this.objects.delete(other);
      }
    }
    return { kind: "Status", status: "Success", details: { uid: text(current, "metadata", "uid") } };
  }
}
