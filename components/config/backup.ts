import { z } from "zod";
import { section } from "./field";
import { schedule } from "./schedule";
import { oneIdentity, storeShape } from "./store";
import { flag, storage, text, wholeNumber } from "./values";

/** Log of changes, for recovery to any time; of the database in the cluster only. */
const walArchiving = section({
  /** After so many seconds the log's segment is closed and stored, however little was written: what can be lost. */
  archiveTimeoutSeconds: wholeNumber(10, 3600).default(60),
  /** When the server's files are copied, which recovery begins with. Cron, UTC. */
  baseBackupSchedule: schedule().default("7 0 * * *"),
  /** Room for segments that the store has not taken yet; beyond it they wait in the database's own volume. */
  storage: storage().default("2Gi"),
});

/** `technova:application.backup`: what is kept of the database, and how it is known that it can be had back. */
export const backupSchema = section({
  store: section(storeShape).refine(...oneIdentity),
  /** When the database is dumped. Cron, UTC. */
  schedule: schedule().default("17 1 * * *"),
  /** How long backups are kept, and with them the log that leads on from each. */
  retentionDays: wholeNumber(1, 3650).default(30),
  /** So many of each kind are kept, whatever their age. */
  minimumKept: wholeNumber(1, 1000).default(7),
  /** How long a backup or a restore test may take. */
  timeoutSeconds: wholeNumber(60, 86_400).default(3600),
  restoreTest: section({
    /** When the newest backup is restored and checked. Cron, UTC. */
    schedule: schedule().default("47 2 * * *"),
  }).prefault({}),
  walArchiving: walArchiving.optional(),
});

export type BackupSettings = z.infer<typeof backupSchema>;
export type WalArchivingSettings = z.infer<typeof walArchiving>;

/** A dump that an empty database is filled with. */
export const dumpRecovery = section({
  snapshot: text(
    '"latest" or the name of a backup such as "inventory-20260131T011703Z-0004-1.0.0"',
    /^(latest|inventory-\d{8}T\d{6}Z-(\d{4}|none)-[0-9A-Za-z.+-]{1,63})$/,
  ),
});

/** The time that an empty volume is brought to. */
export const timeRecovery = section({
  time: text(
    '"latest" or a point in time with its zone such as "2026-01-31T12:00:00Z"',
    /^(latest|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d))$/,
  ),
  /** Whether the end of the log will do where it has no change as late as that. */
  orEnd: flag().optional(),
});

export type Recovery = z.infer<typeof dumpRecovery> | z.infer<typeof timeRecovery>;

interface BackedUp {
  readonly database: { readonly type: "inCluster" | "external"; readonly recovery?: Recovery };
  readonly backup?: BackupSettings;
}

/** What the backup's settings and the database's have to agree on. */
export function checkBackup({ database, backup }: BackedUp, context: z.core.$RefinementCtx): void {
  const problem = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
  const { recovery } = database;
  if (backup?.walArchiving !== undefined && database.type !== "inCluster") {
    problem(
      ["backup", "walArchiving"],
      "nothing for an external database: its provider keeps the log of changes; dumps are taken all the same",
    );
  }
  if (recovery === undefined) return;
  if (backup === undefined) {
    problem(["database", "recovery"], "nothing as long as there is no backup, which says where backups are");
  } else if ("time" in recovery && backup.walArchiving === undefined) {
    problem(["database", "recovery", "time"], "snapshot instead, as long as there is no backup.walArchiving");
  }
}
