const pattern = /^(\d+(?:\.\d+)?)(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi)?$/;

const factors: Readonly<Record<string, number>> = {
  "": 1,
  m: 1e-3,
  k: 1e3,
  Ki: 2 ** 10,
  M: 1e6,
  Mi: 2 ** 20,
  G: 1e9,
  Gi: 2 ** 30,
  T: 1e12,
  Ti: 2 ** 40,
  P: 1e15,
  Pi: 2 ** 50,
};

/** Whether Kubernetes reads the string as a quantity (exponents such as `1e3` are left out on purpose). */
export function isQuantity(value: string): boolean {
  return pattern.test(value);
}

/**
 * A quantity as a number of its unit: cores for CPU, bytes for memory and storage.
 * @throws Error when the string is no quantity.
 */
export function quantityValue(value: string): number {
  const match = pattern.exec(value);
  if (match === null) throw new Error(`"${value}" is not a Kubernetes quantity such as "250m" or "5Gi"`);
  return Number(match[1]) * (factors[match[2] ?? ""] ?? 1);
}
