import { annotation, type KubeObject } from "./object";

/** Annotations with which a program tells the provider how to handle one object. */
export const Annotations = {
  /** Set by the provider on a name that it made up. */
  autonamed: "pulumi.com/autonamed",
  /** "true": do not wait until the object is ready, or gone. */
  skipAwait: "pulumi.com/skipAwait",
  /** What to wait for instead: `jsonpath={.path}=value`, `condition=Type=Status`, or a JSON list of these. */
  waitFor: "pulumi.com/waitFor",
  /** Seconds to wait until the object is ready, or gone. Default 600. `customTimeouts` wins. */
  timeoutSeconds: "pulumi.com/timeoutSeconds",
  /** "true": replace a Job that has not completed. */
  replaceUnready: "pulumi.com/replaceUnready",
  /** "true": take over fields that somebody else manages. */
  patchForce: "pulumi.com/patchForce",
  /** The name under which fields are managed. */
  fieldManager: "pulumi.com/patchFieldManager",
  /** `foreground` (default), `background` or `orphan`. */
  deletionPropagation: "pulumi.com/deletionPropagationPolicy",
} as const;

const DEFAULT_TIMEOUT_SECONDS = 600;

export const isOn = (object: KubeObject, key: string) => annotation(object, key) === "true";

export function timeoutMilliseconds(object: KubeObject, customTimeoutSeconds: number): number {
  if (customTimeoutSeconds > 0) return customTimeoutSeconds * 1000;
  const own = annotation(object, Annotations.timeoutSeconds);
  return (/^\d+$/.test(own) ? Number(own) : DEFAULT_TIMEOUT_SECONDS) * 1000;
}

export function deletionPropagation(object: KubeObject): "Foreground" | "Background" | "Orphan" {
  switch (annotation(object, Annotations.deletionPropagation).toLowerCase()) {
    case "orphan":
      return "Orphan";
    case "background":
      return "Background";
    default:
      return "Foreground";
  }
}
