import { createHash, randomBytes } from "node:crypto";
import type { CheckRequest } from "../rpc/provider";
import { isPropertyMap, Unknown, type PropertyMap } from "../rpc/values";
import { Annotations, isOn } from "./annotations";
import { field, nameOf, text, withField, type KubeObject } from "./object";

const FIELD_MANAGER_PREFIX = "pulumi-kubernetes-";

/** Whether the program gives a name, be it one that is not known yet. */
export function isNamed(object: KubeObject): boolean {
  return nameOf(object) !== "" || [undefined, "name"].some((key) => isUnknownMetadata(object, key));
}

function isUnknownMetadata(object: KubeObject, key: string | undefined): boolean {
  return field(object, "metadata", ...(key ? [key] : [])) instanceof Unknown;
}

export const isAutonamed = (object: KubeObject) => isOn(object, Annotations.autonamed);

/** Eight hexadecimal digits that follow from the seed, so that a preview shows the name that the update takes. */
export function hexSuffix(seed: Uint8Array): string {
  if (seed.length === 0) return randomBytes(4).toString("hex");
  return createHash("sha256").update(seed).digest("hex").slice(0, 8);
}

/** Gives an object without a name one, unless the stack forbids it. */
export function assignName(object: KubeObject, request: CheckRequest): KubeObject {
  if (isNamed(object)) return object;
  if (text(object, "metadata", "generateName") !== "" || isUnknownMetadata(object, "generateName")) {
    throw new Error(
      "metadata.generateName cannot be used with server-side apply: set metadata.name, or leave both out for " +
        "a name of its own",
    );
  }
  const { autonaming } = request;
  if (autonaming?.mode === "disable") {
    throw new Error("this stack's settings switch automatic names off: set metadata.name");
  }
  return withAutoname(object, autonaming?.proposedName || `${request.name}-${hexSuffix(request.randomSeed)}`);
}

/** Keeps the name that an earlier update made up. */
export function adoptName(object: KubeObject, old: KubeObject): KubeObject {
  return !isNamed(object) && isAutonamed(old) && nameOf(old) ? withAutoname(object, nameOf(old)) : object;
}

function withAutoname(object: KubeObject, name: string): KubeObject {
  const named = withField(object, ["metadata", "name"], name);
  return withField(named, ["metadata", "annotations", Annotations.autonamed], "true");
}

/** The name under which this resource's fields are managed: the object's own, the one in state, or a new one. */
export function fieldManager(object: KubeObject, state: PropertyMap): string {
  const own = text(object, "metadata", "annotations", Annotations.fieldManager);
  if (own) return own;
  const kept = state.__fieldManager;
  return typeof kept === "string" && kept ? kept : FIELD_MANAGER_PREFIX + randomBytes(4).toString("hex");
}

const MANAGED_BY = "app.kubernetes.io/managed-by";

/** Objects from the time before server-side apply carry a label that has to stay until they are replaced. */
export function keepManagedByLabel(object: KubeObject, old: KubeObject): KubeObject {
  const label = process.env.PULUMI_KUBERNETES_MANAGED_BY_LABEL ?? "pulumi";
  if (text(old, "metadata", "labels", MANAGED_BY) !== label) return object;
  const labels = field(object, "metadata", "labels");
  if (labels !== undefined && !isPropertyMap(labels)) return object;
  return withField(object, ["metadata", "labels", MANAGED_BY], label);
}
