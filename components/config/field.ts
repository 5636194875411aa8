import { z } from "zod";

/**
 * A setting whose every mistake is answered with one sentence: what it takes.
 * @param takes completes "it takes ...", such as `a whole number from 1 to 100`
 */
export function field<T extends z.ZodType>(takes: string, schema: T) {
  return z.unknown().transform((value, context): z.output<T> => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    context.addIssue({ code: "custom", message: takes });
    return z.NEVER;
  });
}

/** An object that refuses keys it does not know, and says which one was probably meant. */
export function section<T extends z.ZodRawShape>(shape: T) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys.map((key) => unknownKey(key, known)).join("\n")
        : `an object with ${known.join(", ")}`,
  });
}

/** A component whose key is left out, or says `enabled: false`, is not there, whatever else its key says. */
export const optional = <T extends z.ZodType>(schema: T) =>
  z
    .unknown()
    .transform((value) => (isSwitchedOff(value) ? undefined : value))
    .pipe(schema.optional())
    .optional();

/** A component that is there unless it is switched off by `enabled: false`. */
export const unlessOff = <T extends z.ZodType>(schema: T) =>
  z
    .unknown()
    .prefault({})
    .transform((value) => (isSwitchedOff(value) ? undefined : value))
    .pipe(schema.optional());

function isSwitchedOff(value: unknown): boolean {
  return typeof value === "object" && value !== null && (value as { enabled?: unknown }).enabled === false;
}

/** A list; each entry answers for itself. */
export const listOf = <T extends z.ZodType>(takes: string, entry: T) => z.array(entry, { error: takes });

/** An object with keys of the stack's own choice; each value answers for itself. */
export const mapOf = <T extends z.ZodType>(takes: string, key: RegExp, value: T) =>
  z.record(z.string().regex(key), value, { error: takes });

/** Exactly one of several objects, told apart by which of their keys is there. */
export function oneOfSections<A extends z.ZodType, B extends z.ZodType>(
  isFirst: (keys: readonly string[]) => boolean,
  first: A,
  second: B,
) {
  return z.unknown().transform((value, context): z.output<A> | z.output<B> => {
    const keys = typeof value === "object" && value !== null ? Object.keys(value) : [];
    const parsed = (isFirst(keys) ? first : second).safeParse(value);
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) context.issues.push({ ...issue, input: value } as never);
    return z.NEVER;
  });
}

/** One of several objects, told apart by the value of one of their keys. */
export function choice<const K extends string, const T extends readonly [z.ZodObject, ...z.ZodObject[]]>(
  key: K,
  options: T,
) {
  const names = options
    .map(({ shape }) => (shape[key] instanceof z.ZodLiteral ? JSON.stringify(shape[key].value) : key))
    .join(" or ");
  return z.discriminatedUnion(key, options, {
    error: (issue) => (issue.code === "invalid_union" ? names : `an object with ${key} ${names}`),
  });
}

/** Says that a key does not exist, and what may have been meant. */
export function unknownKey(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  const list = known.join(", ");
  return near === undefined
    ? `there is no such key; known are ${list}`
    : `there is no such key; did you mean "${near}"? Known are ${list}`;
}

/** The known word that a mistyped one is within a third of its length of; undefined if none is. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  return best !== undefined && best.distance <= Math.max(2, Math.floor(best.candidate.length / 3))
    ? best.candidate
    : undefined;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitution));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
