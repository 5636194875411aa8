import { compare } from "bcryptjs";
import { expect } from "chai";
import { kindsProvider } from "../../../../tools/plugins/rpc/kinds";
import { containsSecret, Secret, Unknown, withoutSecrets } from "../../../../tools/plugins/rpc/values";
import { petWords } from "../../../../tools/plugins/random/choices";
import { uuid7 } from "../../../../tools/plugins/random/identifiers";
import { RANDOM_KINDS } from "../../../../tools/plugins/random/kinds";
import { resource } from "../operations";

const provider = kindsProvider("4.21.2", RANDOM_KINDS);
const kind = (name: string) => resource(provider, `random:index/random${name}:Random${name}`);

async function failuresOf(name: string, inputs: Parameters<ReturnType<typeof kind>["check"]>[0]) {
  return ((await kind(name).check(inputs)).failures ?? []).map(({ reason }) => reason);
}

describe("random: Password and String", () => {
  it("have the length and at least the characters of each class that were asked for", async () => {
    const inputs = {
      length: 12,
      minUpper: 2,
      minLower: 3,
      minNumeric: 4,
      minSpecial: 3,
      overrideSpecial: "~",
    };
    for (let draw = 0; draw < 50; draw++) {
      const { result } = withoutSecrets((await kind("String").create(inputs)).properties) as {
        result: string;
      };
      expect(result).to.have.length(12);
      expect(result.match(/[A-Z]/g)).to.have.length(2);
      expect(result.match(/[a-z]/g)).to.have.length(3);
      expect(result.match(/[0-9]/g)).to.have.length(4);
      expect(result.match(/~/g)).to.have.length(3);
    }
  });

  it("leave out classes that are switched off, under either name", async () => {
    const { properties } = await kind("String").create({ length: 200, special: false, number: false });
    expect(properties.result).to.match(/^[A-Za-z]{200}$/);
    expect(properties).to.include({ number: false, numeric: false, id: properties.result });
  });

  it("keep the password and its hash secret, and out of the id", async () => {
    const { id, properties } = await kind("Password").create({ length: 100 });
    expect(id).to.equal("none");
    expect(properties.result).to.be.instanceOf(Secret);
    expect(properties.bcryptHash).to.be.instanceOf(Secret);
    const { result, bcryptHash } = withoutSecrets(properties) as { result: string; bcryptHash: string };
    expect(await compare(result, bcryptHash)).to.equal(true);
    expect(JSON.parse(properties.__meta as string)).to.deep.equal({ schema_version: "3" });
  });

  it("refuse arguments that cannot be fulfilled", async () => {
    expect(await failuresOf("Password", {})).to.deep.equal([
      "length is missing; it takes a value of type integer",
    ]);
    expect(await failuresOf("Password", { length: 0 })).to.deep.equal([
      "length is 0; the smallest value is 1",
    ]);
    expect(await failuresOf("Password", { length: "12" })).to.deep.equal([
      "length has to be a value of type integer",
    ]);
    expect((await failuresOf("Password", { length: 4, lenght: 4 }))[0]).to.match(
      /^lenght is not an argument/,
    );
    expect((await failuresOf("Password", { length: 3, minUpper: 2, minLower: 2 }))[0]).to.match(
      /add up to 4/,
    );
    const none = { length: 3, upper: false, lower: false, numeric: false, special: false };
    expect((await failuresOf("Password", none))[0]).to.match(/has to be true/);
  });

  it("do not judge what is not known yet", async () => {
    expect(await failuresOf("Password", { length: Unknown.value, minUpper: 9 })).to.deep.equal([]);
  });

  it("are unknown in a preview", async () => {
    const { properties } = await kind("Password").create({ length: 8 }, true);
    expect(withoutSecrets(properties)).to.deep.include({
      result: Unknown.value,
      bcryptHash: Unknown.value,
      length: 8,
    });
    expect(containsSecret(properties.result)).to.equal(true);
  });
});

describe("random: what makes another value", () => {
  const state = {
    length: 12,
    upper: true,
    number: true,
    numeric: true,
    minUpper: 0,
    result: "x",
    keepers: { a: "1" },
  };

  it("is a changed argument or keeper, and each change of them is named", async () => {
    const diff = await kind("String").diff(state, { length: 13, keepers: { a: "2" } });
    expect(diff.replaces).to.have.members(["length", "keepers"]);
  });

  it("is not a default written out, the other name of an argument, an empty text or a secret keeper", async () => {
    const news = {
      length: 12,
      upper: true,
      numeric: true,
      overrideSpecial: "",
      keepers: { a: new Secret("1"), b: null },
    };
    expect(await kind("String").diff(state, news)).to.deep.equal({
      changes: false,
      replaces: [],
      detailed: {},
    });
  });

  it("is a keeper that is not known yet", async () => {
    expect((await kind("String").diff(state, { length: 12, keepers: Unknown.value })).replaces).to.deep.equal(
      ["keepers"],
    );
  });
});

