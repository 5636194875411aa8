import { expect } from "chai";
import { createCipheriv, pbkdf2Sync, randomBytes } from "node:crypto";
import fc from "fast-check";
import { describeDifference, differences } from "../../../tools/history/differences";
import { comparisonFor } from "../../../tools/history/secrets";

const told = (before: object, after: object, secrets?: Parameters<typeof differences>[2]) =>
  differences({ ...before }, { ...after }, secrets).map(describeDifference);

describe("what changed in the settings", () => {
  it("is told setting by setting", () => {
    const before = { "a:b": { kept: 1, old: [1], deep: { x: true } }, "a:c": "text" };
    const after = { "a:b": { kept: 1, deep: { x: false }, fresh: { y: 1 } } };
    expect(told(before, after)).to.deep.equal([
      "a:b.deep.x true -> false",
      "a:b.fresh.y 1 (new)",
      "a:b.old [1] -> (none)",
      'a:c "text" -> (none)',
    ]);
  });

  it("has nothing of a secret but that it was set, changed or removed", () => {
    const secret = (text: string) => ({ secure: text });
    const before = {
      s: { a: secret("v1:1:1"), b: secret("v1:2:2"), d: secret("v1:4:4"), e: "plain" },
      list: [secret("v1:7:7")],
    };
    const after = {
      s: { a: secret("v1:1:1"), b: secret("v1:3:3"), c: secret("v1:5:5"), e: secret("v1:6:6") },
      list: [],
    };
    const different = told(before, after, { same: (one, other) => one === other });
    expect(different).to.deep.equal([
      "list changed (secret)",
      "s.b changed (secret)",
      "s.c set (secret)",
      "s.d removed (secret)",
      "s.e changed (secret)",
    ]);
    expect(told(before, after)).to.include("s.b set anew (secret)");
    expect(JSON.stringify(differences(before, after))).not.to.match(/v1:|plain/);
  });

  it("is nothing between equals, and never a text of a secret", () => {
    const secretText = fc.stringMatching(/^SECRET[a-z0-9]{4,8}$/);
    const leaf = fc.oneof(fc.integer(), fc.boolean(), fc.constant("text"), fc.record({ secure: secretText }));
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.array(tie("any"), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom("a", "b", "c"), tie("any")),
      ),
    })).any;
    const config = fc.dictionary(fc.constantFrom("x", "y", "z"), value);
    fc.assert(
      fc.property(config, config, (one, other) => {
        expect(differences(one, one)).to.deep.equal([]);
        const found = differences(one, other);
        expect(JSON.stringify(found) + found.map(describeDifference).join()).not.to.contain("SECRET");
      }),
    );
  });
});

describe("two ciphertexts", () => {
  const passphrase = "correct horse battery staple";
  const saltBytes = randomBytes(8);
  const provider = { type: "passphrase", state: { salt: `v1:${saltBytes.toString("base64")}:v1:x:y` } };
  const state = { url: "file:///nowhere" };
  const key = pbkdf2Sync(passphrase, saltBytes, 1_000_000, 32, "sha256");
  const encrypt = (text: string): string => {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", key, nonce);
    const sealed = Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
    return `v1:${nonce.toString("base64")}:${sealed.toString("base64")}`;
  };
  const [one, same, other] = [encrypt("value"), encrypt("value"), encrypt("another")];
  const comparison = (env: NodeJS.ProcessEnv) => comparisonFor(provider, state, env);

  it("mean the same when their values do", () => {
    const { same: isSame } = comparison({ PULUMI_CONFIG_PASSPHRASE: passphrase });
    expect([isSame(one, same), isSame(one, other), isSame(one, one)]).to.deep.equal([true, false, true]);
  });

  it("may mean the same where they cannot be read", () => {
    const wrong = comparison({ PULUMI_CONFIG_PASSPHRASE: "wrong" });
    expect([wrong.same(one, same), wrong.same(one, one)]).to.deep.equal([undefined, true]);
    expect(comparison({}).same(one, same)).to.equal(undefined);
    expect(comparison({ PULUMI_CONFIG_PASSPHRASE_FILE: "/nowhere" }).same(one, same)).to.equal(undefined);
    const right = comparison({ PULUMI_CONFIG_PASSPHRASE: passphrase });
    for (const damaged of ["", "v1:a:b", "v2:a:b", `${one.slice(0, -8)}AAAAAAA=`]) {
      expect(right.same(one, damaged), damaged).to.equal(undefined);
    }
    const kms = comparisonFor({ type: "cloud", state: { url: "awskms://x" } }, state, {});
    expect(kms.same(one, other)).to.equal(undefined);
  });
});
