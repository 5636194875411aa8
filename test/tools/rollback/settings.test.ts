import { expect } from "chai";
import fc from "fast-check";
import { parse } from "yaml";
import {
  configToApply,
  projectDefaults,
  settingsText,
  standaloneSettings,
  withDowngrade,
} from "../../../tools/rollback/settings";
import { stateDifferences } from "../../../tools/rollback/states";
import { byCiphertext } from "../../../tools/history/secrets";
import { messageOfFailure } from "../engine/support";
import { digestOf } from "./support";

const passphrase = { type: "passphrase", state: { salt: "v1:salt" } };
const build = { build: { repository: "technova/inventory", context: "app" } };
const built = (digit: string, more: object = {}) => ({
  config: {
    "technova:application": { version: `1.0.${digit}`, image: build, schemaRevision: "0004", ...more },
  },
  image: `localhost:5050/technova/inventory@${digestOf(digit)}`,
});
const pinned = (digit: string) => ({ repository: "technova/inventory", digest: digestOf(digit) });

describe("the settings to apply", () => {
  it("name an image that was built by the digest that it got", () => {
    expect(configToApply(built("1"), built("2"), "technova")).to.deep.equal({
      "technova:application": { version: "1.0.1", image: pinned("1"), schemaRevision: "0004" },
    });
  });

  it("are not guessed where nobody knows the digest any more", async () => {
    const { config } = built("1");
    const told = await messageOfFailure(() => configToApply({ config }, built("2"), "technova"));
    expect(told).to.match(/nobody knows its digest.*--only config/s);
  });

  const then = built("1", { replicas: 1, schemaRevision: "0003", committedAt: "2026-01-01T00:00:00Z" });
  const now = built("2", { replicas: 2 });
  it("keep the image of now with --only config", () => {
    expect(configToApply(then, now, "technova", "config")).to.deep.equal({
      "technova:application": { version: "1.0.2", image: pinned("2"), schemaRevision: "0004", replicas: 1 },
    });
  });

  it("take nothing but the image and what belongs to it with --only image", () => {
    expect(configToApply(then, now, "technova", "image")).to.deep.equal({
      "technova:application": {
        version: "1.0.1",
        image: pinned("1"),
        schemaRevision: "0003",
        committedAt: "2026-01-01T00:00:00Z",
        replicas: 2,
      },
    });
  });

  it("bring the schema down beside the migration's other settings, which is no part of the state", () => {
    const { config } = built("1", { migration: { timeoutSeconds: 60 } });
    const downgrade = { to: "0003", image: pinned("2"), allowDataLoss: false };
    const changed = withDowngrade(config, "technova", downgrade);
    expect(changed["technova:application"]).to.deep.include({
      migration: { timeoutSeconds: 60, downgrade },
    });
    expect(stateDifferences({ config }, { config: changed }, "technova", byCiphertext)).to.deep.equal([]);
    const again = configToApply({ ...built("1"), config: changed }, now, "technova");
    expect(again["technova:application"]).to.deep.include({ migration: { timeoutSeconds: 60 } });
  });
});

describe("two states", () => {
  it("are the same where an image was built in one and named by its digest in the other", () => {
    const named = { ...built("1"), config: configToApply(built("1"), built("2"), "technova") };
    expect(stateDifferences(built("1"), named, "technova", byCiphertext)).to.deep.equal([]);
  });

  it("differ by the image alone", () => {
    const other = { ...built("1"), image: built("2").image };
    expect(stateDifferences(built("1"), other, "technova", byCiphertext)).to.deep.equal([
      { path: "application image", kind: "changed", before: "1".repeat(12), after: "2".repeat(12) },
    ]);
  });
});

describe("a stack's file", () => {
  const text = `# What it is for.
config:
  # Any context does.
  kubernetes:context: here
  technova:application:
    version: 1.0.2 # the release
    image: { build: { repository: technova/inventory } }
    replicas: 2
`;

  it("keeps comments, order and form where the values stay", () => {
    const config = {
      "kubernetes:context": "here",
      "technova:application": { version: "1.0.1", image: pinned("1"), replicas: 2, schemaRevision: "0004" },
      "technova:cluster": {},
    };
    expect(settingsText(text, config, passphrase, { "technova:cluster": {} })).to.equal(`# What it is for.
config:
  # Any context does.
  kubernetes:context: here
  technova:application:
    version: 1.0.1 # the release
    image: { repository: technova/inventory, digest: ${digestOf("1")} }
    replicas: 2
    schemaRevision: "0004"
`);
  });

  it("says how its secrets are encrypted once it has some", () => {
    const config = { "technova:secrets": { databaseUrl: { secure: "v1:a:b" } } };
    expect(parse(settingsText(text, config, passphrase))).to.deep.equal({
      config,
      encryptionsalt: "v1:salt",
    });
    const said = "secretsprovider: awskms://alias/x\nencryptedkey: abc\n";
    expect(parse(settingsText(said, config, passphrase))).to.deep.equal({
      secretsprovider: "awskms://alias/x",
      encryptedkey: "abc",
      config,
    });
  });

  it("is by itself what the CLI needs to read it", () => {
    const kms = { type: "cloud", state: { url: "awskms://alias/x", encryptedkey: "abc" } };
    expect(parse(standaloneSettings({ a: "1" }, kms))).to.deep.equal({
      secretsprovider: "awskms://alias/x",
      encryptedkey: "abc",
      config: { a: "1" },
    });
    expect(parse(standaloneSettings({ a: "1" }, { type: "service" }))).to.deep.equal({ config: { a: "1" } });
  });

  it("have times in quotes, as the CLI would take them for something else", () => {
    const committedAt = "2026-01-31T12:00:00Z";
    const config = { "technova:application": { committedAt } };
    const quoted = `committedAt: "${committedAt}"`;
    expect(standaloneSettings(config, undefined)).to.contain(quoted);
    expect(settingsText("config: {}\n", config, undefined)).to.contain(quoted);
    const before = 'config:\n  technova:application:\n    committedAt: "2025-01-31T12:00:00Z"\n';
    expect(settingsText(before, config, undefined)).to.contain(quoted);
  });

  it("says exactly what is to be said, whatever it said before", () => {
    const leaf = fc.oneof(fc.string({ maxLength: 12 }), fc.integer(), fc.boolean());
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.array(tie("any"), { maxLength: 3 }),
        fc.dictionary(fc.stringMatching(/^[a-z0-9.:-]{1,6}$/), tie("any"), { maxKeys: 4 }),
      ),
    })).any;
    const config = fc.dictionary(fc.stringMatching(/^[a-z]{1,3}:[a-z]{1,3}$/), value, { maxKeys: 4 });
    fc.assert(
      fc.property(config, config, (before, after) => {
        const old = standaloneSettings(before, undefined);
        expect((parse(settingsText(old, after, undefined)) as { config: unknown }).config).to.deep.equal(
          after,
        );
      }),
    );
  });

  it("leaves out what the project says of itself", () => {
    const declared = {
      cluster: { type: "object", default: {} },
      "kubernetes:context": { default: "x" },
      a: 1,
    };
    expect(projectDefaults("technova", declared)).to.deep.equal({
      "technova:cluster": {},
      "kubernetes:context": "x",
    });
  });
});
