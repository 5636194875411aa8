import { type JavaScriptValue, Struct, Value } from "google-protobuf/google/protobuf/struct_pb";
import { exchangePlainStructs } from "./structs";
import { Archive, Asset, mapValues, Secret, Unknown, type PropertyMap, type PropertyValue } from "./values";

// Objects that stand for something else carry this key; its value says what. All of these are fixed by Pulumi's
// wire protocol.
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const ASSET = "c44067f5952c0a294b673a41bacd8c17";
const ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7";
const OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
const RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e";

const UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
/** The engine tells unknowns apart by expected type; to a provider they are all the same. */
const UNKNOWNS = new Set([
  UNKNOWN_STRING,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", // boolean
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421", // number
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2", // array
  "030794c1-ac77-496b-92df-f27374a8bd58", // asset
  "e48ece36-62e2-4504-bad9-02848725956a", // archive
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff", // object
]);

exchangePlainStructs({ Struct, Value });

/** Reads the properties of a request. A missing struct is an empty map. */
export function decodeProperties(struct: Struct | undefined): PropertyMap {
  return mapValues(struct?.toJavaScript() ?? {}, decodeValue);
}

/** Writes properties for a response. Keys whose value is `undefined` are left out. */
export function encodeProperties(properties: Record<string, PropertyValue | undefined>): Struct {
  return Struct.fromJavaScript(encodeAll(properties));
}

function decodeValue(value: JavaScriptValue): PropertyValue {
  if (typeof value === "string") return UNKNOWNS.has(value) ? Unknown.value : value;
  if (Array.isArray(value)) return value.map(decodeValue);
  if (typeof value === "object" && value !== null) {
    return decodeObject(mapValues(value as Record<string, JavaScriptValue>, decodeValue));
  }
  return value;
}

function decodeObject(object: PropertyMap): PropertyValue {
  switch (object[SIGNATURE]) {
    case undefined:
      return object;
    case SECRET:
      return new Secret(object.value ?? null);
    case ASSET:
      return new Asset(texts(object, ["path", "text", "uri", "hash"]));
    case ARCHIVE: {
      const assets = object.assets as Record<string, Asset | Archive> | undefined;
      return new Archive({ ...texts(object, ["path", "uri", "hash"]), ...(assets && { assets }) });
    }
    case OUTPUT: {
      const value = object.value === undefined ? Unknown.value : object.value;
      return object.secret === true ? new Secret(value) : value;
    }
    case RESOURCE:
      return object.id ?? object.urn ?? null;
    default:
      throw new Error(`cannot read a property with the unknown signature ${String(object[SIGNATURE])}`);
  }
}

function texts<Key extends string>(object: PropertyMap, keys: Key[]): { [K in Key]?: string } {
  const found: { [K in Key]?: string } = {};
  for (const key of keys) {
    const value = object[key];
    if (typeof value === "string") found[key] = value;
  }
  return found;
}

function encodeAll(properties: Record<string, PropertyValue | undefined>): Record<string, JavaScriptValue> {
  const encoded: Record<string, JavaScriptValue> = {};
  for (const [key, value] of Object.entries(properties)) {
    if (value !== undefined) encoded[key] = encodeValue(value);
  }
  return encoded;
}

function encodeValue(value: PropertyValue): JavaScriptValue {
  if (value === null || typeof value !== "object") return value;
  if (value instanceof Unknown) return UNKNOWN_STRING;
  if (Array.isArray(value)) return value.map((element) => encodeValue(element ?? null));
  return encodeAll(encodeObject(value));
}

function encodeObject(
  value: Secret | Asset | Archive | PropertyMap,
): Record<string, PropertyValue | undefined> {
  if (value instanceof Secret) return { [SIGNATURE]: SECRET, value: value.value };
  if (value instanceof Asset) return { [SIGNATURE]: ASSET, ...value.content };
  if (value instanceof Archive) {
    const { assets, ...rest } = value.content;
    return { [SIGNATURE]: ARCHIVE, ...rest, ...(assets && { assets: mapValues(assets, (asset) => asset) }) };
  }
  return value;
}
