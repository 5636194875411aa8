import { expect } from "chai";
import type { Application } from "../../../components/delivery/application";
import { flowTable } from "../../../components/cluster/flowTable";
import { application as applicationWith, image } from "../../support/application";
import { at, settingsWith, types } from "../../support/components";
import { valueOf, type JsonObject, type Recording } from "../../support/mocks";
import { policies } from "../../../policy/policies";
import { outcome } from "../../support/policy";
import { sentinel } from "../../support/settings";

const store: JsonObject = {
  bucket: "backups",
  prefix: "a/b",
  region: "eu-1",
  endpoint: "https://s3.example.com:9000",
  existingSecret: "keys",
  cidrs: ["10.41.0.0/24"],
  temporaryStorage: "9Gi",
};
const inCluster: JsonObject = { type: "inCluster", storage: "8Gi" };
const external: JsonObject = { type: "external", cidrs: ["10.40.0.0/24"] };

const application = (
  database: JsonObject,
  backup: JsonObject | undefined,
  others: JsonObject = {},
): Promise<Recording<Application>> =>
  applicationWith({ database, backup: backup ?? { enabled: false }, ...others });

interface Container {
  readonly name: string;
  readonly image: string;
  readonly command: string[];
  readonly env?: { name: string; value?: string }[];
  readonly volumeMounts: { name: string; mountPath: string }[];
}

const podOf = ({ one }: Recording<Application>, type: string, name: string): JsonObject =>
  at(
    one(type, name).inputs,
    "spec",
    ...(type === types.cronJob ? ["jobTemplate", "spec"] : []),
    "template",
    "spec",
  ) as JsonObject;

function steps(found: Recording<Application>, type: string, name: string): Container[] {
  const pod = podOf(found, type, name);
  return [
    ...((pod.initContainers ?? []) as unknown as Container[]),
    ...(pod.containers as unknown as Container[]),
  ];
}

const wal = { store, walArchiving: {} };
const passwords = /password|backup-keys|credentials|passwords|secrets/;

