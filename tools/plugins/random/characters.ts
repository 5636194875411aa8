import { hash } from "bcryptjs";
import type { PropertyMap } from "../rpc/values";
import { flag, integer, text, withDefaults, type Fields } from "../rpc/fields";
import { KEEPERS } from "./keepers";
import { type Kind } from "../rpc/kind";
import { pick, shuffled, systemBytes } from "./source";

const UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER = "abcdefghijklmnopqrstuvwxyz";
const NUMERIC = "0123456789";
const SPECIAL = "!@#$%&*()-_=+[]{}<>:?";

/** bcrypt's usual cost: 2^10 rounds. It takes the first 72 bytes into account. */
const BCRYPT_ROUNDS = 10;

const MINIMUM = { type: "integer", default: 0, min: 0 } as const;
const CLASS = { type: "boolean", default: true } as const;
const FIELDS: Fields = {
  length: { type: "integer", required: true, min: 1 },
  upper: CLASS,
  lower: CLASS,
  /** Older name of `numeric`; both have the same value in state. */
  number: { type: "boolean" },
  numeric: { type: "boolean" },
  special: CLASS,
  minUpper: MINIMUM,
  minLower: MINIMUM,
  minNumeric: MINIMUM,
  minSpecial: MINIMUM,
  /** Replaces the special characters that are chosen from. */
  overrideSpecial: { type: "string" },
  ...KEEPERS,
};

function normalize(values: PropertyMap): PropertyMap {
  const numeric = values.numeric ?? values.number ?? true;
  return { ...values, number: numeric, numeric };
}

function classes(values: PropertyMap): { characters: string; enabled: boolean; minimum: number }[] {
  return [
    { characters: UPPER, enabled: flag(values, "upper"), minimum: integer(values, "minUpper") },
    { characters: LOWER, enabled: flag(values, "lower"), minimum: integer(values, "minLower") },
    { characters: NUMERIC, enabled: flag(values, "numeric"), minimum: integer(values, "minNumeric") },
    {
      characters: text(values, "overrideSpecial") || SPECIAL,
      enabled: flag(values, "special"),
      minimum: integer(values, "minSpecial"),
    },
  ];
}

function failures(values: PropertyMap) {
  const found = [];
  const minimum = classes(values).reduce((sum, { minimum }) => sum + minimum, 0);
  if (integer(values, "length") < minimum) {
    const reason = `length is ${integer(values, "length")}, but minUpper, minLower, minNumeric and minSpecial add up to ${minimum}`;
    found.push({ property: "length", reason });
  }
  if (!classes(values).some(({ enabled }) => enabled)) {
    found.push({ property: "upper", reason: "one of upper, lower, numeric and special has to be true" });
  }
  return found;
}

/** A text with at least the asked-for number of characters of each class, in random order. */
export function randomText(values: PropertyMap): string {
  const all = classes(values);
  const required = all.flatMap(({ characters, minimum }) => draw([...characters], minimum));
  const pool = all.filter(({ enabled }) => enabled).flatMap(({ characters }) => [...characters]);
  const rest = draw(pool, integer(values, "length") - required.length);
  return shuffled([...required, ...rest], systemBytes).join("");
}

function draw(characters: string[], count: number): string[] {
  return Array.from({ length: count }, () => pick(characters, systemBytes));
}

/** The arguments that a text found elsewhere is taken to have been made with. */
function adoptedValues(result: string): PropertyMap {
  return normalize(withDefaults(FIELDS, { length: [...result].length }));
}

async function passwordOutputs(result: string): Promise<PropertyMap> {
  return { result, bcryptHash: await hash(result, BCRYPT_ROUNDS) };
}

export const randomString: Kind = {
  fields: FIELDS,
  computed: ["result"],
  secrets: [],
  schemaVersion: 2,
  failures,
  normalize,
  generate: (values) => {
    const result = randomText(values);
    return { id: result, outputs: { result } };
  },
  adopt: (result) => ({ id: result, values: adoptedValues(result), outputs: { result } }),
};

export const randomPassword: Kind = {
  ...randomString,
  computed: ["result", "bcryptHash"],
  secrets: ["result", "bcryptHash"],
  schemaVersion: 3,
  // Ids are not encrypted, so the id cannot be the password.
  generate: async (values) => ({ id: "none", outputs: await passwordOutputs(randomText(values)) }),
  adopt: async (result) => ({
    id: "none",
    values: adoptedValues(result),
    outputs: await passwordOutputs(result),
  }),
};
