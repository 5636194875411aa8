import type { PropertyValue } from "../rpc/values";
import { integer, reveal, text } from "../rpc/fields";
import { KEEPERS } from "./keepers";
import { type Kind } from "../rpc/kind";
import { pick, seededBytes, shuffled, systemBytes } from "./source";
import { ADJECTIVES, ADVERBS, ANIMALS } from "./words";

export const randomPet: Kind = {
  fields: {
    length: { type: "integer", default: 2, min: 1 },
    prefix: { type: "string" },
    separator: { type: "string", default: "-" },
    ...KEEPERS,
  },
  computed: [],
  secrets: [],
  generate: (values) => {
    const id = [text(values, "prefix"), ...petWords(integer(values, "length"))]
      .filter((word) => word !== "")
      .join(text(values, "separator"));
    return { id, outputs: {} };
  },
};

/** One word is an animal, two describe it, and each further word is an adverb in front. */
export function petWords(count: number): string[] {
  const adverbs = Array.from({ length: Math.max(0, count - 2) }, () => pick(ADVERBS, systemBytes));
  return [...adverbs, ...(count > 1 ? [pick(ADJECTIVES, systemBytes)] : []), pick(ANIMALS, systemBytes)];
}

export const randomShuffle: Kind = {
  fields: {
    inputs: { type: "list", required: true },
    /** How many to return; more than there are inputs repeats them. Default: all. */
    resultCount: { type: "integer", min: 0 },
    /** The same order for the same seed. */
    seed: { type: "string" },
    ...KEEPERS,
  },
  computed: ["results"],
  secrets: [],
  generate: (values) => {
    const inputs = reveal(values.inputs) as PropertyValue[];
    const count = reveal(values.resultCount) === undefined ? inputs.length : integer(values, "resultCount");
    const seed = text(values, "seed");
    const bytes = seed ? seededBytes(seed) : systemBytes;
    const results: PropertyValue[] = [];
    while (inputs.length && results.length < count) results.push(...shuffled(inputs, bytes));
    return { id: "-", outputs: { results: results.slice(0, count) } };
  },
};
