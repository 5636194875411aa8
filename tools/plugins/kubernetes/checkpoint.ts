import { containsSecret, isPropertyMap, mapValues, Secret, withoutSecrets } from "../rpc/values";
import type { PropertyMap, PropertyValue } from "../rpc/values";
import { omit, type KubeObject } from "./object";

// Property names of programs cannot have dashes.
const DASHED = [
  "x-kubernetes-embedded-resource",
  "x-kubernetes-int-or-string",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-list-type",
  "x-kubernetes-map-type",
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-validations",
];
const toDash = new Map(DASHED.map((name) => [name.replaceAll("-", "_"), name]));
const toUnderscore = new Map(DASHED.map((name) => [name, name.replaceAll("-", "_")]));

function renamed(value: PropertyValue, names: Map<string, string>): PropertyValue {
  if (Array.isArray(value)) return value.map((element) => renamed(element, names));
  if (!isPropertyMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, element]) => [names.get(key) ?? key, renamed(element, names)]),
  );
}

/** What a program or the state says, as the API server takes it. */
export function toObject(properties: PropertyMap): KubeObject {
  return renamed(withoutSecrets(properties), toDash) as KubeObject;
}

/**
 * Marks in `values` what is secret in `origin`. Maps are gone through, so that one secret does not hide the
 * object around it; a list with a secret is secret as a whole, as its order may have changed. The data of a
 * Secret always is.
 */
export function markSecrets(values: PropertyMap, origin: PropertyMap): PropertyMap {
  const marked = mapValues(values, (value, key) => {
    const source = origin[key];
    if (isPropertyMap(value) && isPropertyMap(source)) return markSecrets(value, source);
    return containsSecret(source) && !(value instanceof Secret) ? new Secret(value) : value;
  });
  if (marked.kind !== "Secret") return marked;
  for (const key of ["data", "stringData"]) {
    const value = values[key];
    if (value !== undefined && !(value instanceof Secret)) marked[key] = new Secret(value);
  }
  return marked;
}

/** Annotation in which `kubectl apply` keeps what it has applied. */
export const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

export interface Checkpoint {
  readonly inputs: KubeObject;
  readonly live: KubeObject;
  /** The program's inputs, for what is secret in them. */
  readonly origin: PropertyMap;
  readonly initialApiVersion: string;
  readonly fieldManager: string;
}

/** The outputs of a resource: the live object, and with it what is needed to tell later changes from ours. */
export function writeCheckpoint(checkpoint: Checkpoint): PropertyMap {
  const { inputs, live, origin } = checkpoint;
  const marked = markSecrets(renamed(live, toUnderscore) as PropertyMap, origin);
  return {
    ...(live.kind === "Secret" || containsSecret(origin) ? withSecretCopy(marked) : marked),
    __fieldManager: checkpoint.fieldManager,
    __initialApiVersion: checkpoint.initialApiVersion,
    __inputs: markSecrets(renamed(inputs, toUnderscore) as PropertyMap, origin),
  };
}

/** Whoever applies an object with kubectl leaves a copy of all that it has in one of its annotations. */
function withSecretCopy(object: PropertyMap): PropertyMap {
  const { metadata } = object;
  const annotations = isPropertyMap(metadata) ? metadata.annotations : undefined;
  if (!isPropertyMap(metadata) || !isPropertyMap(annotations)) return object;
  const copy = annotations[lastApplied];
  if (copy === undefined || copy instanceof Secret) return object;
  return {
    ...object,
    metadata: { ...metadata, annotations: { ...annotations, [lastApplied]: new Secret(copy) } },
  };
}

export function readCheckpoint(state: PropertyMap): { inputs: KubeObject; live: KubeObject } {
  const object = toObject(state);
  const { __inputs: inputs } = object;
  const live = omit(object, "__inputs", "__fieldManager", "__initialApiVersion");
  return { inputs: isPropertyMap(inputs) ? inputs : {}, live };
}

/** The texts of at least this length that may not appear in any message. */
const SHORTEST_SECRET = 4;

/** Takes every secret of `properties` out of a message, plain or in base64. */
export function redactor(properties: PropertyMap): (message: string) => string {
  const hidden = new Set<string>();
  const collect = (value: PropertyValue, secret: boolean): void => {
    if (value instanceof Secret) collect(value.value, true);
    else if (Array.isArray(value)) value.forEach((element) => collect(element, secret));
    else if (isPropertyMap(value)) Object.values(value).forEach((element) => collect(element, secret));
    else if (secret && typeof value === "string") {
      for (const text of [
        value,
        Buffer.from(value).toString("base64"),
        Buffer.from(value, "base64").toString(),
      ]) {
        if (text.length >= SHORTEST_SECRET) hidden.add(text);
      }
    }
  };
  collect(markSecrets(properties, properties), false);
  const longestFirst = [...hidden].sort((a, b) => b.length - a.length);
  return (message) => longestFirst.reduce((text, secret) => text.replaceAll(secret, "[secret]"), message);
}
