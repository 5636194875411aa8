import { randomBytes } from "node:crypto";
import type { PropertyMap } from "../rpc/values";
import { integer, text } from "../rpc/fields";
import { KEEPERS } from "./keepers";
import { type Adopted, type Kind } from "../rpc/kind";
import { below, seededBytes, systemBytes } from "./source";

function idOutputs(bytes: Buffer, prefix: string): PropertyMap {
  const hex = bytes.toString("hex");
  return {
    b64Std: prefix + bytes.toString("base64"),
    b64Url: prefix + bytes.toString("base64url"),
    hex: prefix + hex,
    dec: prefix + BigInt(`0x${hex}`).toString(),
  };
}

export const randomId: Kind = {
  fields: { byteLength: { type: "integer", required: true, min: 1 }, prefix: { type: "string" }, ...KEEPERS },
  computed: ["b64Std", "b64Url", "hex", "dec"],
  secrets: [],
  generate: (values) => {
    const bytes = randomBytes(integer(values, "byteLength"));
    return { id: bytes.toString("base64url"), outputs: idOutputs(bytes, text(values, "prefix")) };
  },
  adopt: (importId) => {
    const comma = importId.lastIndexOf(",");
    const prefix = importId.slice(0, Math.max(0, comma));
    const id = importId.slice(comma + 1);
    const bytes = Buffer.from(id, "base64url");
    if (!bytes.length || bytes.toString("base64url") !== id) {
      throw new Error(
        `"${importId}" is not an id to import: it takes the value in base64url, or <prefix>,<value>`,
      );
    }
    const values: PropertyMap = { byteLength: bytes.length, ...(prefix && { prefix }) };
    return { id, values, outputs: idOutputs(bytes, prefix) };
  },
};

export const randomBytesKind: Kind = {
  fields: { length: { type: "integer", required: true, min: 1 }, ...KEEPERS },
  computed: ["base64", "hex"],
  secrets: ["base64", "hex"],
  idIsOutput: false,
  generate: (values) => bytesResource(randomBytes(integer(values, "length"))),
  adopt: (importId) => {
    const bytes = Buffer.from(importId, "base64");
    if (!bytes.length || bytes.toString("base64") !== importId) {
      throw new Error("the id to import has to be the bytes in base64");
    }
    return { ...bytesResource(bytes), values: { length: bytes.length } };
  },
};

function bytesResource(bytes: Buffer) {
  const base64 = bytes.toString("base64");
  // Ids are not encrypted, so the id is not the value, as it is with the official plugin.
  return { id: "none", outputs: { base64, hex: bytes.toString("hex") } };
}

export const randomInteger: Kind = {
  fields: {
    min: { type: "integer", required: true },
    max: { type: "integer", required: true },
    /** The same integer for the same seed. */
    seed: { type: "string" },
    ...KEEPERS,
  },
  computed: ["result"],
  secrets: [],
  failures: (values) => {
    const [min, max] = [integer(values, "min"), integer(values, "max")];
    if (max < min) return [{ property: "max", reason: `max is ${max}, which is smaller than min, ${min}` }];
    const tooWide = !Number.isSafeInteger(max - min + 1);
    return tooWide ? [{ property: "max", reason: "max and min have to be less than 2^53 apart" }] : [];
  },
  generate: (values) => {
    const [min, max, seed] = [integer(values, "min"), integer(values, "max"), text(values, "seed")];
    const result = min + below(max - min + 1, seed ? seededBytes(seed) : systemBytes);
    return { id: String(result), outputs: { result } };
  },
  adopt: adoptInteger,
};

function adoptInteger(importId: string): Adopted {
  const [result, min, max, seed, ...more] = importId.split(",");
  const values = { min: Number(min), max: Number(max) };
  const value = Number(result);
  if (more.length || !max || ![value, values.min, values.max].every(Number.isSafeInteger)) {
    throw new Error(
      `"${importId}" is not an id to import: it takes <result>,<min>,<max> or <result>,<min>,<max>,<seed>`,
    );
  }
  return { id: String(value), values: { ...values, ...(seed && { seed }) }, outputs: { result: value } };
}
