/**
 * A place in a resource's properties: its path for messages, and its value if that is known.
 *
 * During a preview a property can be unknown: it comes from a resource that does not exist yet. The engine hands
 * policies an object that throws when such a property is read. A `Field` keeps the throw to the one property it is
 * about, so that everything else of the resource is still judged.
 */
export class Field {
  private constructor(
    private readonly parent: Field | undefined,
    private readonly key: string | number,
    /** The value without the engine's guard around it, which makes every step into it dear. */
    private readonly bare: unknown,
    /** The engine's error when the value cannot be known before the update; `value` is then `undefined`. */
    readonly unknownBecause: Error | undefined,
    /** The names of the list items that the field is in: of the container, and of its variable or port. */
    readonly owner: string | undefined,
  ) {}

  /** What was asked for before: policies ask for the same again and again. */
  private children: Map<string | number, Field> | undefined;
  private named: readonly Field[] | undefined;
  private guarded: unknown;

  static root(value: unknown): Field {
    const field = new Field(undefined, "", bareOf(value), undefined, undefined);
    field.guarded = value;
    return field;
  }

  /** Guarded, so that an unknown within it throws when it is read. */
  get value(): unknown {
    if (!isObject(this.bare)) return this.bare;
    this.guarded ??= (this.parent?.value as Record<string | number, unknown>)[this.key];
    return this.guarded;
  }

  /** The property names and list indices that lead here. */
  get keys(): readonly (string | number)[] {
    return this.parent === undefined ? [] : [...this.parent.keys, this.key];
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
    return !this.unknown && (this.bare === undefined || this.bare === null);
  }

  /** The property under `keys`. Under an unknown it is that unknown: its path is what the reader has to look at. */
  at(...keys: readonly (string | number)[]): Field {
    let field: Field = this; // eslint-disable-line @typescript-eslint/no-this-alias -- the first of a chain
    for (const key of keys) field = field.child(key);
    return field;
  }

  /** This field, or `other` if only that is set: for settings of a container that the pod gives a default. */
  or(other: Field): Field {
    return this.absent && !other.absent ? other : this;
  }

  /** The items of a list; none when it is absent. An unknown list is one unknown item. */
  items(): readonly Field[] {
    if (this.unknown) return [this];
    // Not by the list's own methods: what guards secrets in it does not let them make another list.
    const length = Array.isArray(this.bare) ? this.bare.length : 0;
    this.named ??= Array.from({ length }, (_, index) => this.item(index));
    return this.named;
  }

  /** The properties of an object with their names; none when it is absent. An unknown object is one unknown. */
  entries(): readonly (readonly [name: string, field: Field])[] {
    if (this.unknown) return [["", this]];
    if (!isObject(this.bare)) return [];
    return Object.keys(this.bare).map((key) => [key, this.child(key)] as const);
  }

  /** This field, or the first unknown within it: for tests that look at more than a plain value. */
  firstUnknown(): Field | undefined {
    if (this.unknown) return this;
    if (!isObject(this.bare)) return undefined;
    const keys = Array.isArray(this.bare) ? Array(this.bare.length).keys() : Object.keys(this.bare);
    for (const key of keys) {
      const found = this.child(key).firstUnknown();
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private item(index: number): Field {
    const item = this.child(index);
    const name = item.at("name").bare;
    if (typeof name !== "string") return item;
    const owner = this.owner === undefined ? name : `${this.owner}, ${name}`;
    return new Field(this, index, item.bare, undefined, owner);
  }

  private child(key: string | number): Field {
    if (this.unknown) return this;
    const known = this.children?.get(key);
    if (known !== undefined) return known;
    const child = this.read(key);
    (this.children ??= new Map()).set(key, child);
    return child;
  }

  private read(key: string | number): Field {
    if (!isObject(this.bare)) return new Field(this, key, undefined, undefined, this.owner);
    const bare = (this.bare as Record<string | number, unknown>)[key];
    if (typeof bare !== "string" || bare.length !== unknownLength)
      return new Field(this, key, bare, undefined, this.owner);
    try {
      return new Field(
        this,
        key,
        (this.value as Record<string | number, unknown>)[key],
        undefined,
        this.owner,
      );
    } catch (error) {
      return new Field(this, key, undefined, unknownValueError(error), this.owner);
    }
  }
}

/** What stands for an unknown is a text like a UUID, whatever its type; the guard knows which ones. */
const unknownLength = 36;

/** What is within the engine's guard; anything else is itself. */
function bareOf(value: unknown): unknown {
  if (!isObject(value)) return value;
  return (value as { __getSpecialProxyTarget?: unknown }).__getSpecialProxyTarget ?? value;
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
