import { CustomResource } from "@pulumi/kubernetes/apiextensions";
import * as pulumi from "@pulumi/pulumi";
import type { AnalysisSettings } from "../config/strategy";
import { labels, type Identity } from "../labels";

export interface ReleaseAnalysisArgs {
  readonly identity: Identity;
  readonly namespace: pulumi.Input<string>;
  readonly settings: AnalysisSettings;
  /** Address of Prometheus inside the cluster. */
  readonly prometheus: pulumi.Input<string>;
}

/** The questions that decide over a release. Each names its limit, so that an answer can be told beside it. */
export class ReleaseAnalysis extends pulumi.ComponentResource {
  /** Name of the template that asks as long as the release goes on. */
  readonly watching: pulumi.Output<string>;
  /** Name of the template that has to be answered well before the new version gets all traffic. */
  readonly deciding: pulumi.Output<string>;

  constructor(name: string, args: ReleaseAnalysisArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:delivery:ReleaseAnalysis", name, {}, opts);
    const { settings } = args;
    const template = (role: string, more: object): pulumi.Output<string> =>
      new CustomResource(
        `${name}-${role}`,
        {
          apiVersion: "argoproj.io/v1alpha1",
          kind: "AnalysisTemplate",
          metadata: { namespace: args.namespace, labels: labels(args.identity) },
          spec: {
            args: [{ name: "release" }, { name: "stable" }],
            metrics: questions(args.identity, settings).map(({ metric, query, limit }) => ({
              name: metric,
              interval: `${settings.intervalSeconds}s`,
              // No answer at all is neither: too little has happened to know.
              successCondition: `len(result) > 0 && result[0] <= ${limit}`,
              failureCondition: `len(result) > 0 && result[0] > ${limit}`,
              failureLimit: settings.toleratedFailures,
              inconclusiveLimit: settings.toleratedUnknowns,
              consecutiveErrorLimit: settings.toleratedErrors,
              provider: { prometheus: { address: args.prometheus, query } },
              ...more,
            })),
          },
        },
        { parent: this },
      ).metadata.name;
    this.watching = template("watching", { initialDelay: `${settings.windowSeconds}s` });
    // Silence is not success: what is not known at the end stops the release too.
    this.deciding = template("deciding", { count: settings.toleratedFailures + 1, inconclusiveLimit: 0 });
    this.registerOutputs();
  }
}

export interface Question {
  /** Name that a failed release is reported with. */
  readonly metric: string;
  readonly query: string;
  /** The most that the answer may be, in the unit of the name. */
  readonly limit: number;
}

const unwatched = 'route!~"/healthz|/readyz|/metrics"';

/** The questions in Prometheus' language. `{{args.release}}` and `{{args.stable}}` are the hashes of the two versions. */
export function questions({ name }: Identity, settings: AnalysisSettings): Question[] {
  const window = `${settings.windowSeconds}s`;
  const of = (version: "release" | "stable", ...more: string[]) =>
    `{${[`app="${name}"`, `template_hash="{{args.${version}}}"`, ...more].join(",")}}`;
  const increase = (metric: string, selector: string) => `sum(increase(${metric}${selector}[${window}]))`;
  const requests = increase("http_requests_total", of("release", unwatched));
  const enough = `${requests} >= ${settings.minimumRequests}`;
  const orZero = (query: string) => `(${query} or vector(0))`;
  const known = (query: string) => `(${query}) and on() (${enough})`;

  const errorPercent = (version: "release" | "stable") =>
    `100 * ${orZero(increase("http_requests_total", of(version, unwatched, 'status=~"5.."')))}` +
    ` / ${increase("http_requests_total", of(version, unwatched))}`;
  const p95Milliseconds = (version: "release" | "stable") =>
    `1000 * histogram_quantile(0.95, sum by (le) (increase(http_request_duration_seconds_bucket${of(version, unwatched)}[${window}])))`;
  const rejectedPercent = (version: "release" | "stable") => {
    const rejected = orZero(increase("inventory_movements_rejected_total", of(version)));
    const recorded = orZero(increase("inventory_movements_total", of(version)));
    return `100 * ${rejected} / clamp_min(${rejected} + ${recorded}, 1)`;
  };
  const restarts = `sum(changes(process_start_time_seconds${of("release")}[${window}]))`;
  const connections = `100 * sum(inventory_db_pool_in_use${of("release")}) / sum(inventory_db_pool_size${of("release")})`;

  /** How many times as much as the stable version; one unit of it is added, so that nothing is not infinitely less. */
  const times = (release: string, stable: string) => `((${release}) + 1) / ((${stable}) + 1)`;
  const compared = (
    metric: string,
    query: (version: "release" | "stable") => string,
    limits: { readonly limit: number; readonly timesStable: number },
  ): Question[] => [
    { metric, query: known(query("release")), limit: limits.limit },
    {
      metric: `${metric}-times-stable`,
      query: known(times(query("release"), query("stable"))),
      limit: limits.timesStable,
    },
  ];
  return [
    ...compared("error-percent", errorPercent, settings.errorPercent),
    ...compared("p95-milliseconds", p95Milliseconds, settings.p95Milliseconds),
    ...compared("rejected-movements-percent", rejectedPercent, settings.rejectedMovementsPercent),
    { metric: "connections-percent", query: known(connections), limit: settings.connectionsPercent.limit },
    { metric: "restarts", query: orZero(restarts), limit: settings.restarts.limit },
  ];
}