describe("backups", () => {
  it("are not there unless a stack asks for them, but their key is", async () => {
    const found = await application(inCluster, undefined);
    expect(found.resources.filter(({ type }) => type === types.cronJob)).to.have.length(1);
    expect(found.resources.filter(({ name }) => name.includes("wal"))).to.be.empty;
    found.one(types.password, "inventory-backup-key");
    const server = podOf(found, types.statefulSet, "inventory-database-server");
    expect((server.containers as unknown as { args: string[] }[])[0]?.args).to.have.length(3);
  });

  it("of any database are dumps, in steps of which each tells what the one before it failed of", async () => {
    const found = await application(external, {
      store,
      schedule: "5 4 * * *",
      retentionDays: 9,
      minimumKept: 3,
    });
    const spec = at(found.one(types.cronJob, "inventory-backups-dump").inputs, "spec");
    expect(spec).to.include({ schedule: "5 4 * * *", timeZone: "Etc/UTC", concurrencyPolicy: "Forbid" });
    const [connect, dump, keep, ...rest] = steps(found, types.cronJob, "inventory-backups-dump");
    expect(rest).to.be.empty;
    expect(connect?.command.slice(0, 3)).to.deep.equal(["inventory", "backup", "plan"]);
    expect(dump?.image).to.match(/\/library\/postgres:/);
    expect(dump?.command).to.deep.equal(["sh", "/etc/backup/scripts/dump.sh", "/run/backup", "/backups"]);
    expect(keep?.image).to.equal(image);
    expect(keep?.command).to.deep.equal([
      ...["inventory", "backup", "store", "--bucket", "backups", "--region", "eu-1", "--prefix", "a/b"],
      ...["--endpoint", "https://s3.example.com:9000", "--credentials", "/etc/backup/credentials"],
      ...["--keys", "/etc/backup/keys", "--kind", "dump", "--folder", "/backups", "--plan", "/run/backup"],
      ...["--retention-days", "9", "--minimum-kept", "3"],
      ...[
        "--prometheus",
        "http://prometheus.monitoring.svc:9090",
        "--subject",
        "backup",
        "--label",
        "app=inventory",
      ],
      ...["--label", "namespace=inventory", "--label", "environment=staging"],
    ]);
    expect(found.resources.filter(({ name }) => /wal|backups-base|recovery/.test(name))).to.be.empty;
  });

  it("show keys to the steps that encrypt, and the database's address to the one that connects", async () => {
    const found = await application(inCluster, wal);
    const sees = (name: string) =>
      Object.fromEntries(
        steps(found, types.cronJob, `inventory-backups-${name}`).map((container) => [
          container.name,
          container.volumeMounts.map((mount) => mount.name).filter((mount) => passwords.test(mount)),
        ]),
      );
    const keys = ["backup-keys", "backup-credentials"];
    expect(sees("dump")).to.deep.equal({ connect: ["secrets"], dump: [], keep: keys });
    expect(sees("base")).to.deep.equal({ copy: ["server-password"], keep: keys });
    expect(sees("restore-test")).to.deep.equal({ fetch: keys, restore: [], judge: [] });
    expect(sees("recovery-test")).to.deep.equal({ fetch: keys, replay: [], judge: [] });
  });

  it("are tried out in Pods that have a user whom PostgreSQL's image knows, and room as the stack says", async () => {
    const found = await application(inCluster, wal);
    for (const name of ["restore-test", "recovery-test"]) {
      const pod = podOf(found, types.cronJob, `inventory-backups-${name}`);
      expect(at(pod, "securityContext", "runAsUser")).to.equal(999);
      const room = (pod.volumes as unknown as JsonObject[]).find((volume) => volume.name === "backups");
      expect(room?.emptyDir).to.deep.equal({ sizeLimit: "9Gi" });
    }
  });

  it("are encrypted with the stack's key, and every key that ever wrote is there to read", async () => {
    const made = async (changes: JsonObject, args: object = {}) => {
      const found = await applicationWith({ database: external, backup: { store }, ...changes }, args);
      return at(found.one(types.secret, "inventory-backup-store-keys").plain, "stringData") as JsonObject;
    };
    expect(Object.keys(await made({}))).to.deep.equal(["current"]);
    const { secrets } = await settingsWith();
    const given = await made(
      {},
      { backupKey: secrets.backupKey, formerBackupKeys: secrets.formerBackupKeys },
    );
    expect(Object.keys(given)).to.have.members(["current", "former-2025", "former-made"]);
    expect(JSON.stringify(given.current)).to.contain(sentinel);
    const found = await application(external, { store });
    expect(await valueOf(found.result.backupKey)).to.be.a("string");
  });

  it("of a database that keeps its log can be had to any time, by a role that can do nothing else", async () => {
    const found = await application(inCluster, {
      store,
      walArchiving: { archiveTimeoutSeconds: 30, storage: "3Gi" },
    });
    const server = podOf(found, types.statefulSet, "inventory-database-server");
    const [postgresql] = server.containers as unknown as { args: string[] }[];
    expect(postgresql?.args.slice(3)).to.deep.equal([
      ...["-c", "hba_file=/etc/postgresql-access/pg_hba.conf", "-c", "archive_timeout=30s"],
      ...["-c", "max_slot_wal_keep_size=4096MB"],
    ]);
    const data = at(
      found.one(types.configMap, "inventory-database-initialization").inputs,
      "data",
    ) as JsonObject;
    expect(data["create-backup-role.sql"]).to.match(/LOGIN REPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE/);
    const access = at(
      found.one(types.configMap, "inventory-database-access").inputs,
      "data",
      "pg_hba.conf",
    ) as string;
    expect(access.match(/replication \S+/g)).to.deep.equal(["replication backup"]);
    found.one(types.job, "inventory-database-backup-role");
    const archive = podOf(found, types.statefulSet, "inventory-backups-wal-server");
    const [receive, ship] = archive.containers as unknown as Container[];
    expect(receive?.command).to.deep.equal([
      "sh",
      "/etc/backup/scripts/receive-wal.sh",
      "/var/lib/wal-archive",
      "backup",
    ]);
    expect(ship?.command.slice(0, 3)).to.deep.equal(["inventory", "backup", "ship-wal"]);
    // Else each release would restart it.
    expect(JSON.stringify(server)).not.to.contain(image);
  });

  it("recover an empty volume before the server starts, and nothing of it restarts the server later", async () => {
    const time = "2026-01-31T12:00:00Z";
    const found = await application({ ...inCluster, recovery: { time } }, wal);
    const [fetch, replay, server] = steps(found, types.statefulSet, "inventory-database-server");
    expect(fetch?.image).to.equal(image);
    expect(fetch?.command.slice(-4)).to.deep.equal(["--data", "/var/lib/postgresql/data", "--time", time]);
    expect(replay?.command.at(-1)).to.match(
      /recover\.sh \/var\/lib\/postgresql\/data inventory \/tmp\/afterwards\.sql$/,
    );
    const afterwards = replay?.env?.find(({ name }) => name === "AFTERWARDS")?.value ?? "";
    for (const role of ["postgres", "inventory", "backup"])
      expect(afterwards).to.contain(`ALTER ROLE "${role}"`);
    expect(afterwards).to.contain("pg_create_physical_replication_slot('backup', true)");
    expect(server?.name).to.equal("postgresql");
  });

  it("recover an empty database before its schema is brought to the release's", async () => {
    for (const database of [inCluster, external]) {
      const found = await application({ ...database, recovery: { snapshot: "latest" } }, { store });
      const names = steps(found, types.job, "inventory-migration-job").map(({ name }) => name);
      expect(names.slice(0, 3)).to.deep.equal(["fetch-backup", "restore-backup", "check"]);
      const [fetch, restore] = steps(found, types.job, "inventory-migration-job");
      expect(fetch?.command.slice(0, 3)).to.deep.equal(["inventory", "backup", "recover-dump"]);
      expect(fetch?.command.slice(-2)).to.deep.equal(["--name", "latest"]);
      expect(restore?.volumeMounts.map(({ name }) => name)).not.to.include("backup-keys");
    }
  });

  it("violate no policy, wherever the database is", async () => {
    const recovery = { time: "latest" };
    for (const [database, backup] of [
      [external, { store }],
      [{ ...inCluster, recovery }, wal],
    ] as const) {
      const { resources } = await application(database, backup);
      const own = resources.filter(({ type }) =>
        /:(Job|CronJob|ConfigMap|Secret|Service|ServiceAccount|StatefulSet)$/.test(type),
      );
      for (const { type, name, plain } of own) {
        for (const policy of policies) {
          const found = outcome(policy, type, plain);
          expect(found, `${policy.name} on ${name}`).to.deep.equal({ violations: [], undecided: [] });
        }
      }
    }
  });

  it("are stored by an account of their own where a cloud knows it by that", async () => {
    const { existingSecret: _, ...without } = store;
    const known = { ...without, accountAnnotations: { "example.com/role": "backups" } };
    const found = await application(
      { ...inCluster, recovery: { time: "latest" } },
      { store: known, walArchiving: {} },
    );
    const account = found.one(types.serviceAccount, "inventory-backup-store-account");
    expect(at(account.inputs, "metadata", "annotations")).to.deep.equal({ "example.com/role": "backups" });
    expect(at(account.inputs, "metadata", "name")).to.equal("inventory-backup");
    for (const [type, name] of [
      [types.cronJob, "inventory-backups-dump"],
      [types.statefulSet, "inventory-backups-wal-server"],
      [types.statefulSet, "inventory-database-server"],
    ] as const) {
      expect(podOf(found, type, name).serviceAccountName, name).to.equal("inventory-backup");
    }
    const migrated = await application({ ...inCluster, recovery: { snapshot: "latest" } }, { store: known });
    expect(podOf(migrated, types.job, "inventory-migration-job").serviceAccountName).to.equal(
      "inventory-backup",
    );
  });
});

