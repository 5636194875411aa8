import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { openHistory } from "../../tools/history/source";
import { backup, type Backup } from "../../tools/state/backup";
import { findArchive } from "../../tools/recover/archives";
import { restore } from "../../tools/state/restore";
import { describe as described, verify } from "../../tools/state/verify";
import { FakeCloud } from "../support/fakeCloud";
import { S3Store } from "../support/s3Store";
import { TinyCheckout } from "../support/tinyCheckout";
import { messageOfFailure } from "../tools/engine/support";

const lockHolder = join(__dirname, "../support/lockHolder.ts");
const sentinel = "sentinel-4711";
const settings = (version: string) => `config:
  tiny:application:
    version: "${version}"
    image: { build: { repository: technova/inventory } }
    length: 8
`;

/** Two updates, with a secret in settings and state. */
async function filled(backend?: string, env: NodeJS.ProcessEnv = {}): Promise<TinyCheckout> {
  const tiny = TinyCheckout.create(backend);
  Object.assign(tiny.env, env);
  tiny.write("Pulumi.test.yaml", settings("1.0.1"));
  if (backend !== undefined) await tiny.pulumi("stack", "init", "--stack", "test", "--no-select");
  await tiny.pulumi(
    "config",
    "set",
    "--secret",
    "--path",
    "tiny:secrets.database",
    sentinel,
    "--stack",
    "test",
  );
  await tiny.up();
  const text = tiny.read("Pulumi.test.yaml").replace("1.0.1", "1.0.2");
  tiny.write("Pulumi.test.yaml", text);
  await tiny.up();
  return tiny;
}

const bookkeeping = (tiny: TinyCheckout) => join(tiny.root, ".pulumi-state/.pulumi");
const passphrase = (tiny: TinyCheckout) => join(tiny.root, ".pulumi-state/passphrase");

/** Every file of a backend, but for what the backend notes about them. */
function files(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return names.filter((name) => /\.(json|gz)$/.test(name) && !/backups|\.bak/.test(name)).sort();
}

