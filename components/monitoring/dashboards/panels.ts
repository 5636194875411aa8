import {
  BigValueGraphMode,
  GraphDrawStyle,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  VisibilityMode,
  VizLegendOptionsBuilder,
  type DataSourceRef,
} from "@grafana/grafana-foundation-sdk/common";
import {
  AnnotationQueryBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as GraphBuilder } from "@grafana/grafana-foundation-sdk/timeseries";

/** The Prometheus that is chosen at the dashboard's head. */
export const datasource: DataSourceRef = { type: "prometheus", uid: "${datasource}" };

export const datasourceVariable = () =>
  new DatasourceVariableBuilder("datasource").label("Data source").type("prometheus");

/** Selects what a release told of the app and the environment that are chosen there. */
export const chosen = (...more: string[]) =>
  `{${['app="$app"', 'environment="$environment"', ...more].join(",")}}`;

/** A choice among the values of a label. */
export function labelVariable(label: string, title: string, series: string): QueryVariableBuilder {
  return new QueryVariableBuilder(label)
    .label(title)
    .datasource(datasource)
    .query(`label_values(${series}, ${label})`)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);
}

/** A value's colour from a limit on. */
export type Step = readonly [from: number, color: string];

export interface Panel {
  readonly title: string;
  readonly description: string;
  readonly unit: string;
}

export interface Query {
  readonly expr: string;
  /** What its series are called, with labels in double braces. */
  readonly legend: string;
}

const targets = (queries: readonly Query[]) =>
  queries.map(({ expr, legend }, index) =>
    new DataqueryBuilder()
      .refId(String.fromCharCode("A".charCodeAt(0) + index))
      .datasource(datasource)
      .expr(expr)
      .legendFormat(legend),
  );

/** Numbers as they are now, coloured by how good they are; `lowest` is the colour below the first step. */
export function stat(
  panel: Panel & { readonly lowest: string; readonly steps: readonly Step[] },
  queries: readonly Query[],
): StatBuilder {
  const steps = panel.steps.map(([value, color]) => ({ value, color }));
  return new StatBuilder()
    .title(panel.title)
    .description(panel.description)
    .unit(panel.unit)
    .datasource(datasource)
    .noValue("none")
    .graphMode(BigValueGraphMode.None)
    .thresholds(
      new ThresholdsConfigBuilder()
        .mode(ThresholdsMode.Absolute)
        .steps([{ value: null, color: panel.lowest }, ...steps]),
    )
    .reduceOptions(new ReduceDataOptionsBuilder().values(false).calcs(["lastNotNull"]))
    .targets(targets(queries).map((target) => target.instant()))
    .height(5)
    .span(6);
}

/** Lines, or bars or points, over time. */
export function graph(
  panel: Panel & { readonly style?: GraphDrawStyle; readonly width: number },
  queries: readonly Query[],
): GraphBuilder {
  const style = panel.style ?? GraphDrawStyle.Line;
  return new GraphBuilder()
    .title(panel.title)
    .description(panel.description)
    .unit(panel.unit)
    .min(0)
    .datasource(datasource)
    .drawStyle(style)
    .fillOpacity(style === GraphDrawStyle.Bars ? 80 : 0)
    .showPoints(style === GraphDrawStyle.Points ? VisibilityMode.Always : VisibilityMode.Auto)
    .pointSize(style === GraphDrawStyle.Points ? 8 : 5)
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom),
    )
    .targets(targets(queries).map((target) => target.range()))
    .height(8)
    .span(panel.width);
}

export interface Mark {
  readonly name: string;
  /** Its value is the point in time, in seconds since 1970. */
  readonly expr: string;
  readonly color: string;
  readonly title: string;
  readonly text: string;
  readonly tags: readonly string[];
}

/** Marks in every graph. Grafana takes a value for a point in time in milliseconds. */
export function mark({ name, expr, color, title, text, tags }: Mark): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name(name)
    .datasource(datasource)
    .enable(true)
    .iconColor(color)
    .expr(`${expr} * 1000`)
    .useValueForTime(true)
    .step("1m")
    .titleFormat(title)
    .textFormat(text)
    .tagKeys(tags.join(","));
}
