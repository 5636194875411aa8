import { expect } from "chai";
import { policies } from "../../../policy/policies";
import { application as applicationWith, image } from "../../support/application";
import {
  application,
  external,
  inCluster,
  podOf,
  steps,
  store,
  wal,
  type Container,
} from "../../support/backups";
import { at, settingsWith, types } from "../../support/components";
import { valueOf, type JsonObject } from "../../support/mocks";
import { outcome } from "../../support/policy";
import { sentinel } from "../../support/settings";

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
});