describe("state archives with the real CLI", function () {
  this.timeout("5m");
  this.bail(true);
  const made: TinyCheckout[] = [];
  const options = { stack: "test", waitSeconds: 0 };
  let tiny: TinyCheckout;
  let archive: Backup;

  before(async () => {
    tiny = await filled();
    made.push(tiny);
  });
  after(() => made.forEach((each) => each.remove()));

  /** A checkout of the same project with an empty backend. */
  function another(withPassphrase = true): TinyCheckout {
    const other = TinyCheckout.create();
    made.push(other);
    other.write("Pulumi.test.yaml", tiny.read("Pulumi.test.yaml"));
    if (withPassphrase) other.write(".pulumi-state/passphrase", readFileSync(passphrase(tiny), "utf8"));
    return other;
  }

  it("lies in files that are each written at once, with none beside them that is not", () => {
    const names = readdirSync(bookkeeping(tiny), { recursive: true, encoding: "utf8" });
    expect(names).to.include("stacks/tiny/test.json");
    expect(names.filter((name) => name.endsWith(".attrs"))).to.deep.equal([]);
  });

  it("backs up, without what opens the secrets", async () => {
    archive = await backup(tiny.root, options, tiny.env);
    expect(archive.content).to.deep.include({ updates: 2, pending: 0 });
    expect(archive.content.ciphertexts).not.to.be.empty;
    expect(archive.opens).to.equal(true);
    expect(archive.archive.manifest.versions.pulumi).to.match(/^v?\d+\.\d+\.\d+/);
    const extracted = execFileSync("tar", ["xzOf", archive.path], { maxBuffer: 64 << 20 }).toString();
    expect(extracted).not.to.contain(sentinel);
    expect(extracted).not.to.contain(readFileSync(passphrase(tiny), "utf8").trim());
    expect(readdirSync(dirname(archive.path))).to.have.length(1);
  });

  it("verifies, and says when the passphrase at hand opens nothing", async () => {
    const here = described(await verify(archive.path, tiny.root, tiny.env));
    expect(here.join("\n")).to.match(/2 updates, \d+ secrets.*sums and structure are right/);
    expect(here.join("\n")).to.contain("every secret can be opened");
    const elsewhere = { ...tiny.env, PULUMI_CONFIG_PASSPHRASE: "another" };
    const there = described(await verify(archive.path, tiny.root, elsewhere));
    expect(there.join("\n")).to.contain("the passphrase at hand does not open its secrets");
  });

  it("restores nothing where the secrets could not be read", async () => {
    const other = another(false);
    const told = await messageOfFailure(() =>
      restore(other.root, archive.path, { ...options, replace: false }, other.env),
    );
    expect(told).to.match(/does not open the secrets.*nothing was written/);
    expect(files(bookkeeping(other))).to.be.empty;
  });

  it("restores nothing of another stack, and nothing that was tampered with", async () => {
    const other = another();
    const attempt = (path: string, stack = "test") =>
      messageOfFailure(() => restore(other.root, path, { ...options, stack, replace: true }, other.env));
    expect(await attempt(archive.path, "production")).to.match(
      /is of tiny\/test, not of tiny\/production; nothing/,
    );
    const bytes = readFileSync(archive.path);
    const broken = join(other.root, "broken.tar.gz");
    const middle = bytes.length >> 1;
    for (const content of [
      bytes.subarray(0, middle),
      Buffer.concat([bytes, Buffer.from("x")]),
      Buffer.concat([
        bytes.subarray(0, middle),
        Buffer.from([(bytes[middle] ?? 0) ^ 1]),
        bytes.subarray(middle + 1),
      ]),
    ]) {
      writeFileSync(broken, content);
      expect(await attempt(broken)).to.match(/no archive that can be trusted/);
    }
    expect(files(bookkeeping(other))).to.be.empty;
  });

  it("restores into an empty backend, byte for byte, and the next preview has nothing to do", async () => {
    const other = another();
    const { notes } = await restore(other.root, archive.path, { ...options, replace: false }, other.env);
    expect(notes).to.deep.equal([]);
    expect(files(bookkeeping(other))).to.deep.equal(files(bookkeeping(tiny)));
    for (const name of files(bookkeeping(tiny))) {
      const [one, two] = [tiny, other].map((each) => readFileSync(join(bookkeeping(each), name)));
      expect(one?.equals(two ?? Buffer.alloc(0)), name).to.equal(true);
    }
    await other.pulumi("preview", "--stack", "test", "--expect-no-changes", "--non-interactive");
    expect(await other.output("seen")).to.equal(await tiny.output("seen"));
    const again = await backup(other.root, options, other.env);
    expect(again.archive.parts).to.deep.equal(archive.archive.parts);
  });

  it("takes the place of a stack only when told to, and keeps what was there", async () => {
    const other = another();
    await restore(other.root, archive.path, { ...options, replace: false }, other.env);
    await other.up("--config", "tiny:unused=1");
    const before = files(bookkeeping(other));
    const refused = await messageOfFailure(() =>
      restore(other.root, archive.path, { ...options, replace: false }, other.env),
    );
    expect(refused).to.match(/has \d+ resources; nothing was written.*--replace/);
    expect(files(bookkeeping(other))).to.deep.equal(before);
    const { aside = "" } = await restore(other.root, archive.path, { ...options, replace: true }, other.env);
    expect(files(bookkeeping(other))).to.deep.equal(files(bookkeeping(tiny)));
    expect((await verify(aside, other.root, other.env)).content.updates).to.equal(3);
    await restore(other.root, aside, { ...options, replace: true }, other.env);
    expect(files(bookkeeping(other))).to.deep.equal(before);
  });

  it("restores a history that the CLI shows in more than one page", async () => {
    const other = another();
    await restore(other.root, archive.path, { ...options, replace: false }, other.env);
    const folder = join(bookkeeping(other), "history/tiny/test");
    const newest = readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .sort()
      .slice(-2);
    for (let later = 1; later <= 10; later++) {
      for (const name of newest) {
        const id = (found: string) => String(BigInt(found) + BigInt(later) * 60_000_000_000n);
        copyFileSync(join(folder, name), join(folder, name.replace(/\d{10,20}/, id)));
      }
    }
    const long = await backup(other.root, options, other.env);
    expect(long.content.updates).to.equal(12);
    const target = another();
    const { content } = await restore(target.root, long.path, { ...options, replace: false }, target.env);
    expect(content.updates).to.equal(12);
    expect(files(bookkeeping(target))).to.deep.equal(files(bookkeeping(other)));
  });

  it("puts the settings back where they are missing, and leaves others alone", async () => {
    const other = another();
    rmSync(join(other.root, "Pulumi.test.yaml"));
    other.write("Pulumi.other.yaml", "config: {}\n");
    const { notes } = await restore(other.root, archive.path, { ...options, replace: false }, other.env);
    expect(notes).to.deep.equal(["Pulumi.test.yaml was put back."]);
    expect(other.read("Pulumi.test.yaml")).to.equal(tiny.read("Pulumi.test.yaml"));
    other.write("Pulumi.test.yaml", settings("9.9.9"));
    const second = await restore(other.root, archive.path, { ...options, replace: true }, other.env);
    expect(second.notes.join()).to.match(/differs from the one in the archive and was left as it is/);
  });

  it("is refused while the stack is locked, or waits", async () => {
    const lock = join(bookkeeping(tiny), "locks/organization/tiny/test/held.json");
    mkdirSync(dirname(lock), { recursive: true });
    const holder = { pid: 1, username: "alice", hostname: "elsewhere", timestamp: "2026-11-25T08:00:00Z" };
    writeFileSync(lock, JSON.stringify(holder));
    expect(await messageOfFailure(() => backup(tiny.root, options, tiny.env))).to.match(
      /is locked: alice@elsewhere.*--wait/,
    );
    setTimeout(() => rmSync(lock), 1_500);
    const waited = await backup(tiny.root, { ...options, waitSeconds: 60 }, tiny.env);
    expect(waited.archive.parts).to.deep.equal(archive.archive.parts);
  });

  it("keeps as many archives as it is told to, and only whole ones", async () => {
    const folder = join(tiny.root, "archives");
    mkdirSync(folder);
    writeFileSync(join(folder, "tiny-test-notes.txt"), "stays");
    const names: string[] = [];
    for (let count = 0; count < 3; count++) {
      const { path } = await backup(tiny.root, { ...options, out: folder, retain: 2 }, tiny.env);
      names.push(path.slice(folder.length + 1));
    }
    expect(readdirSync(folder).sort()).to.deep.equal([...names.slice(1), "tiny-test-notes.txt"].sort());
  });

  it("warns of operations that were under way", async () => {
    const other = another();
    await restore(other.root, archive.path, { ...options, replace: false }, other.env);
    const file = join(bookkeeping(other), "stacks/tiny/test.json");
    const state = JSON.parse(readFileSync(file, "utf8")) as {
      checkpoint: { latest: { resources: object[]; pending_operations?: object[] } };
    };
    const { latest } = state.checkpoint;
    latest.pending_operations = [{ resource: latest.resources.at(-1), type: "updating" }];
    writeFileSync(file, JSON.stringify(state));
    const interrupted = await backup(other.root, options, other.env);
    expect(described(interrupted).join("\n")).to.match(/warning: operations under way: 1/);
  });

  it("copies from a Pulumi Cloud what its API answers, and carries the state into a folder", async () => {
    const exported = JSON.parse(await tiny.pulumi("stack", "export", "--stack", "test")) as unknown;
    const update = {
      kind: "update",
      startTime: 1,
      endTime: 2,
      message: "",
      environment: {},
      config: {},
      result: "succeeded",
    };
    const cloud = await FakeCloud.start(exported, [{ version: 1, info: update }]);
    try {
      const inCloud = TinyCheckout.create(cloud.url);
      made.push(inCloud);
      Object.assign(inCloud.env, {
        PULUMI_ACCESS_TOKEN: "for tests",
        PULUMI_CONFIG_PASSPHRASE: readFileSync(passphrase(tiny), "utf8").trim(),
      });
      inCloud.write("Pulumi.test.yaml", tiny.read("Pulumi.test.yaml"));
      const out = join(inCloud.root, "cloud.tar.gz");
      const copied = await backup(inCloud.root, { ...options, out }, inCloud.env);
      expect(copied.archive.manifest).to.deep.include({ backend: "cloud", updates: 1 });
      expect(copied.opens).to.equal(true);
      expect(cloud.calls.filter((call) => !call.startsWith("GET "))).to.deep.equal([]);
      const other = another();
      const { notes } = await restore(other.root, out, { ...options, replace: false }, other.env);
      expect(notes).to.deep.equal(["The state was imported; the history stays in the archive."]);
      await other.pulumi("preview", "--stack", "test", "--expect-no-changes", "--non-interactive");
    } finally {
      await cloud.stop();
    }
  });

  it("is the same from and into a bucket", async () => {
    const store = await S3Store.start();
    // The client for S3 looks for them in the environment of this process alone.
    Object.assign(process.env, S3Store.credentials);
    try {
      const inBucket = await filled(store.url("state"), S3Store.credentials);
      made.push(inBucket);
      const out = join(inBucket.root, "bucket.tar.gz");
      const copied = await backup(inBucket.root, { ...options, out }, inBucket.env);
      expect(copied.archive.manifest.backend).to.equal("s3");
      expect(copied.content.updates).to.equal(2);
      for (const kept of ["first", "second"]) {
        const away = await backup(
          inBucket.root,
          { ...options, out: store.url("archives/tiny"), retain: 1 },
          inBucket.env,
        );
        expect(away.path).to.match(/^s3:\/\/archives\/tiny\/tiny-test-.*\.tar\.gz$/);
        expect(away.removed, kept).to.have.length(kept === "first" ? 0 : 1);
      }
      const found = await findArchive(inBucket.root, "test", store.url("archives/tiny"), inBucket.env);
      expect(found.archive.parts).to.deep.equal(copied.archive.parts);
      const kept = found.from.slice(found.from.lastIndexOf("/") + 1);
      const inPlace = store.url(`archives/tiny/${kept}`);
      expect((await verify(inPlace, inBucket.root, inBucket.env)).opens).to.equal(true);
      expect(
        await messageOfFailure(() => verify(store.url("archives/tiny"), inBucket.root, inBucket.env)),
      ).to.match(
        /is no archive\. Name one in it, as s3:\/\/archives\/tiny\/<name>\.tar\.gz; there are: tiny-test-/,
      );
      const target = TinyCheckout.create(store.url("other"));
      made.push(target);
      Object.assign(target.env, S3Store.credentials);
      target.write("Pulumi.test.yaml", inBucket.read("Pulumi.test.yaml"));
      await restore(target.root, inPlace, { ...options, replace: false }, target.env);
      await target.pulumi("preview", "--stack", "test", "--expect-no-changes", "--non-interactive");
      await target.up("--config", "tiny:unused=1");
      await restore(target.root, out, { ...options, replace: true }, target.env);
      const again = await backup(
        target.root,
        { ...options, out: join(target.root, "again.tar.gz") },
        target.env,
      );
      // The settings are the checkout's, and `up --config` has written into them.
      const ofBackend = ({ archive: { parts } }: Backup) =>
        [...parts].filter(([name]) => name.startsWith("backend/"));
      expect(ofBackend(again)).to.deep.equal(ofBackend(copied));
    } finally {
      for (const name of Object.keys(S3Store.credentials)) Reflect.deleteProperty(process.env, name);
      await store.stop();
    }
  });

  it("leaves a bucket locked when it is killed, until the next command of the same checkout", async () => {
    const store = await S3Store.start();
    try {
      const opens = { PULUMI_CONFIG_PASSPHRASE: readFileSync(passphrase(tiny), "utf8").trim() };
      const [killed, other] = ["", ""].map(() => {
        const each = TinyCheckout.create(store.url("killed"));
        made.push(each);
        Object.assign(each.env, S3Store.credentials, opens);
        each.write("Pulumi.test.yaml", tiny.read("Pulumi.test.yaml"));
        return each;
      }) as [TinyCheckout, TinyCheckout];
      const lockAndDie = async () => {
        const reference = JSON.stringify({ project: "tiny", stack: "test" });
        const args = ["--import", "tsx", lockHolder, killed.root, reference];
        const child = spawn(process.execPath, args, {
          env: killed.env,
          stdio: ["ignore", "pipe", "inherit"],
        });
        await once(child.stdout, "data");
        child.kill("SIGKILL");
        await once(child, "close");
      };
      const attempt = ({ root, env }: TinyCheckout) =>
        restore(root, archive.path, { ...options, replace: false }, env);
      const history = await openHistory(other.root, "test", other.env);
      expect(await history.lockedBy()).to.equal(undefined);
      await lockAndDie();
      expect(await history.lockedBy(), "asked anew").to.match(/process \d+.*s3:\/\/killed\//);
      const refused = await messageOfFailure(() => attempt(other));
      expect(refused).to.match(
        /is locked: .*s3:\/\/killed\/\.pulumi\/locks\/organization\/tiny\/test\/.*\.json/,
      );
      expect(refused).to.include("cancel --stack test").and.to.include("delete the lock itself");
      expect((await attempt(killed)).content.updates).to.equal(2);

      await lockAndDie();
      expect(await messageOfFailure(() => other.up())).to.match(/locked by 1 lock.*created by /s);
      expect((await backup(killed.root, options, killed.env)).content.updates).to.equal(2);
      expect(await killed.up()).to.match(/unchanged/);
      expect(await other.up()).to.match(/unchanged/);
    } finally {
      await store.stop();
    }
  });
});
