import { isDeepStrictEqual } from "node:util";
import { byCiphertext, type SecretComparison } from "./secrets";
import type { Config } from "./update";

/** One setting that differs. Values are as they may be shown: nothing of a secret is among them. */
export interface Difference {
  /** Such as `technova:application.replicas`. */
  readonly path: string;
  readonly kind: "set" | "changed" | "removed";
  /**
   * Whether a secret is in it. `changed` means another value; `setAnew` that it was encrypted again, and that whether
   * the value is another cannot be told here.
   */
  readonly secret?: "changed" | "setAnew" | "set" | "removed";
  /** As JSON; left out where there is a secret. */
  readonly before?: string;
  readonly after?: string;
}

/** What has to be done to one configuration to get another, setting by setting, sorted by path. */
export function differences(before: Config, after: Config, secrets = byCiphertext): Difference[] {
  const found: Difference[] = [];
  for (const key of keysOf(before, after)) compare(key, before[key], after[key], secrets, found);
  return found;
}

function compare(path: string, a: unknown, b: unknown, secrets: SecretComparison, found: Difference[]): void {
  const [one, other] = [ciphertextOf(a), ciphertextOf(b)];
  if (one !== undefined && other !== undefined) {
    const same = secrets.same(one, other);
    if (same !== true) found.push({ path, kind: "changed", secret: same === false ? "changed" : "setAnew" });
    return;
  }
  if (isMapping(a) && isMapping(b) && one === undefined && other === undefined) {
    for (const key of keysOf(a, b)) compare(`${path}.${key}`, a[key], b[key], secrets, found);
    return;
  }
  // A secret that is the only thing of its mapping is told by its own path.
  const whole = isMapping(a) ? a : isMapping(b) ? b : undefined;
  if ((a === undefined || b === undefined) && whole !== undefined && ciphertextOf(whole) === undefined) {
    const keys = Object.keys(whole);
    const inner = (value: unknown, key: string) => (isMapping(value) ? value[key] : undefined);
    if (keys.length > 0) {
      for (const key of keys.sort()) compare(`${path}.${key}`, inner(a, key), inner(b, key), secrets, found);
      return;
    }
  }
  if (sameList(a, b, secrets)) return;
  const kind = a === undefined ? "set" : b === undefined ? "removed" : "changed";
  if (holdsSecret(a) || holdsSecret(b)) found.push({ path, kind, secret: kind });
  else found.push({ path, kind, before: shown(a), after: shown(b) });
}

/** Lists are told whole: what was put in between would look like a change of everything behind it. */
function sameList(a: unknown, b: unknown, secrets: SecretComparison): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return isDeepStrictEqual(a, b);
  const inner: Difference[] = [];
  if (a.length !== b.length) return false;
  for (const [index, item] of a.entries()) compare(String(index), item, b[index], secrets, inner);
  return inner.length === 0;
}

/** An encrypted value is a mapping with the one key `secure`. */
export function ciphertextOf(value: unknown): string | undefined {
  if (!isMapping(value)) return undefined;
  const { secure, ...others } = value;
  return typeof secure === "string" && Object.keys(others).length === 0 ? secure : undefined;
}

export function holdsSecret(value: unknown): boolean {
  if (ciphertextOf(value) !== undefined) return true;
  if (Array.isArray(value)) return value.some(holdsSecret);
  return isMapping(value) && Object.values(value).some(holdsSecret);
}

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function keysOf(a: object, b: object): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
}

function shown(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}

/** In words, for people. */
export function describeDifference({ path, kind, secret, before, after }: Difference): string {
  if (secret === "setAnew") return `${path} set anew (secret)`;
  if (secret !== undefined) return `${path} ${secret} (secret)`;
  if (kind === "set") return `${path} ${after} (new)`;
  if (kind === "removed") return `${path} ${before} -> (none)`;
  return `${path} ${before} -> ${after}`;
}