describe("what backups may say", () => {
  const names = async (application: JsonObject) =>
    flowTable(await settingsWith({ application })).application.map(({ name }) => name);

  it("is what the stack's settings need, and nothing else", async () => {
    const none = await names({ database: external, backup: { enabled: false } });
    const dumps = await names({ database: external, backup: { store } });
    expect(dumps.filter((name) => !none.includes(name))).to.have.members([
      ...["backup-to-database", "backup-to-backups", "backup-to-dns", "backup-to-prometheus"],
    ]);
    const log = await names({ database: inCluster, backup: wal });
    expect(log).to.include.members([
      ...[
        "wal-archive-to-database",
        "wal-archive-to-backups",
        "wal-archive-to-dns",
        "monitoring-to-wal-archive",
      ],
    ]);
    expect(log).not.to.include("database-to-backups");
    const recovering = await names({ database: { ...inCluster, recovery: { time: "latest" } }, backup: wal });
    expect(recovering).to.include.members(["database-to-backups", "database-to-dns"]);
  });

  it("does not say twice that a migration reaches a store that has snapshots and backups", async () => {
    const recovery = { snapshot: "latest" };
    const snapshot = {
      type: "s3",
      bucket: "snapshots",
      region: "eu-1",
      cidrs: ["10.41.0.0/24"],
      endpoint: store.endpoint,
    };
    const migration = (cidrs: string[]) => ({ snapshot: { ...snapshot, cidrs } });
    const database = { ...external, recovery };
    const same = await names({
      database,
      backup: { store },
      migration: migration(["10.41.0.0/24"]),
    } as JsonObject);
    expect(same).not.to.include("migration-to-backups");
    const other = await names({
      database,
      backup: { store },
      migration: migration(["10.42.0.0/24"]),
    } as JsonObject);
    expect(other).to.include("migration-to-backups");
  });
});
