import { expect } from "chai";
import { deliveryFigures, deliveryRules, windowsDays } from "../../../components/monitoring/rules/delivery";
import { backupSchema } from "../../../components/config/backup";
import { backupRules } from "../../../components/monitoring/rules/backup";
import { alertRules } from "../../../components/monitoring/rules/alerts";
import { configurations, networkOf } from "../../support/network";
import { readQuery } from "../../support/promql";
import type { Workload } from "../../support/workloads";

const groups = deliveryRules(30);
const rules = groups.flatMap((group) => group.rules);

describe("the figures of delivery", () => {
  it("are recorded once each, under names that say level, metric with unit, and operation", () => {
    const names = rules.map(({ record }) => record);
    expect(new Set(names).size).to.equal(names.length);
    expect(new Set(groups.map(({ name }) => name)).size).to.equal(groups.length);
    for (const name of names) {
      expect(name).to.match(
        /^app_environment:technova_release\w*(_per_day:rate|_seconds:median|_per_releases:ratio)(7|30)d$/,
      );
    }
    const wanted = windowsDays.flatMap((days) => Object.values(deliveryFigures).map((name) => name(days)));
    expect(names).to.have.members(wanted);
  });

  for (const { record, expr } of rules) {
    it(`${record} can be read, and is made of the releases' own samples`, () => {
      const { metrics, labels } = readQuery(expr);
      expect(metrics).to.have.length(1);
      expect(metrics[0]).to.match(/^technova_release_(duration|lead_time|recovery)_seconds$/);
      expect(labels).to.include.members(["app", "environment"]);
      expect(["app", "environment", "outcome"]).to.include.members([...labels]);
      expect(expr).to.include(`[${/(\d+d)$/.exec(record)?.[1]}`);
    });
  }

  it("are divided by releases that there were, and not by what may be nothing", () => {
    const { expr } = rules.find(({ record }) => record === deliveryFigures.failureRatio(7)) ?? { expr: "" };
    const [dividend, divisor] = expr.split(" / ");
    // One that was undone has been counted when it went through.
    expect(divisor).to.equal(
      'sum by (app, environment) (count_over_time(technova_release_duration_seconds{outcome!="undone"}[7d])), 1)',
    );
    expect(dividend).to.include('{outcome!="succeeded"}');
  });

  it("are left out over more days than samples are kept", () => {
    const names = (retentionDays: number) => deliveryRules(retentionDays).map(({ name }) => name);
    expect(names(30)).to.deep.equal(["delivery-7d", "delivery-30d"]);
    expect(names(29)).to.deep.equal(["delivery-7d"]);
    expect(names(6)).to.deep.equal([]);
  });
});

const store = { bucket: "backups", region: "eu-1", cidrs: ["10.0.0.0/8"] };
const backedUp = (more: object = {}) => backupRules(backupSchema.parse({ store, ...more }));

describe("alerts about backups", () => {
  const about = (settings: object) => backedUp(settings).flatMap(({ rules: each }) => each);
  const named = (name: string, settings: object = {}) => {
    const found = about(settings).find(({ alert }) => alert === name);
    if (found === undefined) throw new Error(`there is no ${name}`);
    return found;
  };

  it("are those of what is backed up", () => {
    expect(backupRules(undefined)).to.be.empty;
    const dumps = ["Failed", "Late", "Missing"].flatMap((what) => [`Backup${what}`, `RestoreTest${what}`]);
    const names = (settings: object) => about(settings).map(({ alert }) => alert);
    expect(names({})).to.have.members(dumps);
    expect(names({ walArchiving: {} })).to.have.members([
      ...dumps,
      ...dumps.map((name) => `${name}Base`),
      ...["WalArchivingBehind", "WalArchivingConflict", "WalArchivingGap"],
    ]);
  });

  it("take for late what is older than the schedule's longest gap and some time to run", () => {
    const hours = (schedule: string) =>
      Number(/> (\d+)$/.exec(named("BackupLate", { schedule }).expr)?.[1]) / 3600;
    expect(hours("17 1 * * *")).to.equal(26);
    expect(hours("17 1,13 * * *")).to.equal(14);
    expect(hours("17 1 * * 1-5")).to.equal(74);
    expect(named("BackupMissing", { schedule: "17 1 * * 1-5" }).for).to.equal("74h");
    // Missing speaks when the window of 148 h is empty, and 74 h later; until then Late does.
    expect(named("BackupLate", { schedule: "17 1 * * 1-5" }).expr).to.contain("[223h]");
    const { expr } = named("RestoreTestLate", {
      schedule: "0 * * * *",
      restoreTest: { schedule: "0 0 * * 0" },
    });
    expect(expr).to.match(/> 612000$/);
  });

  it("look far enough back for the sample that they judge", () => {
    for (const { alert, expr } of about({ walArchiving: {} })) {
      for (const [, window] of expr.matchAll(/\[(\d+)h\]/g))
        expect(Number(window), alert).to.be.at.least(2 * 26);
    }
  });

  it("tell of an archive that cannot ask the server how much it is behind", () => {
    const { expr } = named("WalArchivingBehind", { walArchiving: {} });
    expect(expr.split(" or ")).to.include("min(technova_wal_receiver_lag_bytes) < 0");
  });

  it("compare the last failure with the last success of the same kind", () => {
    expect(named("BackupFailed").expr).to.equal(
      'max(last_over_time(technova_backup_failure_timestamp_seconds{kind="dump"}[52h])) >' +
        ' (max(last_over_time(technova_backup_success_timestamp_seconds{kind="dump"}[52h])) or 0 *' +
        ' max(last_over_time(technova_backup_failure_timestamp_seconds{kind="dump"}[52h])))',
    );
  });
});

describe("alerts", () => {
  const everything = [...alertRules, ...backedUp({ walArchiving: {} })];
  const alerts = everything.flatMap((group) => group.rules).filter((rule) => "alert" in rule);

  it("have names of their own, and groups that no others have", () => {
    const names = alerts.map(({ alert }) => alert);
    expect(new Set(names).size).to.equal(names.length);
    const all = [...everything, ...groups].map(({ name }) => name);
    expect(new Set(all).size).to.equal(all.length);
  });

  it("about Pods that do not answer count each workload by itself", async () => {
    const { expr = "" } = alerts.find(({ alert }) => alert === "TargetDown") ?? {};
    const [, by = ""] = /by \(([^)]+)\)/.exec(expr) ?? [];
    const sources: Readonly<Record<string, (workload: Workload) => string | undefined>> = {
      app: ({ labels }) => labels["app.kubernetes.io/name"],
      component: ({ labels }) => labels["app.kubernetes.io/component"],
      namespace: ({ namespace }) => namespace,
    };
    for (const [stack, config] of Object.entries(configurations)) {
      const scraped = (await networkOf(config())).workloads.filter(
        ({ annotations }) => annotations["prometheus.io/scrape"] === "true",
      );
      const counted = scraped.map((workload) =>
        by
          .split(", ")
          .map((label) => sources[label]?.(workload))
          .join("/"),
      );
      expect(new Set(counted).size, `${stack}: ${counted.join(", ")}`).to.equal(scraped.length);
    }
  });

  for (const { alert, expr, annotations } of alerts) {
    it(`${alert} can be read, and says what it means and what to do`, () => {
      const { metrics } = readQuery(expr);
      expect(metrics).not.to.be.empty;
      for (const text of Object.values(annotations)) expect(text).to.match(/^.{20,}\.$/);
    });
  }
});
