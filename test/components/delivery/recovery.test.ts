import { expect } from "chai";
import { flowTable } from "../../../components/cluster/flowTable";
import { image } from "../../support/application";
import { application, external, inCluster, podOf, steps, store, wal } from "../../support/backups";
import { at, settingsWith, types } from "../../support/components";
import type { JsonObject } from "../../support/mocks";

describe("recovery", () => {
  it("fills an empty volume before the server starts", async () => {
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
    const late = await application({ ...inCluster, recovery: { time, orEnd: true } }, wal);
    const [, orEnd] = steps(late, types.statefulSet, "inventory-database-server");
    expect(orEnd?.command.at(-1)).to.match(/ \/tmp\/afterwards\.sql or-end$/);
  });

  it("fills an empty database before its schema is brought to the release's", async () => {
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

  it("and backups are done by accounts of their own where a cloud knows who they are", async () => {
    const { bucket, region, cidrs } = store;
    const known = { bucket, region, cidrs, accountAnnotations: { "example.com/role": "backups" } };
    const found = await application(
      { ...inCluster, recovery: { time: "latest" } },
      { store: known, walArchiving: {} },
    );
    const account = found.one(types.serviceAccount, "inventory-backup-store-account");
    expect(at(account.inputs, "metadata", "annotations")).to.deep.equal({ "example.com/role": "backups" });
    expect(at(account.inputs, "metadata", "name")).to.equal("inventory-backup");
    for (const [type, name, own] of [
      [types.cronJob, "inventory-backups-dump", "inventory-backup"],
      [types.statefulSet, "inventory-backups-wal-server", "inventory-wal-archive"],
      [types.statefulSet, "inventory-database-server", "inventory-backup"],
    ] as const) {
      expect(podOf(found, type, name).serviceAccountName, name).to.equal(own);
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
