import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { Objects } from "../../tools/state/objects";
import { clientOptions } from "../../tools/history/s3";
import { connect } from "../../tools/release/api";
import { capturePulumi } from "../../tools/engine/run";
import { readJournal, recoveryFolder, stepNames, type Journal } from "../../tools/recover/journal";
import { recover, type RecoverMeans, type RecoverOptions } from "../../tools/recover/recover";
import { parseWanted } from "../../tools/recover/wanted";
import { readCertificate } from "../../tools/secrets/certificate";
import type { SealingKey } from "../../tools/secrets/keys";
import { sealInto } from "../../tools/secrets/sealedFile";
import { backup, type Backup } from "../../tools/state/backup";
import { backupKey, dump } from "../support/sealedBackups";
import { S3Store } from "../support/s3Store";
import { TinyCheckout } from "../support/tinyCheckout";
import { FakeCluster } from "../tools/plugins/kubernetes/support/fake-cluster";
import { messageOfFailure } from "../tools/engine/support";
import { FakeScreen } from "../tools/rollback/support";
import { sealingKey } from "../tools/secrets/sealingKeys";

/** Objects of a cluster, with a password that is in the state alone; one of them is protected. */
const program = `
const pulumi = require("@pulumi/pulumi");
const { ConfigMap, Namespace, Secret } = require("@pulumi/kubernetes/core/v1");
const { RandomPassword } = require("@pulumi/random");
const config = new pulumi.Config();
const application = config.requireObject("application");
const shop = new Namespace("shop", { metadata: { name: "shop" } }, { protect: true });
const password = new RandomPassword("password", { length: 24 });
const opts = { dependsOn: shop };
new Secret("password", { metadata: { name: "password", namespace: "shop" }, stringData: { value: password.result } }, opts);
new ConfigMap("database", { metadata: { name: "database", namespace: "shop" }, data: application.database.recovery ?? {} }, opts);
new ConfigMap("version", { metadata: { name: "version", namespace: "shop" }, data: { version: application.version } }, opts);
exports.namespaces = ["shop"];
exports.backupKey = pulumi.secret("${backupKey}");
exports.password = password.result;
`;

/** The pack is there, and asks nothing: what it wants of a namespace is no matter here. */
function withoutPolicies(tiny: TinyCheckout): void {
  const link = join(tiny.root, "policy");
  const pack = realpathSync(link);
  rmSync(link);
  mkdirSync(join(link, "config"), { recursive: true });
  for (const name of readdirSync(pack).filter((each) => each !== "config"))
    symlinkSync(join(pack, name), join(link, name));
  writeFileSync(join(link, "config/test.json"), JSON.stringify({ all: "disabled" }));
}

const older = "inventory-20260101T000000Z-0004-1.0.0";
const newest = "inventory-20260102T030405Z-0004-1.0.0";