describe("random: the other kinds", () => {
  it("Id in all its spellings", async () => {
    const { id, properties } = await kind("Id").create({ byteLength: 5, prefix: "p-" });
    const bytes = Buffer.from(id, "base64url");
    expect(bytes).to.have.length(5);
    expect(properties).to.include({ b64Url: `p-${id}`, hex: `p-${bytes.toString("hex")}` });
    expect(properties.dec).to.equal(`p-${BigInt(`0x${bytes.toString("hex")}`)}`);
  });

  it("Bytes, secret and not in the id", async () => {
    const { id, properties } = await kind("Bytes").create({ length: 16 });
    const { base64, hex } = withoutSecrets(properties) as { base64: string; hex: string };
    expect(Buffer.from(base64, "base64").toString("hex")).to.equal(hex).and.to.have.length(32);
    expect(id).not.to.equal(base64);
    expect([properties.base64, properties.hex].every((value) => value instanceof Secret)).to.equal(true);
  });

  it("Integer within its bounds, the same for the same seed", async () => {
    const seeded = { min: -5, max: 5, seed: "s" };
    const results = await Promise.all(
      [1, 2].map(async () => (await kind("Integer").create(seeded)).properties.result),
    );
    expect(results[0]).to.equal(results[1]).and.to.be.within(-5, 5);
    expect(await failuresOf("Integer", { min: 2, max: 1 })).to.deep.equal([
      "max is 1, which is smaller than min, 2",
    ]);
  });

  it("Uuid of versions 4 and 7", async () => {
    expect((await kind("Uuid").create({})).id).to.match(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-/,
    );
    expect(uuid7(0x0123456789ab)).to.match(/^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it("Pet of as many words as asked for", async () => {
    for (const length of [1, 2, 5]) expect(petWords(length)).to.have.length(length);
    const { id } = await kind("Pet").create({ length: 3, prefix: "pre", separator: "_" });
    expect(id).to.match(/^pre(_[a-z]+){3}$/);
  });

  it("Shuffle with fewer and with more results than inputs", async () => {
    const shuffle = async (resultCount: number) =>
      (await kind("Shuffle").create({ inputs: ["a", "b", "c"], resultCount })).properties.results as string[];
    expect(await shuffle(2)).to.have.length(2);
    const five = await shuffle(5);
    expect(five.slice(0, 3).sort()).to.deep.equal(["a", "b", "c"]);
    expect(five).to.have.length(5);
    expect(await shuffle(0)).to.deep.equal([]);
  });
});

describe("random: import and refresh", () => {
  it("keep what is in state", async () => {
    const properties = { length: 3, result: new Secret("abc") };
    expect(await kind("Password").read("none", properties, { length: 3 })).to.deep.equal({
      id: "none",
      properties,
      inputs: { length: 3 },
    });
  });

  for (const [name, importId, expected] of [
    ["String", "abc", { result: "abc", length: 3, upper: true }],
    ["Password", "abc", { result: "abc", length: 3, id: "none" }],
    ["Id", "p-,AQID", { hex: "p-010203", byteLength: 3, prefix: "p-" }],
    ["Bytes", "AQID", { hex: "010203", length: 3 }],
    ["Integer", "3,1,6", { result: 3, min: 1, max: 6 }],
    ["Uuid", "6F0E4EE5-5A8F-4F7E-9A0A-1F6D0A6A3C11", { result: "6f0e4ee5-5a8f-4f7e-9a0a-1f6d0a6a3c11" }],
  ] as const) {
    it(`import ${name} by its value`, async () => {
      const read = await kind(name).read(importId);
      expect(withoutSecrets(read?.properties ?? {})).to.include(expected);
      const { failures } = await kind(name).check(read?.inputs ?? {});
      expect(failures).to.deep.equal([]);
    });
  }

  for (const [name, importId] of [
    ["Id", "***"],
    ["Bytes", "AQI"],
    ["Integer", "3"],
    ["Uuid", "x"],
    ["Pet", "a-b"],
  ] as const) {
    it(`refuse to import ${name} by "${importId}"`, async () => {
      const error = await kind(name)
        .read(importId)
        .then(
          () => undefined,
          (reason: Error) => reason,
        );
      expect(error).to.be.instanceOf(Error);
    });
  }
});
