import { expect } from "chai";
import fc from "fast-check";
import { Struct, Value } from "google-protobuf/google/protobuf/struct_pb";
import { exchangePlainStructs } from "../../../../tools/plugins/rpc/structs";
import { readStruct, writeStruct } from "../../../../tools/plugins/rpc/wire";

describe("rpc: structs on the wire", () => {
  /** As the library wrote it, which sorts keys. */
  const bytes = Buffer.from(
    "0a0b0a05656d70747912021a000a240a046c697374121c321a0a0911000000000000f03f0a051a0374776f0a0232000a0208000a080a" +
      "026e6f120220000a0a0a046e6f6e65120208000a130a066e756d626572120911000000000000f8bf0a220a066f626a65637412182a16" +
      "0a140a0464656570120c2a0a0a080a02657212022a000a100a047465787412081a06c3a4f09f98800a090a03796573120220010a110a" +
      "047a65726f1209110000000000000000",
    "hex",
  );
  const plain = {
    empty: "",
    list: [1, "two", [], null],
    no: false,
    none: null,
    number: -1.5,
    object: { deep: { er: {} } },
    text: "ä😀",
    yes: true,
    zero: 0,
  };

  it("are those of the library", () => {
    expect(readStruct(bytes)).to.deep.equal(plain);
    expect(Buffer.from(writeStruct(plain)).toString("hex")).to.equal(bytes.toString("hex"));
  });

  it("are read as they were written, whatever they are", () => {
    const key = fc.string({ unit: "binary" }).filter((name) => name !== "__proto__");
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.oneof(fc.constant(null), fc.boolean(), fc.double({ noNaN: true }), fc.string({ unit: "binary" })),
        fc.array(tie("tree"), { maxLength: 4 }),
        fc.dictionary(key, tie("tree"), { maxKeys: 4, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(key, tree, { maxKeys: 5, noNullPrototype: true }), (properties) => {
        expect(readStruct(writeStruct(properties))).to.deep.equal(properties);
      }),
      { numRuns: 100 },
    );
  });

  it("may be long, and are read from where they begin", () => {
    const properties = { text: "ä".repeat(70_000), list: Array.from({ length: 300 }, (_, index) => index) };
    const within = Buffer.concat([Buffer.from("before"), writeStruct(properties)]).subarray(6);
    expect(readStruct(within)).to.deep.equal(properties);
  });

  it("are not read where they are cut off, instead of being half read", () => {
    const whole = writeStruct({ spec: { replicas: 3, image: "registry.example/shop" } });
    for (let length = 1; length < whole.length; length += 1) {
      expect(() => readStruct(whole.subarray(0, length)), `${length} of ${whole.length} bytes`).to.throw(
        /in the middle/,
      );
    }
  });

  it("have no place for what is undefined", () => {
    expect(() => writeStruct({ list: [undefined] })).to.throw(/of the type undefined/);
  });

  describe("for whoever uses the library", () => {
    exchangePlainStructs({ Struct, Value });
    const read = () => Struct.deserializeBinary(bytes);

    it("are plain values", () => {
      expect(read().toJavaScript()).to.deep.equal(plain);
      expect(Buffer.from(Struct.fromJavaScript(plain).serializeBinary())).to.deep.equal(bytes);
      expect(Buffer.from(read().serializeBinary())).to.deep.equal(bytes);
    });

    it("are the library's own objects when they are asked for, and keep what is done to them", () => {
      for (const struct of [read(), Struct.fromJavaScript(plain)]) {
        expect(struct.getFieldsMap().get("text")?.getStringValue()).to.equal("ä😀");
        struct.getFieldsMap().set("text", Value.fromJavaScript("other"));
        struct.getFieldsMap().del("zero");
        const { zero, ...rest } = { ...plain, text: "other" };
        expect(zero).to.equal(0);
        expect(struct.toJavaScript()).to.deep.equal(rest);
        expect(Struct.deserializeBinary(struct.serializeBinary()).toJavaScript()).to.deep.equal(rest);
      }
    });
  });
});
