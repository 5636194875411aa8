/**
 * Tests on a value that can be told in both languages: here, and in the expressions of a cluster's admission policies
 * (CEL, https://kubernetes.io/docs/reference/using-api/cel/).
 */
export interface Test {
  readonly accepts: (value: unknown) => boolean;
  /** Completes "must be ...". */
  readonly wanted: string;
  /** It looks at the keys of an object only, so that unknown values below them do not matter. */
  readonly shallow?: boolean;
  /** The same of an optional value: `optional` is an expression such as `c.?image`. */
  readonly cel: (optional: string) => string;
}

type Scalar = string | number | boolean;

export const isAbsent = (value: unknown): boolean => value === undefined || value === null;

/** Not set, or one of the values. */
export const absentOr = (...allowed: readonly Scalar[]): Test => ({
  accepts: (value) => isAbsent(value) || (allowed as readonly unknown[]).includes(value),
  wanted: `${[...allowed.map(literal), "absent"].join(" or ")}`,
  cel: (optional) => `(!${optional}.hasValue() || ${optional}.value() in ${list(allowed)})`,
});

/** Set, and one of the values. */
export const oneOf = (...allowed: readonly Scalar[]): Test => ({
  accepts: (value) => (allowed as readonly unknown[]).includes(value),
  wanted: allowed.map(literal).join(" or "),
  cel: (optional) => `(${optional}.hasValue() && ${optional}.value() in ${list(allowed)})`,
});

/** Not set, or none of the values. */
export const absentOrNot = (...refused: readonly Scalar[]): Test => ({
  accepts: (value) => !(refused as readonly unknown[]).includes(value),
  wanted: `absent or other than ${refused.map(literal).join(", ")}`,
  cel: (optional) => `(!${optional}.hasValue() || !(${optional}.value() in ${list(refused)}))`,
});

export const present: Test = {
  accepts: (value) => !isAbsent(value),
  wanted: "set",
  cel: (optional) => `${optional}.hasValue()`,
};

export const absent: Test = {
  accepts: isAbsent,
  wanted: "absent",
  cel: (optional) => `!${optional}.hasValue()`,
};

/** A list that has the item. */
export const including = (item: string): Test => ({
  accepts: (value) => Array.isArray(value) && value.includes(item),
  wanted: `a list with ${literal(item)}`,
  cel: (optional) => `(${literal(item)} in ${optional}.orValue([]))`,
});

/** An object whose keys, besides `name`, are all allowed, whatever their values. */
export const havingOnly = (keys: readonly string[]): Test => ({
  accepts: (value) =>
    typeof value === "object" &&
    value !== null &&
    Object.keys(value).every((key) => key === "name" || keys.includes(key)),
  wanted: `one of ${keys.join(", ")}`,
  shallow: true,
  cel: (optional) => `${optional}.orValue({}).all(key, key == "name" || key in ${list(keys)})`,
});

/** Text that fits a pattern that JavaScript and RE2 read the same way: no look-around, no back-reference. */
export const matching = (pattern: string, wanted: string): Test => {
  const expression = new RegExp(pattern);
  return {
    accepts: (value) => typeof value === "string" && expression.test(value),
    wanted,
    cel: (optional) => `(${optional}.hasValue() && ${optional}.value().matches(${literal(pattern)}))`,
  };
};

/** Not set, or text that fits the pattern. */
export const absentOrMatching = (pattern: string, wanted: string): Test => {
  const { accepts, cel } = matching(pattern, wanted);
  return {
    accepts: (value) => isAbsent(value) || accepts(value),
    wanted: `${wanted} or absent`,
    cel: (optional) => `(!${optional}.hasValue() || ${cel(optional)})`,
  };
};

const literal = (value: Scalar): string => JSON.stringify(value);

const list = (values: readonly Scalar[]): string => `[${values.map(literal).join(", ")}]`;