describe("a recovery with the real CLI", function () {
  this.timeout("10m");
  this.bail(true);
  const made: { remove(): void }[] = [];
  const clusters: FakeCluster[] = [];
  let store: S3Store;
  let lost: TinyCheckout;
  let archive: Backup;
  /** Of a version whose schema is older than that of the dumps. */
  let olderArchive: Backup;
  let password: string;

  const settings = (version: string, schemaRevision = "0004") => `config:
  tiny:application:
    version: ${version}
    schemaRevision: "${schemaRevision}"
    database: { type: inCluster }
    backup:
      store: { bucket: backups, prefix: tiny, region: us-east-1, endpoint: "${store.endpoint}" }
`;

  before(async () => {
    store = await S3Store.start();
    Object.assign(process.env, S3Store.credentials);
    const config = clientOptions(store.url("backups"), process.env);
    const objects = new Objects(config, "backups", "tiny/", "");
    for (const name of [older, newest]) {
      for (const [path, content] of dump(name, { "public.items": 3 })) await objects.write(path, content);
    }
    const other = dump("inventory-20251231T000000Z-0004-1.0.0", {}, "o".repeat(43));
    for (const [path, content] of other) await objects.write(path, content);
    lost = checkout(await cluster());
    lost.write("Pulumi.test.yaml", settings("0.9.0", "0003"));
    await lost.up();
    olderArchive = await backup(lost.root, { stack: "test", waitSeconds: 0 }, lost.env);
    lost.write("Pulumi.test.yaml", settings("1.0.0"));
    await lost.up();
    password = await lost.output("password");
    archive = await backup(lost.root, { stack: "test", waitSeconds: 0 }, lost.env);
  });
  after(async () => {
    for (const each of made) each.remove();
    for (const each of clusters) await each.stop();
    for (const name of Object.keys(S3Store.credentials)) Reflect.deleteProperty(process.env, name);
    await store?.stop();
  });

  async function cluster(): Promise<FakeCluster> {
    const fake = await FakeCluster.start();
    clusters.push(fake);
    return fake;
  }

  function checkout(fake: FakeCluster, version = "1.0.0"): TinyCheckout {
    const tiny = TinyCheckout.create();
    made.push(tiny);
    tiny.write("index.js", program);
    tiny.write("Pulumi.test.yaml", settings(version));
    tiny.write("kubeconfig", fake.kubeconfig);
    tiny.env.KUBECONFIG = join(tiny.root, "kubeconfig");
    withoutPolicies(tiny);
    return tiny;
  }

  /** The repository on another machine, with nothing of the lost one but its passphrase and the archive. */
  async function another(version = "1.0.0"): Promise<{ tiny: TinyCheckout; fake: FakeCluster }> {
    const fake = await cluster();
    const tiny = checkout(fake, version);
    tiny.write(".pulumi-state/passphrase", lost.read(".pulumi-state/passphrase"));
    return { tiny, fake };
  }

  const options: RecoverOptions = {
    stack: "test",
    dryRun: false,
    yes: true,
  };

  interface Observed {
    readonly screen: FakeScreen;
    readonly ups: (string | undefined)[];
    readonly recorded: string[];
    /** How many updates there had been when the service was looked at. */
    readonly verifiedAfter: number[];
  }

  /** @param failing how many updates do not go through */
  function means(tiny: TinyCheckout, failing = 0): RecoverMeans & Observed {
    const screen = new FakeScreen();
    const ups: (string | undefined)[] = [];
    const recorded: string[] = [];
    const verifiedAfter: number[] = [];
    return {
      root: tiny.root,
      env: tiny.env,
      screen,
      ups,
      recorded,
      verifiedAfter,
      connect: () => connect(tiny.root, "test", tiny.env),
      confirm: () => Promise.reject(new Error("nobody is asked")),
      up: async (file) => {
        ups.push(file && readFileSync(file, "utf8"));
        if (ups.length <= failing) return 1;
        const more = file === undefined ? [] : ["--config-file", file];
        const args = ["up", "--yes", "--skip-preview", "--non-interactive", "--stack", "test", ...more];
        const { code, stdout, stderr } = await capturePulumi(tiny.root, args, tiny.env);
        if (code !== 0) throw new Error(`${stdout}${stderr}`);
        return code;
      },
      // The tiny program has no service: what the real one is asked is tested beside this.
      verify: () => {
        verifiedAfter.push(ups.length);
        return Promise.resolve({ rows: { "public.items": 3 }, notes: [] });
      },
      record: (message) => {
        recorded.push(message);
        return Promise.resolve();
      },
    };
  }

  const refusal = (tiny: TinyCheckout, changes: Partial<RecoverOptions> = {}) =>
    messageOfFailure(() => recover({ ...options, state: archive.path, ...changes }, means(tiny)));

  const untouched = (tiny: TinyCheckout, fake: FakeCluster) => {
    expect(fake.writes()).to.deep.equal([]);
    expect(existsSync(recoveryFolder(tiny.root, "test"))).to.equal(false);
    expect(existsSync(join(tiny.root, ".pulumi-state/.pulumi/stacks"))).to.equal(false);
  };

  it("is refused, and nothing touched, without the passphrase, a whole archive, or one of this stack", async () => {
    const { tiny, fake } = await another();
    expect(await refusal(tiny, { state: join(tiny.root, "none") })).to.match(/no archive of tiny\/test/);
    const broken = join(tiny.root, "broken.tar.gz");
    const bytes = readFileSync(archive.path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(broken, bytes);
    expect(await refusal(tiny, { state: broken })).to.match(/no archive that can be trusted/);
    tiny.write("Pulumi.other.yaml", settings("1.0.0"));
    expect(await refusal(tiny, { stack: "other" })).to.match(/is of tiny\/test, not of tiny\/other/);
    tiny.write(".pulumi-state/passphrase", "another");
    expect(await refusal(tiny)).to.match(/passphrase at hand does not open the secrets/);
    untouched(tiny, fake);
  });

  it("is refused where the backup is not there, not readable, or needs what nobody has", async () => {
    const { tiny, fake } = await another();
    const absent = parseWanted("inventory-20250101T000000Z-0004-1.0.0");
    expect(await refusal(tiny, { wanted: absent })).to.match(/There is no dump/);
    const unreadable = parseWanted("inventory-20251231T000000Z-0004-1.0.0");
    expect(await refusal(tiny, { wanted: unreadable })).to.match(/was encrypted with key [0-9a-f]{16}/);
    expect(await refusal(tiny, { wanted: parseWanted("2026-01-02T00:00:00Z") })).to.match(/walArchiving/);
    tiny.write(
      "Pulumi.test.yaml",
      settings("1.0.0").replace("type: inCluster", "type: external, existingSecret: db"),
    );
    expect(await refusal(tiny)).to.match(/inventory\/db \(tiny:application\.database\.existingSecret\)/);
    tiny.write("Pulumi.test.yaml", settings("1.0.0").replace("bucket: backups", "bucket: nothing"));
    expect(await refusal(tiny)).to.match(/no backup that is whole/);
    untouched(tiny, fake);
  });

  it("is refused into a cluster or a backend that has something, naming it", async () => {
    const { tiny, fake } = await another();
    fake.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } });
    expect(await refusal(tiny)).to.match(
      /cluster is not empty: it has shop.*npm run destroy -- --stack test/s,
    );
    untouched(tiny, fake);
    const used = await another();
    await used.tiny.up();
    expect(await refusal(used.tiny)).to.match(/backend has \d+ resources of test/);
  });

  it("shows what it would do, and does nothing, with --dry-run", async () => {
    const { tiny, fake } = await another();
    const around = means(tiny);
    await recover({ ...options, state: archive.path, dryRun: true, yes: false }, around);
    expect(around.screen.text).to.contain(newest).and.to.contain("public.items 3");
    expect(around.screen.text).to.contain("Nothing was changed.");
    untouched(tiny, fake);
  });

  it("asks for no Secret that is sealed in the repository, but for what opens it", async () => {
    const { tiny } = await another();
    const key = await sealingKey();
    const certificate = readCertificate(key.certificate, "the key", new Date());
    const sealing = { namespace: "inventory", name: "db", key: "url", scope: "strict" } as const;
    sealInto(tiny.root, "test", { ...sealing, value: Buffer.from("sentinel") }, certificate);
    const external = settings("1.0.0").replace("type: inCluster", "type: external, existingSecret: db");
    tiny.write("Pulumi.test.yaml", `${external}  tiny:sealedSecrets: {}\n`);
    const shown = async (sealingKeys?: readonly SealingKey[]) => {
      const around = means(tiny);
      await recover({ ...options, state: archive.path, sealingKeys, dryRun: true, yes: false }, around);
      return around.screen.text;
    };
    expect(await shown())
      .to.match(/^Secrets +none to bring$/m)
      .and.match(/warning: what is sealed in secrets\/test .*--sealing-keys/);
    expect(await shown([key])).not.to.contain("warning");
  });

  it("makes the cluster's objects again, with the old password and the archive's version, and is ordinary then", async () => {
    const { tiny, fake } = await another("1.0.1");
    const folder = join(tiny.root, "archives");
    mkdirSync(folder);
    writeFileSync(join(folder, archive.path.split("/").at(-1) ?? ""), readFileSync(archive.path));
    const around = means(tiny);
    await recover({ ...options, state: folder, wanted: parseWanted("latest-dump") }, around);
    expect(await tiny.output("password")).to.equal(password);
    const secret = fake.live("Secret", "shop", "password").data as { value: string };
    expect(Buffer.from(secret.value, "base64").toString()).to.equal(password);
    expect(fake.live("ConfigMap", "shop", "version").data).to.deep.equal({ version: "1.0.0" });
    expect(around.ups).to.have.length(2);
    expect(around.ups[0]).to.contain(`recovery: { snapshot: ${newest} }`);
    expect(around.ups[1]).to.equal(undefined);
    expect(around.verifiedAfter, "also once the database was started anew").to.deep.equal([1, 2]);
    expect(fake.live("ConfigMap", "shop", "database").data ?? {}).to.deep.equal({});
    expect(tiny.read("Pulumi.test.yaml")).to.contain("version: 1.0.0").and.not.contain("recovery");
    expect(around.recorded.join()).to.contain(newest);
    expect(around.screen.text).not.to.contain(password).and.not.to.contain(backupKey);
    expect(existsSync(recoveryFolder(tiny.root, "test"))).to.equal(false);
    await tiny.pulumi("preview", "--stack", "test", "--expect-no-changes", "--non-interactive");
    expect(
      readFileSync(archive.path).equals(readFileSync(join(folder, readdirSync(folder)[0] ?? ""))),
    ).to.equal(true);
  });

  it("leaves the repository's version where the archive's is too old for the dump, and says so", async () => {
    const { tiny } = await another("1.0.1");
    const around = means(tiny, 1);
    const failed = () => recover({ ...options, state: olderArchive.path }, around);
    expect(await messageOfFailure(failed)).to.match(/ended with 1/);
    expect(
      around.screen.text.match(/version, image and schema stay as Pulumi\.test\.yaml has them/g),
    ).to.have.length(2);
    expect(tiny.read("Pulumi.test.yaml")).to.equal(settings("1.0.1"));
    tiny.write("Pulumi.test.yaml", settings("0.9.0", "0003"));
    const other = await another();
    other.tiny.write("Pulumi.test.yaml", settings("0.9.0", "0003"));
    expect(await refusal(other.tiny, { state: olderArchive.path })).to.match(
      /schema 0004 of version 1\.0\.0; .* for 0003 and the repository's for 0003/,
    );
  });

  it("takes another backup as long as the database has nothing, and no other once it may have", async () => {
    const { tiny, fake } = await another();
    const asking = (which: string | undefined, around = means(tiny, 1)) => {
      const wanted = which === undefined ? undefined : parseWanted(which);
      return {
        around,
        told: messageOfFailure(() => recover({ ...options, state: archive.path, wanted }, around)),
      };
    };
    expect(await asking(newest).told).to.match(/ended with 1.*run the same command again/s);
    const other = asking(older);
    await other.told;
    expect(other.around.ups[0]).to.contain(`recovery: { snapshot: ${older} }`);
    const claim = { namespace: "inventory", name: "data-inventory-database-0" };
    fake.put({ apiVersion: "v1", kind: "Namespace", metadata: { name: "inventory" } });
    fake.put({ apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: claim });
    expect(await asking(newest).told).to.match(
      new RegExp(
        `from the dump ${older} has begun.*Leave it out to go on.*kubectl delete .*refresh --stack test`,
        "s",
      ),
    );
    for (const same of [older, undefined]) {
      const again = asking(same);
      expect(await again.told).to.match(/ended with 1/);
      expect(again.around.ups[0]).to.contain(`recovery: { snapshot: ${older} }`);
    }
  });

  it("goes on after it was killed at any step, done or half done", async () => {
    const { tiny, fake } = await another();
    const interrupted = () => recover({ ...options, state: archive.path }, means(tiny, 1));
    expect(await messageOfFailure(interrupted)).to.match(/ended with 1.*run the same command again/s);
    const journalFile = join(recoveryFolder(tiny.root, "test"), "journal.json");
    const reached = readJournal(tiny.root, "test");
    expect(reached?.done).to.deep.equal(["state", "cluster", "settings"]);
    // Killed after the work of a step and before it was written down.
    for (const count of [0, 1, 2]) {
      const rewound = { ...reached, done: stepNames.slice(0, count) } as Journal;
      writeFileSync(journalFile, JSON.stringify(rewound));
      const around = means(tiny, 1);
      expect(await messageOfFailure(() => recover(options, around))).to.match(/ended with 1/);
      expect(around.screen.text).to.match(/was interrupted; it goes on with/);
      expect(readJournal(tiny.root, "test")?.done, `from ${count} steps`).to.deep.equal(reached?.done);
    }
    expect(fake.writes()).to.deep.equal([]);
    const around = means(tiny);
    await recover(options, around);
    expect(around.ups[0]).to.contain(`snapshot: ${newest}`);
    expect(await tiny.output("password")).to.equal(password);
    // Killed when everything was there: the update is made once more, and changes nothing.
    const writes = fake.writes().length;
    mkdirSync(recoveryFolder(tiny.root, "test"), { recursive: true });
    writeFileSync(journalFile, JSON.stringify({ ...reached, recovery: undefined }));
    await recover(options, means(tiny));
    expect(fake.writes()).to.have.length(writes);
    await tiny.pulumi("preview", "--stack", "test", "--expect-no-changes", "--non-interactive");
  });
});
