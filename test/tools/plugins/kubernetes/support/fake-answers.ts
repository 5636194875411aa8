import type { PropertyMap } from "../../../../../tools/plugins/rpc/values";
import { nameOf, text, texts, type KubeObject } from "../../../../../tools/plugins/kubernetes/object";
import type { Kind } from "./fake-kinds";

export class Refusal extends Error {
  constructor(
    readonly code: number,
    readonly reason: string,
    message: string,
    readonly details: PropertyMap = {},
  ) {
    super(message);
  }
}

export function found(object: KubeObject | undefined, kind: Kind, name: string): KubeObject {
  if (object) return object;
  throw new Refusal(404, "NotFound", `${kind.plural} "${name}" not found`, { kind: kind.plural, name });
}

export function listed(
  objects: Map<string, KubeObject>,
  kind: Kind,
  namespace: string,
  query: URLSearchParams,
): PropertyMap {
  const wanted = new URLSearchParams((query.get("labelSelector") ?? "").replaceAll(",", "&"));
  const fieldName = /metadata\.name=(.*)/.exec(query.get("fieldSelector") ?? "")?.[1];
  const items = [...objects.values()].filter((object) => {
    const labels = texts(object, "metadata", "labels");
    const ofKind = text(object, "kind") === kind.kind;
    // Without a namespace all of them are asked for.
    const inPlace = ofKind && (namespace === "" || text(object, "metadata", "namespace") === namespace);
    return (
      inPlace &&
      [...wanted].every(([key, value]) => labels[key] === value) &&
      (!fieldName || nameOf(object) === fieldName)
    );
  });
  return { kind: `${kind.kind}List`, apiVersion: kind.apiVersion, metadata: {}, items };
}

export function requireVersion(current: KubeObject, body: KubeObject): void {
  const wanted = text(body, "metadata", "resourceVersion");
  if (wanted && wanted !== text(current, "metadata", "resourceVersion")) {
    throw new Refusal(
      409,
      "Conflict",
      "the object has been modified; please apply your changes to the latest version",
    );
  }
}

/** What the API server's own controllers say at once. */
export function ownStatus(object: KubeObject): KubeObject {
  switch (object.kind) {
    case "Namespace":
      return { ...object, status: { phase: "Active" } };
    case "CustomResourceDefinition":
      return { ...object, status: { conditions: [{ type: "Established", status: "True" }] } };
    default:
      return object;
  }
}
