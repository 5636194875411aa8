// Scale factors as powers of ten (of 1024 for the second), as the Kubernetes API writes them.
const DECIMAL: Record<string, number> = { n: -9, u: -6, m: -3, "": 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const SMALLEST = -9;

/**
 * The one spelling that the API server gives a quantity: the largest suffix that leaves a whole number, such as
 * `1` for `1000m` and `1Gi` for `1024Mi`. What is not a quantity comes back as it is.
 */
export function canonicalQuantity(value: string): string {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(n|u|m|k|M|G|T|P|E|[KMGTPE]i|[eE][+-]?\d+|)$/.exec(value.trim());
  if (!match) return value;
  const [, sign = "", whole = "", fraction = "", suffix = ""] = match;
  if (whole + fraction === "") return value;

  const digits = BigInt(whole + fraction) * (sign === "-" ? -1n : 1n);
  const binary = BINARY.indexOf(suffix);
  if (suffix !== "" && binary > 0) return fromBinary(digits * 1024n ** BigInt(binary), -fraction.length);
  if (/^[eE]/.test(suffix) && suffix.length > 1) {
    return decimal(digits, Number(suffix.slice(1)) - fraction.length, (exponent) => `e${exponent}`);
  }
  return decimal(digits, (DECIMAL[suffix] ?? 0) - fraction.length, decimalSuffix);
}

function decimalSuffix(exponent: number): string {
  return Object.entries(DECIMAL).find(([, power]) => power === exponent)?.[0] ?? `e${exponent}`;
}

function fromBinary(digits: bigint, exponent: number): string {
  const scale = 10n ** BigInt(-exponent);
  let rest = digits / scale;
  const small = rest > -1024n && rest < 1024n;
  if (small || digits % scale !== 0n) return decimal(digits, exponent, decimalSuffix);
  let power = 0;
  while (rest % 1024n === 0n && power < BINARY.length - 1) {
    rest /= 1024n;
    power++;
  }
  return `${rest}${BINARY[power]}`;
}

function decimal(digits: bigint, exponent: number, suffix: (exponent: number) => string): string {
  if (digits === 0n) return "0";
  // Nothing smaller than a nano exists; what is left over rounds away from zero.
  while (exponent < SMALLEST) {
    const cut = digits % 10n !== 0n;
    digits = digits / 10n + (cut ? (digits > 0n ? 1n : -1n) : 0n);
    exponent++;
  }
  while (digits % 10n === 0n) {
    digits /= 10n;
    exponent++;
  }
  while (exponent % 3 !== 0) {
    digits *= 10n;
    exponent--;
  }
  return `${digits}${exponent === 0 ? "" : suffix(exponent)}`;
}
