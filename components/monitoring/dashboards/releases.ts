import { GraphDrawStyle, StackingConfigBuilder, StackingMode } from "@grafana/grafana-foundation-sdk/common";
import {
  DashboardBuilder,
  DashboardCursorSync,
  RowBuilder,
  type Dashboard,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { PercentUnit, RequestsPerSecond, Seconds } from "@grafana/grafana-foundation-sdk/units";
import { unwatched } from "../../delivery/analysis";
import { figures } from "./figures";
import { chosen, datasourceVariable, graph, labelVariable, mark } from "./panels";

const started = "technova_release_started_timestamp_seconds";
const duration = "technova_release_duration_seconds";

const rolledBack = "technova_rollback_timestamp_seconds";

const colored = (fixedColor: string) => [{ id: "color", value: { mode: "fixed", fixedColor } }];

const releases = () => [
  graph(
    {
      title: "Releases by outcome",
      description: "How many releases ended in each span of time, and how many were undone.",
      unit: "none",
      style: GraphDrawStyle.Bars,
      width: 12,
    },
    [
      {
        expr: `sum by (outcome) (count_over_time(${duration}${chosen()}[$__interval]))`,
        legend: "{{outcome}}",
      },
    ],
  )
    .interval("1m")
    .decimals(0)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal))
    .overrideByName("succeeded", colored("green"))
    .overrideByName("failed", colored("red"))
    .overrideByName("undone", colored("orange")),
  graph(
    {
      title: "Duration by strategy",
      description: "From a release's start to its outcome; of one that was undone, how long that took.",
      unit: Seconds,
      style: GraphDrawStyle.Points,
      width: 12,
    },
    [
      {
        expr: `avg by (strategy, outcome) (avg_over_time(${duration}${chosen()}[$__interval]))`,
        legend: "{{strategy}}, {{outcome}}",
      },
    ],
  ).interval("1m"),
];

const perVersion = "by (version, template_hash)";
const version = "{{version}} ({{template_hash}})";
/** Pods tell no environment: a Prometheus measures one alone. */
const ofApp = (...more: string[]) => `{${['app="$app"', unwatched, ...more].join(",")}}[$__rate_interval]`;
const requests = (...more: string[]) => `sum ${perVersion} (rate(http_requests_total${ofApp(...more)}))`;

/** While a release is under way there are two lines: the stable version and the new one. */
const traffic = () => [
  graph(
    {
      title: "Requests by version",
      description: "What the stable version and the new one answer.",
      unit: RequestsPerSecond,
      width: 8,
    },
    [{ expr: requests(), legend: version }],
  ),
  graph(
    {
      title: "Errors by version",
      description: "Share of requests that the service failed to answer (5xx).",
      unit: PercentUnit,
      width: 8,
    },
    [
      {
        expr: `(${requests('status=~"5.."')} or 0 * ${requests()}) / (${requests()} > 0)`,
        legend: version,
      },
    ],
  ),
  graph(
    {
      title: "95th percentile by version",
      description: "Time within which 95 % of the requests are answered.",
      unit: Seconds,
      width: 8,
    },
    [
      {
        expr: `histogram_quantile(0.95, sum by (le, version, template_hash) (rate(http_request_duration_seconds_bucket${ofApp()})))`,
        legend: version,
      },
    ],
  ),
];

/** A sample is one moment; only if it is looked for over a span does no step between moments miss it. */
const span = "1d";
const ended = (outcome: string) =>
  `last_over_time(timestamp(${duration}${chosen(`outcome="${outcome}"`)})[${span}:1m])`;

const releaseMarks = () =>
  [
    { what: "started", color: "blue", expr: `last_over_time(${started}${chosen()}[${span}])` },
    { what: "succeeded", color: "green", expr: ended("succeeded") },
    { what: "failed", color: "red", expr: ended("failed") },
    { what: "undone", color: "orange", expr: ended("undone") },
  ].map(({ what, color, expr }) =>
    mark({
      name: `Releases ${what}`,
      expr,
      color,
      title: `Release of {{version}} ${what}`,
      text: "{{app}} in {{environment}}, {{strategy}}",
      tags: ["app", "environment", "strategy", "outcome"],
    }),
  );

/** A stack that went back to an earlier state, with its configuration and its schema. */
const rollbackMark = () =>
  mark({
    name: "Rollbacks",
    expr: `last_over_time(${rolledBack}${chosen()}[${span}])`,
    color: "orange",
    title: "Rollback from {{from}} to {{version}} {{outcome}}",
    text: "{{app}} in {{environment}}, to update {{update}} of the stack",
    tags: ["app", "environment", "outcome"],
  });

/** How often, how fast and how well releases reach the users, and what the two versions of one do meanwhile. */
export function releasesDashboard(): Dashboard {
  const dashboard = new DashboardBuilder("Releases")
    .uid("technova-releases")
    .description("How often, how fast and how well changes reach the users.")
    .tags(["technova", "delivery"])
    .readonly()
    .timezone("utc")
    .time({ from: "now-7d", to: "now" })
    .refresh("1m")
    .tooltip(DashboardCursorSync.Crosshair)
    .variables([
      datasourceVariable(),
      labelVariable("environment", "Environment", started),
      labelVariable("app", "App", `${started}{environment="$environment"}`),
    ])
    .annotations([...releaseMarks(), rollbackMark()]);
  const rows = [
    { title: "The four figures of delivery", panels: figures() },
    { title: "Releases", panels: releases() },
    { title: "Stable and new version", panels: traffic() },
  ];
  let id = 0;
  for (const { title, panels } of rows) {
    dashboard.withRow(new RowBuilder(title).id(++id));
    for (const panel of panels) dashboard.withPanel(panel.id(++id));
  }
  return dashboard.build();
}
