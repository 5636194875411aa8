/** A value that is not known yet, because it comes from a resource that does not exist yet (previews only). */
export class Unknown {
  /** The only one there is. */
  static readonly value = new Unknown();
  /** Keeps other objects from being taken for one. */
  readonly isUnknown = true;
  private constructor() {}
}

/** A value that has to stay encrypted in state and hidden in every display. */
export class Secret {
  constructor(readonly value: PropertyValue) {}
}

/** A file, given by one of `path`, `text` or `uri`; `hash` is the engine's SHA-256 of its content. */
export class Asset {
  constructor(readonly content: { path?: string; text?: string; uri?: string; hash?: string }) {}
}

/** A folder or archive, given by one of `path`, `uri` or `assets`; `hash` is the engine's SHA-256 of it. */
export class Archive {
  constructor(
    readonly content: {
      path?: string;
      uri?: string;
      assets?: Record<string, Asset | Archive>;
      hash?: string;
    },
  ) {}
}

/** Everything that a resource property can hold. */
export type PropertyValue =
  | null
  | boolean
  | number
  | string
  | Unknown
  | Secret
  | Asset
  | Archive
  | PropertyValue[]
  | { [key: string]: PropertyValue };

export type PropertyMap = Record<string, PropertyValue>;

export function isPropertyMap(value: PropertyValue | undefined): value is PropertyMap {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Unknown) &&
    !(value instanceof Secret) &&
    !(value instanceof Asset) &&
    !(value instanceof Archive)
  );
}

/** The same value with every secret, at any depth, replaced by what it protects. */
export function withoutSecrets(value: PropertyMap): PropertyMap;
export function withoutSecrets(value: PropertyValue): PropertyValue;
export function withoutSecrets(value: PropertyValue): PropertyValue {
  if (value instanceof Secret) return withoutSecrets(value.value);
  if (Array.isArray(value)) return value.map((element) => withoutSecrets(element));
  if (isPropertyMap(value)) return mapValues(value, (element) => withoutSecrets(element));
  return value;
}

export function containsUnknown(value: PropertyValue | undefined): boolean {
  return contains(value, (part) => part instanceof Unknown);
}

export function containsSecret(value: PropertyValue | undefined): boolean {
  return contains(value, (part) => part instanceof Secret);
}

function contains(value: PropertyValue | undefined, test: (part: PropertyValue) => boolean): boolean {
  if (value === undefined) return false;
  if (test(value)) return true;
  if (value instanceof Secret) return contains(value.value, test);
  if (Array.isArray(value)) return value.some((element) => contains(element, test));
  return isPropertyMap(value) && Object.values(value).some((element) => contains(element, test));
}

/**
 * Deep equality. Secretness does not count: a value that only became secret is the same value. A key whose
 * value is `undefined` counts as missing. An unknown equals nothing, not even another unknown.
 */
export function sameValue(a: PropertyValue | undefined, b: PropertyValue | undefined): boolean {
  if (a instanceof Secret) return sameValue(a.value, b);
  if (b instanceof Secret) return sameValue(a, b.value);
  if (a instanceof Unknown || b instanceof Unknown) return false;
  if (a instanceof Asset || a instanceof Archive || b instanceof Asset || b instanceof Archive)
    return sameContent(a, b);
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((element, index) => sameValue(element, b[index]));
  }
  if (isPropertyMap(a) && isPropertyMap(b)) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...keys].every((key) => sameValue(a[key], b[key]));
  }
  return a === b;
}

function sameContent(a: PropertyValue | undefined, b: PropertyValue | undefined): boolean {
  const comparable =
    (a instanceof Asset && b instanceof Asset) || (a instanceof Archive && b instanceof Archive);
  if (!comparable) return false;
  if (a.content.hash && b.content.hash) return a.content.hash === b.content.hash;
  return JSON.stringify(a.content) === JSON.stringify(b.content);
}

export function mapValues<From, To>(
  source: Record<string, From>,
  convert: (value: From, key: string) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(source).map(([key, value]) => [key, convert(value, key)]));
}
