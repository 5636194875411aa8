import type { RecordingRule, RuleGroup } from "./groups";

/** Over how many days the figures are made. */
export const windowsDays = [7, 30] as const;
export type WindowDays = (typeof windowsDays)[number];

/**
 * The four figures of software delivery as DORA defines them (https://dora.dev/guides/dora-metrics-four-keys/), by app
 * and environment.
 *
 * - `releasesPerDay`, deployment frequency: successful releases per day.
 * - `leadTimeSeconds`, lead time for changes: from the commit until all users have it; the median of the successful
 *   releases whose commit's time is known.
 * - `failureRatio`, change failure rate: the share of releases, 0 to 1, that failed or were undone afterwards.
 * - `recoverySeconds`, time to restore service: from the first failed release to the next successful one, or as long
 *   as an `undo` took; the median.
 */
export const deliveryFigures = {
  releasesPerDay: (days: WindowDays) => `${level}:technova_releases_per_day:rate${days}d`,
  leadTimeSeconds: (days: WindowDays) => `${level}:technova_release_lead_time_seconds:median${days}d`,
  failureRatio: (days: WindowDays) => `${level}:technova_release_failures_per_releases:ratio${days}d`,
  recoverySeconds: (days: WindowDays) => `${level}:technova_release_recovery_seconds:median${days}d`,
};

const level = "app_environment";
const by = "by (app, environment)";

/**
 * A release leaves one sample, and another when it is undone, so samples are counted; what has none yields no series,
 * and never a zero.
 */
function releases(days: WindowDays, selector = 'outcome!="undone"'): string {
  return `sum ${by} (count_over_time(technova_release_duration_seconds{${selector}}[${days}d]))`;
}

/** The same, but 0 where there were releases and none of these. */
function someReleases(days: WindowDays, selector: string): string {
  return `(${releases(days, selector)} or 0 * ${releases(days)})`;
}

/**
 * The median of all releases, whatever their labels: those that share a series, such as a version that is put back
 * twice, count each. Minutes are laid side by side without a gap, so that a sample lies in one of them and no more.
 */
function median(metric: string, days: WindowDays): string {
  return `quantile_over_time(0.5, (avg ${by} (avg_over_time(${metric}[1m])))[${days}d:1m])`;
}

function rulesOver(days: WindowDays): RecordingRule[] {
  return [
    {
      record: deliveryFigures.releasesPerDay(days),
      expr: `${someReleases(days, 'outcome="succeeded"')} / ${days}`,
    },
    {
      record: deliveryFigures.leadTimeSeconds(days),
      expr: median("technova_release_lead_time_seconds", days),
    },
    {
      record: deliveryFigures.failureRatio(days),
      // What was undone can have been released before the window began.
      expr: `clamp_max(${someReleases(days, 'outcome!="succeeded"')} / ${releases(days)}, 1)`,
    },
    {
      record: deliveryFigures.recoverySeconds(days),
      expr: median("technova_release_recovery_seconds", days),
    },
  ];
}

/**
 * The rules that make the figures.
 * @param retentionDays how long Prometheus keeps samples: what is longer than that would be counted too low, and is
 * left out
 */
export function deliveryRules(retentionDays: number): RuleGroup<RecordingRule>[] {
  return windowsDays
    .filter((days) => days <= retentionDays)
    .map((days) => ({ name: `delivery-${days}d`, interval: "1m", rules: rulesOver(days) }));
}
