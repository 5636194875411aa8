import { containsUnknown, isPropertyMap, type PropertyMap, type PropertyValue } from "../rpc/values";
import {
  field,
  isCustomResourceDefinition,
  isKind,
  kindOf,
  omit,
  text,
  withField,
  type KubeObject,
} from "./object";
import { prune } from "./prune";
import { canonicalQuantity } from "./quantity";
import { isBuiltIn } from "./kinds";
import fields from "./types/fields.json";

const READ_ONLY = [
  "creationTimestamp",
  "deletionGracePeriodSeconds",
  "deletionTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "uid",
];

const kinds: Record<string, number> = fields.kinds;
const structs: Record<string, string>[] = fields.structs as Record<string, string>[];

/**
 * Brings inputs into the form in which the API server gives them back: empty optional fields and fields that the
 * API does not have are left out, quantities have their one spelling. Without it, such inputs would differ from
 * the live object for ever. Inputs with unknowns keep their form; custom resources have no known form.
 */
export function normalizeInputs(object: KubeObject): KubeObject {
  let result = object;
  if (!containsUnknown(object) && isBuiltIn(text(object, "apiVersion"))) result = normalizeKnown(object);
  for (const key of READ_ONLY) result = withField(result, ["metadata", key], undefined);
  return result;
}

function normalizeKnown(object: KubeObject): KubeObject {
  if (isCustomResourceDefinition(object)) return normalizeDefinition(object);
  if (isKind(object, "", "Secret")) return normalizeSecret(object);
  const apiVersion = text(object, "apiVersion").replace(/^core\//, "");
  const struct = kinds[`${apiVersion}/${kindOf(object)}`];
  if (struct === undefined) return object;
  const typed = convertStruct(object, struct);
  // A value of the wrong type: the API server says so better than we could.
  return typed === undefined ? object : prune(typed, object);
}

function normalizeDefinition(object: KubeObject): KubeObject {
  const rest = omit(object, "status");
  return field(rest, "spec", "preserveUnknownFields") === false
    ? withField(rest, ["spec", "preserveUnknownFields"], undefined)
    : rest;
}

function normalizeSecret(object: KubeObject): KubeObject {
  const { stringData, ...rest } = object;
  const data: PropertyMap = isPropertyMap(object.data) ? { ...object.data } : {};
  if (isPropertyMap(stringData) && Object.keys(stringData).length > 0) {
    for (const [key, value] of Object.entries(stringData)) {
      if (typeof value !== "string") return object;
      data[key] = Buffer.from(value).toString("base64");
    }
    return { ...rest, data };
  }
  if (Object.keys(data).length === 0) return object;
  for (const [key, value] of Object.entries(data)) {
    // The API server ignores line breaks in base64 and writes it without.
    if (typeof value === "string" && /^[A-Za-z0-9+/=\r\n]*$/.test(value))
      data[key] = value.replace(/[\r\n]/g, "");
  }
  return { ...object, data };
}

/** `undefined` when a value does not have the type that it should have. */
function convertStruct(source: PropertyMap, struct: number): PropertyMap | undefined {
  const result: PropertyMap = {};
  const known = structs[struct] ?? {};
  for (const [key, value] of Object.entries(source)) {
    const type = known[key];
    if (type === undefined || value === null) continue;
    const optional = type.startsWith("?");
    const converted = convert(value, optional ? type.slice(1) : type);
    if (converted === undefined) return undefined;
    if (!(optional && isEmpty(converted))) result[key] = converted;
  }
  return result;
}

function convert(value: PropertyValue, type: string): PropertyValue | undefined {
  switch (type[0]) {
    case "s":
      return typeof value === "string" ? value : undefined;
    case "n":
      return typeof value === "number" ? value : undefined;
    case "b":
      return typeof value === "boolean" ? value : undefined;
    case "q":
      return typeof value === "string" || typeof value === "number"
        ? canonicalQuantity(String(value))
        : undefined;
    case "*":
      return value;
    case "[":
      return Array.isArray(value) ? convertAll(value, type.slice(1)) : undefined;
    case "{":
      return isPropertyMap(value) ? convertMap(value, type.slice(1)) : undefined;
    default:
      return isPropertyMap(value) ? convertStruct(value, Number(type)) : undefined;
  }
}

function convertAll(values: PropertyValue[], type: string): PropertyValue[] | undefined {
  const converted = values.map((value) => (value === null ? null : convert(value, type)));
  return converted.includes(undefined) ? undefined : (converted as PropertyValue[]);
}

function convertMap(map: PropertyMap, type: string): PropertyMap | undefined {
  const result: PropertyMap = {};
  for (const [key, value] of Object.entries(map)) {
    const converted = value === null ? null : convert(value, type);
    if (converted === undefined) return undefined;
    result[key] = converted;
  }
  return result;
}

function isEmpty(value: PropertyValue): boolean {
  if (value === "" || value === 0 || value === false) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isPropertyMap(value) && Object.keys(value).length === 0;
}
