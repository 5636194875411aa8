/**
 * A place in a resource's properties: its path for messages, and its value if that is known.
 *
 * During a preview a property can be unknown: it comes from a resource that does not exist yet. The engine hands
 * policies an object that throws when such a property is read. A `Field` keeps the throw to the one property it is
 * about, so that everything else of the resource is still judged.
 */
export class Field {
  private constructor(
    /** The property names and list indices that lead here. */
    readonly keys: readonly (string | number)[],
    readonly value: unknown,
    /** The engine's error when the value cannot be known before the update; `value` is then `undefined`. */
    readonly unknownBecause: Error | undefined,
    /** The names of the list items that the field is in: of the container, and of its variable or port. */
    readonly owner: string | undefined,
  ) {}

  /** What was asked for before: policies ask for the same again and again. */
  private readonly children = new Map<string | number, Field>();

  static root(value: unknown): Field {
    return new Field([], value, undefined, undefined);
  }

  /** As a message writes it: `spec.containers[0].image`; empty for the whole object. */
  get path(): string {
    return this.keys.reduce<string>((path, key) => {
      if (typeof key === "number") return `${path}[${key}]`;
      if (!plainKey.test(key)) return `${path}[${JSON.stringify(key)}]`;
      return path === "" ? key : `${path}.${key}`;
    }, "");
  }

  get unknown(): boolean {
    return this.unknownBecause !== undefined;
  }

  /** Absent or null: Kubernetes takes both as "not set". */
  get absent(): boolean {
    return !this.unknown && (this.value === undefined || this.value === null);
  }

  /** The property under `keys`. Under an unknown it is that unknown: its path is what the reader has to look at. */
  at(...keys: readonly (string | number)[]): Field {
    return keys.reduce<Field>((field, key) => field.child(key), this);
  }

  /** This field, or `other` if only that is set: for settings of a container that the pod gives a default. */
  or(other: Field): Field {
    return this.absent && !other.absent ? other : this;
  }

  /** The items of a list; none when it is absent. An unknown list is one unknown item. */
  items(): readonly Field[] {
    if (this.unknown) return [this];
    if (!Array.isArray(this.value)) return [];
    return Array.from({ length: this.value.length }, (_, index) => {
      const item = this.child(index);
      const name = item.at("name").value;
      if (typeof name !== "string") return item;
      const owner = this.owner === undefined ? name : `${this.owner}, ${name}`;
      return new Field(item.keys, item.value, undefined, owner);
    });
  }

  /** The properties of an object with their names; none when it is absent. An unknown object is one unknown. */
  entries(): readonly (readonly [name: string, field: Field])[] {
    if (this.unknown) return [["", this]];
    if (!isObject(this.value)) return [];
    return Object.keys(this.value).map((key) => [key, this.child(key)] as const);
  }

  /** This field, or the first unknown within it: for tests that look at more than a plain value. */
  firstUnknown(): Field | undefined {
    if (this.unknown) return this;
    if (!isObject(this.value)) return undefined;
    const keys = Array.isArray(this.value) ? [...this.value.keys()] : Object.keys(this.value);
    for (const key of keys) {
      const found = this.child(key).firstUnknown();
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private child(key: string | number): Field {
    if (this.unknown) return this;
    const known = this.children.get(key);
    if (known !== undefined) return known;
    const child = this.read(key);
    this.children.set(key, child);
    return child;
  }

  private read(key: string | number): Field {
    const keys = [...this.keys, key];
    if (!isObject(this.value)) return new Field(keys, undefined, undefined, this.owner);
    try {
      return new Field(keys, (this.value as Record<string | number, unknown>)[key], undefined, this.owner);
    } catch (error) {
      return new Field(keys, undefined, unknownValueError(error), this.owner);
    }
  }
}

/** The engine's error about an unknown, whose class is not part of its public types; any other is thrown again. */
function unknownValueError(error: unknown): Error {
  if (error instanceof Error && "unknownTypeSentinel" in error) return error;
  throw error;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

const plainKey = /^[A-Za-z_][A-Za-z0-9_-]*$/;
