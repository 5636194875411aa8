import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { backupKeys, readBackup } from "../../../tools/secrets/backup";
import { close, open } from "../../../tools/secrets/envelope";
import type { SealingKey } from "../../../tools/secrets/keys";
import { messageOfFailure, temporaryFolder, write } from "../engine/support";
import { FakeCluster } from "./fakeCluster";
import { sealingKey } from "./sealingKeys";

const passphrase = "correct horse battery staple";
const about = { stack: "staging", createdAt: new Date("2026-06-01T08:00:00Z") };

describe("a backup of keys", () => {
  let older: SealingKey;
  let newer: SealingKey;
  let text: string;
  const content = Buffer.from("sentinel-that-must-not-be-seen");
  before(async () => {
    newer = await sealingKey("sealed-secrets-keya", { from: "2026-02-01" });
    older = { ...(await sealingKey("sealed-secrets-keyb", { from: "2026-01-01" })), state: "compromised" };
    text = close(content, passphrase, about);
  });

  it("has the keys of the cluster, oldest first, in a file that only its owner reads", async () => {
    const cluster = new FakeCluster([newer, older]);
    const folder = temporaryFolder();
    const file = join(folder, "keys.json");
    expect(await backupKeys(cluster, file, passphrase, about)).to.deep.equal([older, newer]);
    expect(statSync(file).mode & 0o777).to.equal(0o600);
    expect(readdirSync(folder)).to.deep.equal(["keys.json"]);
    const written = readFileSync(file, "utf8");
    const inner = newer.privateKey.split("\n")[3] ?? "";
    expect(inner).to.have.length(64);
    for (const secret of [inner, passphrase, newer.name]) expect(written).to.not.contain(secret);
    const { keys, stack, createdAt } = readBackup(file, passphrase);
    expect({ keys, stack, createdAt }).to.deep.equal({ keys: [older, newer], ...about });
  });

  it("takes no other file's place, and leaves nothing behind where it fails", async () => {
    const folder = temporaryFolder();
    const file = write(folder, "keys.json", "mine");
    const cluster = new FakeCluster([newer]);
    expect(await messageOfFailure(() => backupKeys(cluster, file, passphrase, about))).to.contain(
      "is there already",
    );
    expect(readFileSync(file, "utf8")).to.equal("mine");
    const unfit = new FakeCluster([{ ...newer, privateKey: older.privateKey }]);
    const other = join(folder, "other.json");
    const message = await messageOfFailure(() => backupKeys(unfit, other, passphrase, about));
    expect(message).to.equal(`${newer.name} is not a key with the certificate that belongs to it.`);
    expect(
      await messageOfFailure(() => backupKeys(new FakeCluster([]), other, passphrase, about)),
    ).to.contain("no key");
    expect(readdirSync(folder)).to.deep.equal(["keys.json"]);
  });

  it("opens with its passphrase only", async () => {
    expect(open(text, passphrase, "f").content).to.deep.equal(content);
    const message = await messageOfFailure(() => open(text, `${passphrase} `, "keys.json"));
    expect(message).to.equal(
      "keys.json does not open: the passphrase is another one, or the file was changed.",
    );
    expect(text).to.not.contain(content.toString()).and.not.contain(content.toString("base64"));
    expect(close(content, passphrase, about)).to.not.equal(text);
  });

  it("opens with nothing of it changed, what can be read included", async () => {
    const whole = JSON.parse(text) as { ciphertext: string };
    const flipped = Buffer.from(whole.ciphertext, "base64");
    flipped[0] = (flipped[0] ?? 0) ^ 1;
    for (const change of [{ stack: "production" }, { ciphertext: flipped.toString("base64") }]) {
      const message = await messageOfFailure(() =>
        open(JSON.stringify({ ...whole, ...change }), passphrase, "f"),
      );
      expect(message).to.contain("does not open");
    }
  });

  it("is refused unread where it could take all memory, or is something else", async () => {
    const whole = JSON.parse(text) as { scrypt: object };
    const huge = { ...whole, scrypt: { ...whole.scrypt, cost: 2 ** 30 } };
    for (const other of [JSON.stringify(huge), "{}", "no JSON"]) {
      expect(await messageOfFailure(() => open(other, passphrase, "f"))).to.contain(
        "is no backup of sealing keys",
      );
    }
  });
});
