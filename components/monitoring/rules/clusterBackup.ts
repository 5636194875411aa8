import { longestGapHours } from "../../config/schedule";
import type { VeleroSettings } from "../../config/velero";
import type { AlertingRule, RuleGroup } from "./groups";

/** How long a backup may take, beyond the time between two. */
const graceHours = 2;

/** Alerts about the cluster's objects and volumes that are not kept as they should be. */
export function clusterBackupRules(
  velero: Pick<VeleroSettings, "schedule"> | undefined,
): RuleGroup<AlertingRule>[] {
  if (velero === undefined) return [];
  const lateAfterHours = longestGapHours(velero.schedule) + graceHours;
  return [{ name: "cluster-backup", interval: "1m", rules: rulesFor(lateAfterHours) }];
}

function rulesFor(lateAfterHours: number): AlertingRule[] {
  return [
    {
      alert: "VeleroBackupFailed",
      expr: 'min by (schedule) (velero_backup_last_status{schedule!=""}) == 0',
      // It is 0 as well while a backup that was not whole is looked at once more.
      for: "5m",
      labels: { severity: "critical" },
      annotations: {
        summary:
          "The newest backup of the cluster by the schedule {{ $labels.schedule }} failed, or is not whole.",
        action: "It says why: kubectl -n backup get backups.velero.io -o wide, and the server's log.",
      },
    },
    {
      alert: "VeleroBackupLate",
      expr:
        'time() - max by (schedule) (velero_backup_last_successful_timestamp{schedule!=""}) > ' +
        `${lateAfterHours} * 3600`,
      labels: { severity: "critical" },
      annotations: {
        summary:
          "The cluster was last backed up {{ $value | humanizeDuration }} ago by the schedule {{ $labels.schedule }}.",
        action: "Look at the schedule and the server: kubectl -n backup get schedules.velero.io,pods.",
      },
    },
    {
      alert: "VeleroNeverBackedUp",
      expr:
        'max by (schedule) (velero_backup_success_total{schedule!=""}) == 0' +
        ' unless on (schedule) velero_backup_last_successful_timestamp{schedule!=""}',
      // The first one begins at once; a day is long even for a large cluster's first.
      for: "1d",
      labels: { severity: "critical" },
      annotations: {
        summary: "There is no backup of the cluster by the schedule {{ $labels.schedule }} yet.",
        action: "Look at the schedule and the server: kubectl -n backup get schedules.velero.io,pods.",
      },
    },
    {
      alert: "VeleroMissing",
      expr: 'absent(velero_backup_success_total{schedule!=""})',
      for: "1h",
      labels: { severity: "critical" },
      annotations: {
        summary: "Prometheus hears nothing of the cluster's backups: no other alert about them can speak.",
        action: "Look whether the server runs: kubectl -n backup get deployments,pods,schedules.velero.io.",
      },
    },
    {
      alert: "VeleroStoreUnreachable",
      expr: "min by (backup_location_name) (velero_backup_location_status_gauge) == 0",
      for: "15m",
      labels: { severity: "critical" },
      annotations: {
        summary: "The bucket of the cluster's backups is not reached, or refuses the key.",
        action: "It says why: kubectl -n backup describe backupstoragelocations.velero.io.",
      },
    },
  ];
}
