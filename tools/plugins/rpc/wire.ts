/** Reads a `google.protobuf.Struct` from its bytes straight into plain values. */
export function readStruct(bytes: Uint8Array): Record<string, unknown> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return new Reader(buffer).struct(buffer.length);
}

/** Field numbers and wire types, as one tag: https://protobuf.dev/programming-guides/encoding/#structure */
const tag = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
const field = (number: number, type: keyof typeof tag): number => (number << 3) | tag[type];
const entry = field(1, "bytes");
const [entryKey, entryValue] = [field(1, "bytes"), field(2, "bytes")];
const [nothing, double, string] = [field(1, "varint"), field(2, "fixed64"), field(3, "bytes")];
const [boolean, struct, list] = [field(4, "varint"), field(5, "bytes"), field(6, "bytes")];

class Reader {
  private at = 0;

  constructor(private readonly buffer: Buffer) {}

  struct(end: number): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    while (this.at < end) {
      const found = this.varint();
      if (found === entry) this.entry(this.end(), object);
      else this.skip(found);
    }
    return object;
  }

  private entry(end: number, object: Record<string, unknown>): void {
    let key = "";
    let value: unknown = null;
    while (this.at < end) {
      const found = this.varint();
      if (found === entryKey) key = this.text();
      else if (found === entryValue) value = this.value(this.end());
      else this.skip(found);
    }
    object[key] = value;
  }

  private value(end: number): unknown {
    let value: unknown = null;
    while (this.at < end) {
      const found = this.varint();
      if (found === string) value = this.text();
      else if (found === struct) value = this.struct(this.end());
      else if (found === list) value = this.list(this.end());
      else if (found === boolean) value = this.varint() !== 0;
      else if (found === double) {
        value = this.buffer.readDoubleLE(this.at);
        this.at += 8;
      } else if (found === nothing) {
        this.varint();
        value = null;
      } else this.skip(found);
    }
    return value;
  }

  private list(end: number): unknown[] {
    const items: unknown[] = [];
    while (this.at < end) {
      const found = this.varint();
      if (found === entry) items.push(this.value(this.end()));
      else this.skip(found);
    }
    return items;
  }

  private text(): string {
    const end = this.end();
    const text = this.buffer.toString("utf8", this.at, end);
    this.at = end;
    return text;
  }

  /** Where what begins with its length here ends. */
  private end(): number {
    const length = this.varint();
    const end = this.at + length;
    if (end > this.buffer.length) throw new Error("a message of the engine ends in the middle of a value");
    return end;
  }

  /** Lengths, tags and switches are far below 2^53; larger ones lose their last digits, and are skipped anyway. */
  private varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.buffer[this.at++];
      if (byte === undefined) throw new Error("a message of the engine ends in the middle of a number");
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  private skip(found: number): void {
    const type = found & 7;
    if (type === tag.varint) this.varint();
    else if (type === tag.fixed64) this.at += 8;
    else if (type === tag.fixed32) this.at += 4;
    else if (type === tag.bytes) this.at = this.end();
    else throw new Error(`a message of the engine has a value of the unknown type ${type}`);
  }
}

/** Writes plain values as the bytes of a `google.protobuf.Struct`. */
export function writeStruct(object: object): Uint8Array {
  const writer = new Writer();
  writer.struct(object);
  return writer.written();
}

/** Writes from the end to the beginning: a length is known once what it counts is there. */
class Writer {
  private buffer = Buffer.allocUnsafe(16 << 10);
  /** Bytes that are written, at the end of the buffer. */
  private length = 0;

  struct(object: object): void {
    for (const [key, value] of Object.entries(object).reverse()) {
      this.message(entry, () => {
        this.message(entryValue, () => this.value(value));
        this.text(entryKey, key);
      });
    }
  }

  written(): Uint8Array {
    return this.buffer.subarray(this.buffer.length - this.length);
  }

  private value(value: unknown): void {
    if (value === null) this.number(nothing, 0);
    else if (typeof value === "string") this.text(string, value);
    else if (typeof value === "boolean") this.number(boolean, Number(value));
    else if (typeof value === "number") {
      const at = this.reserve(8);
      this.buffer.writeDoubleLE(value, at);
      this.varint(double);
    } else if (Array.isArray(value)) this.message(list, () => this.list(value));
    else if (typeof value === "object") this.message(struct, () => this.struct(value));
    else throw new Error(`a struct cannot have a value of the type ${typeof value}`);
  }

  private list(items: readonly unknown[]): void {
    for (const item of items.toReversed()) this.message(entry, () => this.value(item));
  }

  private message(tag: number, write: () => void): void {
    const before = this.length;
    write();
    this.number(tag, this.length - before);
  }

  private text(tag: number, text: string): void {
    const bytes = Buffer.byteLength(text);
    const at = this.reserve(bytes);
    this.buffer.write(text, at);
    this.number(tag, bytes);
  }

  /** A tag and the number behind it: a switch, or how many bytes follow. */
  private number(tag: number, value: number): void {
    this.varint(value);
    this.varint(tag);
  }

  private varint(value: number): void {
    let bytes = 1;
    for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) bytes += 1;
    const at = this.reserve(bytes);
    for (let index = 0, rest = value; index < bytes; index += 1, rest = Math.floor(rest / 128)) {
      this.buffer[at + index] = (rest % 128) + (index < bytes - 1 ? 128 : 0);
    }
  }

  /** @returns where the next bytes go, in front of those that are written; the buffer may be another one by then */
  private reserve(bytes: number): number {
    this.length += bytes;
    if (this.length > this.buffer.length) {
      const larger = Buffer.allocUnsafe(this.length * 2);
      const kept = this.length - bytes;
      this.buffer.copy(larger, larger.length - kept, this.buffer.length - kept);
      this.buffer = larger;
    }
    return this.buffer.length - this.length;
  }
}
