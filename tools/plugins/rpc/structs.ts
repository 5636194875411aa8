import type { BinaryReader, BinaryWriter } from "google-protobuf";
import type { Struct, Value } from "google-protobuf/google/protobuf/struct_pb";
import { readStruct, writeStruct } from "./wire";

/** The library's module for structs, of whichever copy a process has. */
export interface StructModule {
  readonly Struct: typeof Struct;
  readonly Value: typeof Value;
}

type Plain = ReturnType<Struct["toJavaScript"]>;

/**
 * Has a process read and write structs straight from and to plain values. The library makes several objects of each
 * value, and when it puts one into a map it goes through all that is below once more: the deeper a resource is, the more
 * often each of its values is looked at. Whoever asks for the library's own objects gets them.
 */
export function exchangePlainStructs({ Struct, Value }: StructModule): void {
  const write = Struct.serializeBinaryToWriter;
  const contents = new WeakMap<Struct, () => Plain>();

  function hold(message: Struct, plain: () => Plain): Struct {
    contents.set(message, plain);
    message.toJavaScript = plain;
    message.getFieldsMap = () => {
      contents.delete(message);
      Reflect.deleteProperty(message, "toJavaScript");
      Reflect.deleteProperty(message, "getFieldsMap");
      const fields = message.getFieldsMap();
      for (const [key, value] of Object.entries(plain())) fields.set(key, Value.fromJavaScript(value));
      return fields;
    };
    return message;
  }

  Struct.fromJavaScript = (plain) => hold(new Struct(), () => plain);
  Struct.deserializeBinaryFromReader = (message: Struct, reader: BinaryReader) => {
    const start = reader.getCursor();
    while (reader.nextField()) reader.skipField();
    const bytes = reader.getBuffer().subarray(start, reader.getCursor());
    return hold(message, () => readStruct(bytes) as Plain);
  };
  Struct.serializeBinaryToWriter = (message: Struct, writer: BinaryWriter) => {
    const plain = contents.get(message);
    if (plain === undefined) return write(message, writer);
    const bytes = writeStruct(plain());
    writer.writeSerializedMessage(bytes, 0, bytes.length);
  };
}
