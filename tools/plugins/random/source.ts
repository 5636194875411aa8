import { createHash, randomBytes } from "node:crypto";

/** Yields as many random bytes as asked for. */
export type ByteSource = (count: number) => Buffer;

export const systemBytes: ByteSource = (count) => randomBytes(count);

/** The same bytes for the same seed: SHA-256 over the seed and a counter. Not for secrets. */
export function seededBytes(seed: string): ByteSource {
  let counter = 0;
  let rest = Buffer.alloc(0);
  return (count) => {
    while (rest.length < count) {
      const block = createHash("sha256").update(`${counter++}:${seed}`).digest();
      rest = Buffer.concat([rest, block]);
    }
    const taken = rest.subarray(0, count);
    rest = rest.subarray(count);
    return taken;
  };
}

/**
 * A number from 0 up to, but not including, `bound`; each equally likely. Values that would favour the low
 * numbers are thrown away, instead of being wrapped around.
 */
export function below(bound: number, bytes: ByteSource): number {
  if (!Number.isSafeInteger(bound) || bound < 1) throw new RangeError(`cannot choose below ${bound}`);
  const width = Math.max(1, Math.ceil(Math.log2(bound) / 8));
  const range = 256n ** BigInt(width);
  const usable = range - (range % BigInt(bound));
  for (;;) {
    const value = BigInt(`0x${bytes(width).toString("hex")}`);
    if (value < usable) return Number(value % BigInt(bound));
  }
}

/** A new array in random order; each order is equally likely. */
export function shuffled<T>(items: readonly T[], bytes: ByteSource): T[] {
  const rest = [...items];
  const result: T[] = [];
  while (rest.length) result.push(...rest.splice(below(rest.length, bytes), 1));
  return result;
}

export function pick<T>(items: readonly T[], bytes: ByteSource): T {
  const [item] = items.slice(below(items.length, bytes));
  return item as T; // `below` has refused an empty list
}
