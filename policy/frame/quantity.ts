import { isAbsent, type Test } from "./tests";

/** A quantity of Kubernetes in billionths of its unit, the smallest step that Kubernetes keeps. */
export type Quantity = bigint;

const number = /^([+-]?)(?:(\d+)(?:\.(\d*))?|\.(\d+))(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?\d{1,2}))?$/;
const digits = 9n;
const decimal: Readonly<Record<string, bigint>> = {
  n: -9n,
  u: -6n,
  m: -3n,
  k: 3n,
  M: 6n,
  G: 9n,
  T: 12n,
  P: 15n,
  E: 18n,
};
const binary = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/**
 * Reads `500m`, `1.5Gi`, `1e3` or a plain number exactly, and rounds up beyond billionths as Kubernetes does;
 * `undefined` for what is no quantity. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
export function parseQuantity(value: unknown): Quantity | undefined {
  if (typeof value !== "string" && typeof value !== "number") return undefined;
  const match = number.exec(String(value));
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = "", onlyFraction = "", power, suffix, exponent = "0"] = match;
  const fractionDigits = fraction + onlyFraction;
  const mantissa = BigInt(`${whole}${fractionDigits}`);
  const shift = (suffix === undefined ? BigInt(exponent) : (decimal[suffix] ?? 0n)) + digits;
  const factor = power === undefined ? 1n : 1024n ** BigInt(binary.indexOf(power) + 1);
  const size = scaled(mantissa * factor, shift - BigInt(fractionDigits.length));
  return sign === "-" ? -size : size;
}

function scaled(value: bigint, shift: bigint): bigint {
  if (shift >= 0n) return value * 10n ** shift;
  const divisor = 10n ** -shift;
  return (value + divisor - 1n) / divisor;
}

/** A setting that is a quantity. */
export function quantitySetting(name: string, value: string): Quantity {
  const quantity = parseQuantity(value);
  if (quantity !== undefined) return quantity;
  throw new Error(`setting ${name} is "${value}", which is no quantity such as "500m" or "2Gi"`);
}

/** A quantity of more than nothing. */
export const positive = (value: unknown): boolean => (parseQuantity(value) ?? 0n) > 0n;

/** Not set, or a quantity that is no larger. */
export const absentOrAtMost = (name: string, maximum: string): Test => {
  const limit = quantitySetting(name, maximum);
  return {
    accepts: (value) => isAbsent(value) || (parseQuantity(value) ?? limit + 1n) <= limit,
    wanted: `a quantity of at most ${maximum}`,
    cel: (optional) =>
      `(!${optional}.hasValue() || (${isQuantity(optional)} && ${quantity(optional)}.compareTo(quantity(${JSON.stringify(maximum)})) <= 0))`,
  };
};

/** Not set, or a quantity above 0 that is no larger: a limit of 0 is none. */
export const absentOrLimitOfAtMost = (name: string, maximum: string): Test => {
  const { accepts, wanted, cel } = absentOrAtMost(name, maximum);
  return {
    accepts: (value) => isAbsent(value) || (accepts(value) && positive(value)),
    wanted: `${wanted} and above 0`,
    cel: (optional) => `(!${optional}.hasValue() || (${cel(optional)} && ${isPositive(optional)}))`,
  };
};

const quantity = (optional: string) => `quantity(string(${optional}.value()))`;
const isQuantity = (optional: string) => `isQuantity(string(${optional}.value()))`;
const isPositive = (optional: string) => `${quantity(optional)}.isGreaterThan(quantity("0"))`;

/** An object without the quantity does not fit, nor one of nothing. */
export const absentOrWithPositive = (key: string): Test => ({
  accepts: (value) => isAbsent(value) || positive((value as Record<string, unknown>)[key]),
  wanted: `absent or with a ${key} above 0`,
  cel: (optional) => {
    const field = `${optional}.?${key}`;
    return `(${optional}.orValue(null) == null || (${field}.hasValue() && ${isQuantity(field)} && ${isPositive(field)}))`;
  },
});
