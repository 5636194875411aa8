import type { BackupSettings } from "../../config/backup";
import { longestGapHours } from "../../config/schedule";
import type { AlertingRule, RuleGroup } from "./groups";

/** How long a run may take and be waited for, beyond the time between two. */
const graceHours = 2;

interface Watched {
  /** What the alerts' names begin with. */
  readonly alert: "Backup" | "RestoreTest";
  readonly subject: "backup" | "restore_test";
  readonly kind: "dump" | "base";
  readonly schedule: string;
  /** What it is called in a sentence. */
  readonly called: string;
  readonly cronJob: string;
}

/**
 * Alerts about backups that fail, are late, or have never been; and about those that nobody could restore. Each run
 * leaves one sample, so what is late is a sample that is too old, and what never was is no sample at all: a Prometheus
 * that has lost its own data says so as well, until the next run.
 */
export function backupRules(backup: BackupSettings | undefined): RuleGroup<AlertingRule>[] {
  if (backup === undefined) return [];
  const { walArchiving, restoreTest } = backup;
  const test = { alert: "RestoreTest", subject: "restore_test", schedule: restoreTest.schedule } as const;
  const watched: Watched[] = [
    {
      alert: "Backup",
      subject: "backup",
      kind: "dump",
      schedule: backup.schedule,
      called: "dump",
      cronJob: "backup",
    },
    { ...test, kind: "dump", called: "restore test of dumps", cronJob: "restore-test" },
  ];
  if (walArchiving !== undefined) {
    watched.push(
      {
        alert: "Backup",
        subject: "backup",
        kind: "base",
        schedule: walArchiving.baseBackupSchedule,
        called: "base backup",
        cronJob: "base-backup",
      },
      { ...test, kind: "base", called: "test of recovery from WAL", cronJob: "recovery-test" },
    );
  }
  const rules = [...watched.flatMap(rulesAbout), ...(walArchiving === undefined ? [] : walRules)];
  return [{ name: "backup", interval: "1m", rules }];
}

function rulesAbout({ alert, subject, kind, schedule, called, cronJob }: Watched): AlertingRule[] {
  const lateAfterHours = longestGapHours(schedule) + graceHours;
  const name = (outcome: string) => `${alert}${outcome}${kind === "base" ? "Base" : ""}`;
  const last = (outcome: "success" | "failure", hours: number) =>
    `max(last_over_time(technova_${subject}_${outcome}_timestamp_seconds{kind="${kind}"}[${hours}h]))`;
  const window = 2 * lateAfterHours;
  // Until the next alert, that there is none at all, has waited its time: in between nobody may think that all is well.
  const untilMissing = 3 * lateAfterHours + 1;
  const runNow = `kubectl -n inventory create job now --from=cronjob/inventory-${cronJob}, and read what it says`;
  return [
    {
      alert: name("Failed"),
      expr: `${last("failure", window)} > (${last("success", window)} or 0 * ${last("failure", window)})`,
      labels: { severity: "critical" },
      annotations: {
        summary: `The last ${called} failed.`,
        action: `The log of its Job says why: kubectl -n inventory logs -l app.kubernetes.io/component=backup --all-containers --prefix.`,
      },
    },
    {
      alert: name("Late"),
      expr: `time() - ${last("success", untilMissing)} > ${lateAfterHours * 3600}`,
      labels: { severity: "critical" },
      annotations: {
        summary: `The last ${called} that succeeded is {{ $value | humanizeDuration }} old.`,
        action: `Look whether its Job is there and waits: kubectl -n inventory get cronjobs,jobs. Then ${runNow}.`,
      },
    },
    {
      alert: name("Missing"),
      expr: `absent(${last("success", window)})`,
      // As long as a first one may take to come.
      for: `${lateAfterHours}h`,
      labels: { severity: "critical" },
      annotations: {
        summary: `Prometheus knows of no ${called} that succeeded.`,
        action: `If none has run yet or Prometheus has lost its data: ${runNow}.`,
      },
    },
  ];
}

/** Bytes that the server holds back for a receiver that keeps up: some segments of 16 MiB. */
const lagLimitBytes = 128 * 2 ** 20;

const walRules: readonly AlertingRule[] = [
  {
    alert: "WalArchivingBehind",
    // A lag below zero: the server does not answer, or has no slot.
    expr:
      "max(technova_wal_oldest_waiting_seconds) > 900" +
      ` or max(technova_wal_receiver_lag_bytes) > ${lagLimitBytes}` +
      " or min(technova_wal_receiver_lag_bytes) < 0" +
      " or time() - max(technova_wal_shipped_timestamp_seconds) > 900" +
      " or absent(technova_wal_shipped_timestamp_seconds)",
    for: "10m",
    labels: { severity: "critical" },
    annotations: {
      summary: "The database's log of changes is not stored: what is written now could be lost.",
      action:
        "kubectl -n inventory logs inventory-wal-archive-0 -c receive, and -c ship, say why." +
        " Nothing is lost as long as the volumes of the archive and of the database have room.",
    },
  },
  {
    alert: "WalArchivingConflict",
    expr: "max(technova_wal_conflicting_segments) > 0",
    for: "5m",
    labels: { severity: "critical" },
    annotations: {
      summary: "The backup store has another content for {{ $value }} segments of the database's log.",
      action:
        "Two databases with one origin write to the same place. Give this one a backup.store.prefix of its own," +
        " and take a base backup.",
    },
  },
  {
    alert: "WalArchivingGap",
    expr:
      'max(technova_wal_gap_timestamp_seconds) > (max(last_over_time(technova_backup_success_timestamp_seconds{kind="base"}[30d]))' +
      " or 0 * max(technova_wal_gap_timestamp_seconds))",
    labels: { severity: "warning" },
    annotations: {
      summary:
        "Some of the database's log was lost before it was received; no recovery leads past that time.",
      action: "Take a base backup: kubectl -n inventory create job now --from=cronjob/inventory-base-backup.",
    },
  },
];
