import { expect } from "chai";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { takeOver, workingSettings } from "../../../tools/engine/settings";
import { openState } from "../../../tools/engine/state";
import { checkoutWith, messageOfFailure } from "./support";

const salt = "encryptionsalt: v1:abc:v1:def\n";
const before = "# why\nconfig:\n  technova:a: { b: 1 } # one\n";
const secret = "  technova:secrets:\n    token:\n      secure: v1:ciphertext\n";

describe("what the CLI changed in its copy of the settings", () => {
  it("is nothing when it only recorded its salt", () => {
    expect(takeOver(before, before + salt, "x")).to.equal(undefined);
    expect(takeOver("", salt, "x")).to.equal(undefined);
  });

  it("is taken over without the salt, comments kept", () => {
    expect(takeOver(before, `${before}  technova:c: 2\n${salt}`, "x")).to.equal(`${before}  technova:c: 2\n`);
  });

  it("is taken over with the salt once there is a secret, which nobody could read without it", () => {
    expect(takeOver(before, before + secret + salt, "x")).to.equal(before + secret + salt);
  });

  it("does not mistake a setting named secure for a secret", () => {
    const named = `${before}  technova:tls: { secure: true, port: 1 }\n`;
    expect(takeOver(before, named + salt, "x")).to.equal(named);
  });

  it("includes a removed key", () => {
    expect(takeOver(before, `# why\nconfig: {}\n${salt}`, "x")).to.equal("# why\nconfig: {}\n");
  });
});

describe("the settings that the CLI works on", () => {
  const setUp = (text = before): { root: string; tracked: string } => {
    const root = checkoutWith({ "Pulumi.local.yaml": text });
    return { root, tracked: join(root, "Pulumi.local.yaml") };
  };

  it("are a copy, and the tracked file stays as it is when nothing was changed", () => {
    const { root, tracked } = setUp();
    const working = workingSettings(root, openState(root, {}), tracked);
    expect(working?.path).to.match(/\.pulumi-state\/settings\/\d+\/Pulumi\.local\.yaml$/);
    writeFileSync(working?.path ?? "", before + salt);
    working?.finish();
    expect(readFileSync(tracked, "utf8")).to.equal(before);
    expect(existsSync(working?.path ?? "")).to.equal(false);
  });

  it("give the tracked file what `config set` wrote", () => {
    const { root, tracked } = setUp();
    const working = workingSettings(root, openState(root, {}), tracked);
    writeFileSync(working?.path ?? "", `${before}  technova:c: 2\n${salt}`);
    working?.finish();
    expect(readFileSync(tracked, "utf8")).to.equal(`${before}  technova:c: 2\n`);
  });

  for (const line of [salt, "secretsprovider: awskms://alias/x\n", "encryptedkey: abc\n"]) {
    it(`are the tracked file itself when that has ${line.split(":", 1).join()}`, () => {
      const { root, tracked } = setUp(before + line);
      expect(workingSettings(root, openState(root, {}), tracked)).to.equal(undefined);
    });
  }

  it("are the tracked file itself in a Pulumi Cloud, which keeps the keys", () => {
    const { root, tracked } = setUp();
    const state = openState(root, { PULUMI_BACKEND_URL: "https://api.pulumi.example" });
    expect(workingSettings(root, state, tracked)).to.equal(undefined);
  });

  it("are not lost when the process was killed before it could take them over", () => {
    const { root, tracked } = setUp();
    const state = openState(root, {});
    const working = workingSettings(root, state, tracked);
    const folder = join(working?.path ?? "", "..");
    writeFileSync(working?.path ?? "", `${before}  technova:c: 2\n${salt}`);
    // No process has this number: it is above the highest that Linux gives out.
    renameSync(folder, join(root, ".pulumi-state/settings/4194305"));
    mkdirSync(join(root, ".pulumi-state/settings/4194306"));
    workingSettings(root, state, tracked)?.finish();
    expect(readFileSync(tracked, "utf8")).to.equal(`${before}  technova:c: 2\n`);
  });

  it("do not overwrite an edit that was made in the meantime", async () => {
    const { root, tracked } = setUp();
    const working = workingSettings(root, openState(root, {}), tracked);
    writeFileSync(working?.path ?? "", `${before}  technova:c: 2\n`);
    writeFileSync(tracked, "config: { technova:mine: 1 }\n");
    expect(await messageOfFailure(() => working?.finish())).to.include("was edited while");
    expect(readFileSync(tracked, "utf8")).to.equal("config: { technova:mine: 1 }\n");
    expect(existsSync(working?.path ?? "")).to.equal(true);
  });
});
