import { expect } from "chai";
import fc from "fast-check";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { decodeProperties, encodeProperties } from "../../../../tools/plugins/rpc/struct";
import { Archive, Asset, Secret, Unknown, type PropertyValue } from "../../../../tools/plugins/rpc/values";

const SIGNATURE = "4dabf18193072939515e22adb298388d";

const values = fc.letrec<{ value: PropertyValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<PropertyValue>(null, true, false, Unknown.value),
    fc.double({ noNaN: true }),
    fc.string(),
    fc.string().map((text) => new Asset({ text, hash: "abc" })),
    fc.string().map((path) => new Archive({ assets: { file: new Asset({ path }) } })),
    tie("value").map((inner) => new Secret(inner)),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(
      fc.string().filter((key) => key !== SIGNATURE && key !== "__proto__"),
      tie("value"),
      { maxKeys: 3 },
    ),
  ),
})).value;

/** What comes out after the bytes went over the wire. */
function overTheWire(properties: Record<string, PropertyValue>) {
  return decodeProperties(Struct.deserializeBinary(encodeProperties(properties).serializeBinary()));
}

describe("rpc: properties on the wire", () => {
  it("come out as they went in, whatever they are", () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(overTheWire({ value })).to.deep.equal({ value });
      }),
    );
  });

  it("are in the form that the engine expects", () => {
    expect(
      encodeProperties({ password: new Secret("x"), later: Unknown.value }).toJavaScript(),
    ).to.deep.equal({
      password: { [SIGNATURE]: "1b47061264138c4ac30d75fd1eb44270", value: "x" },
      later: "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
    });
  });

  it("leave out what is undefined", () => {
    expect(encodeProperties({ here: 1, gone: undefined }).toJavaScript()).to.deep.equal({ here: 1 });
  });

  it("read an unknown of any type as unknown", () => {
    const struct = Struct.fromJavaScript({ count: "3eeb2bf0-c639-47a8-9e75-3b44932eb421" });
    expect(decodeProperties(struct)).to.deep.equal({ count: Unknown.value });
  });

  it("read an output by its value, its secretness and whether it is known", () => {
    const output = (rest: object) => ({ [SIGNATURE]: "d0e6a833031e9bbcd3f4e8bde6ca49a4", ...rest });
    const struct = Struct.fromJavaScript({
      plain: output({ value: "a", dependencies: ["urn"] }),
      secret: output({ value: "b", secret: true }),
      later: output({}),
    });
    expect(decodeProperties(struct)).to.deep.equal({
      plain: "a",
      secret: new Secret("b"),
      later: Unknown.value,
    });
  });

  it("read a resource by its id", () => {
    const struct = Struct.fromJavaScript({
      resource: { [SIGNATURE]: "5cf8f73096256a8f31e491e813e4eb8e", urn: "urn:pulumi:a", id: "id-1" },
    });
    expect(decodeProperties(struct)).to.deep.equal({ resource: "id-1" });
  });

  it("refuse a signature that nobody knows", () => {
    const struct = Struct.fromJavaScript({ odd: { [SIGNATURE]: "00000000000000000000000000000000" } });
    expect(() => decodeProperties(struct)).to.throw(/unknown signature/);
  });
});
