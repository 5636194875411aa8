import type { Flow, Peer, Pods } from "../../cluster/flows";
import { dnsFlow, metricsFlow, prometheus } from "../../cluster/wellKnown";
import type { DatabaseSettings } from "../../config/application";
import type { BackupSettings } from "../../config/backup";
import type { SnapshotSettings } from "../../config/migration";
import { selectorLabels, type Identity } from "../../labels";
import { prometheusPort } from "../../monitoring/prometheus";
import { databaseIdentity, postgresPort } from "../database";
import { migrationIdentity } from "../migration";
import { storePort } from "../store";
import { backupIdentity } from "./store";
import { walArchiveIdentity, walArchivePort } from "./walArchive";

export interface BackupFlowsArgs {
  readonly application: string;
  readonly namespace: string;
  readonly database: DatabaseSettings;
  readonly snapshot: SnapshotSettings;
  readonly backup: BackupSettings;
  /** Whether the platform brings its own monitoring, and so guards its namespace. */
  readonly monitored: boolean;
}

/** All that what backs up and recovers may say, and to whom. */
export function backupFlows(args: BackupFlowsArgs): Flow[] {
  const { application, namespace, database, backup, monitored } = args;
  const pods = (identity: Identity): Pods => ({ namespace, labels: selectorLabels(identity) });
  const jobs = pods(backupIdentity(application));
  const archive = pods(walArchiveIdentity(application));
  const server = pods(databaseIdentity(application));
  const migration = pods(migrationIdentity(application));
  const target: Peer = database.type === "inCluster" ? server : { cidrs: database.cidrs, who: "database" };
  const targetPorts = [{ port: database.type === "inCluster" ? postgresPort : database.port }];
  const toStore = (who: string, from: Pods, why: string): Flow => ({
    name: `${who}-to-backups`,
    from,
    to: { cidrs: backup.store.cidrs, who: "backup store" },
    ports: [{ port: storePort(backup.store) }],
    why,
  });
  const { recovery } = database;
  return [
    {
      name: "backup-to-database",
      from: jobs,
      to: target,
      ports: targetPorts,
      why: "The database is dumped and copied.",
    },
    toStore("backup", jobs, "Backups are stored, and fetched to try them out."),
    dnsFlow("backup", jobs),
    ...(monitored
      ? [
          {
            name: "backup-to-prometheus",
            from: jobs,
            to: prometheus,
            ports: [{ port: prometheusPort }],
            why: "How each backup and each restore test went.",
          },
        ]
      : []),
    ...(backup.walArchiving === undefined
      ? []
      : [
          {
            name: "wal-archive-to-database",
            from: archive,
            to: target,
            ports: targetPorts,
            why: "The log of changes is received as it is written.",
          },
          toStore("wal-archive", archive, "The log of changes is stored."),
          dnsFlow("wal-archive", archive),
          metricsFlow("wal-archive", archive, walArchivePort, monitored),
        ]),
    ...(recovery === undefined
      ? []
      : "time" in recovery
        ? [
            toStore("database", server, "An empty volume is filled with a backup and its log."),
            dnsFlow("database", server),
          ]
        : sameStore(args)
          ? []
          : [toStore("migration", migration, "An empty database is filled with a backup.")]),
  ];
}

/** Whether snapshots lie where backups do, and so may be reached already. */
function sameStore({ snapshot, backup }: BackupFlowsArgs): boolean {
  return (
    snapshot.type === "s3" &&
    storePort(snapshot) === storePort(backup.store) &&
    [...snapshot.cidrs].sort().join() === [...backup.store.cidrs].sort().join()
  );
}
