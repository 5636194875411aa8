import { expect } from "chai";
import { releasesDashboard } from "../../../components/monitoring/dashboards/releases";
import { deliveryRules } from "../../../components/monitoring/rules/delivery";
import { readQuery } from "../../support/promql";

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: {
    readonly defaults: {
      readonly unit?: string;
      readonly thresholds?: { readonly steps: { value: number }[] };
    };
  };
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
}

interface Mark {
  readonly name: string;
  readonly expr: string;
  readonly titleFormat: string;
  readonly textFormat: string;
  readonly tagKeys: string;
  readonly useValueForTime: boolean;
}

/** As Grafana reads it. */
const dashboard = JSON.parse(JSON.stringify(releasesDashboard())) as {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly Mark[] };
  readonly templating: { readonly list: readonly { name: string; type: string; query: string }[] };
};
const panels = dashboard.panels.filter(({ type }) => type !== "row");
const marks = dashboard.annotations.list;
const variables = dashboard.templating.list;

const release = ["app", "environment", "namespace", "strategy", "version", "outcome"];
const rollback = ["app", "environment", "namespace", "from", "version", "update", "outcome"];
const pod = ["app", "namespace", "pod", "version", "template_hash"];
/** What is there to be asked for: what releases tell at their ends, the service at `/metrics`, and the rules. */
const exported: Readonly<Record<string, readonly string[]>> = {
  technova_release_started_timestamp_seconds: release,
  technova_release_duration_seconds: release,
  technova_release_lead_time_seconds: release,
  technova_release_recovery_seconds: release,
  technova_rollback_timestamp_seconds: rollback,
  http_requests_total: [...pod, "method", "route", "status"],
  http_request_duration_seconds_bucket: [...pod, "method", "route", "status", "le"],
  ...Object.fromEntries(
    deliveryRules(30).flatMap(({ rules }) => rules.map(({ record }) => [record, ["app", "environment"]])),
  ),
};

/** A query as Grafana sends it, with the labels that it may use. */
function check(query: string): void {
  const sent = query
    .replaceAll(/\$__(rate_)?interval/g, "5m")
    .replaceAll("$app", "inventory")
    .replaceAll("$environment", "local");
  expect(sent, "a variable that the dashboard does not have").not.to.include("$");
  const { metrics, labels } = readQuery(sent);
  expect(metrics, query).not.to.be.empty;
  for (const metric of metrics) {
    expect(Object.keys(exported)).to.include(metric);
    expect(exported[metric], `${metric} in ${query}`).to.include.members([...labels]);
  }
}

describe("the dashboard of releases", () => {
  it("is one that Grafana knows again", () => {
    expect(dashboard).to.include({ uid: "technova-releases", title: "Releases" });
    expect(dashboard.schemaVersion).to.be.at.least(36);
    expect(JSON.stringify(releasesDashboard())).to.equal(JSON.stringify(releasesDashboard()));
  });

  it("has panels with titles, units and places of their own", () => {
    const { panels: all } = dashboard;
    expect(new Set(all.map(({ id }) => id)).size).to.equal(all.length);
    expect(new Set(all.map(({ title }) => title)).size).to.equal(all.length);
    expect(new Set(all.map(({ gridPos: { x, y } }) => `${x},${y}`)).size).to.equal(all.length);
    for (const { title, description, gridPos, fieldConfig, targets = [] } of panels) {
      expect(title, "title").to.match(/^[A-Z0-9]/);
      expect(description, title).to.match(/\.$/);
      expect(fieldConfig?.defaults.unit, `unit of ${title}`).to.be.a("string").and.not.be.empty;
      expect(gridPos.x + gridPos.w, title).to.be.at.most(24);
      expect(new Set(targets.map(({ refId }) => refId)).size, title)
        .to.equal(targets.length)
        .and.not.equal(0);
    }
  });

  for (const { title, targets = [] } of panels) {
    it(`asks in "${title}" for what there is`, () => targets.forEach(({ expr }) => check(expr)));
  }

  it("shows the four figures of delivery over both windows, with limits that rise", () => {
    const figures = panels.filter(({ type }) => type === "stat");
    const asked = figures.flatMap(({ targets = [] }) =>
      targets.flatMap(({ expr }) => readQuery(expr).metrics),
    );
    expect(asked).to.have.members(
      deliveryRules(30).flatMap(({ rules }) => rules.map(({ record }) => record)),
    );
    for (const { fieldConfig, title } of figures) {
      const limits = fieldConfig?.defaults.thresholds?.steps.slice(1).map(({ value }) => value) ?? [];
      expect(limits, title).to.have.length(3);
      expect(limits, title).to.deep.equal([...limits].sort((a, b) => a - b));
    }
  });

  it("marks the start and the outcome of each release, and each rollback, at the moment that they were", () => {
    expect(marks.map(({ name }) => name)).to.have.members([
      "Releases started",
      "Releases succeeded",
      "Releases failed",
      "Releases undone",
      "Rollbacks",
    ]);
    for (const { name, expr, titleFormat, textFormat, tagKeys, useValueForTime } of marks) {
      check(expr);
      // A value is taken for milliseconds.
      expect([useValueForTime, expr.endsWith(" * 1000")]).to.deep.equal([true, true]);
      const used = [...`${titleFormat} ${textFormat}`.matchAll(/{{(\w+)}}/g)].map(([, label]) => label);
      expect(used).to.include("version");
      const known = name === "Rollbacks" ? rollback : release;
      expect(known).to.include.members([...used, ...tagKeys.split(",")]);
    }
  });

  it("is of one data source, environment and app at a time", () => {
    expect(variables.map(({ name, type }) => [name, type])).to.deep.equal([
      ["datasource", "datasource"],
      ["environment", "query"],
      ["app", "query"],
    ]);
    for (const { name, query } of variables.slice(1)) {
      const [, series = "", label] = /^label_values\((.+), (\w+)\)$/.exec(query) ?? [];
      check(series);
      expect(label).to.equal(name);
    }
    for (const { expr } of [...panels.flatMap(({ targets = [] }) => targets), ...marks]) {
      expect(expr).to.include('app="$app"');
    }
  });
});
