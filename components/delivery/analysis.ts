import { CustomResource } from "@pulumi/kubernetes/apiextensions";
import * as pulumi from "@pulumi/pulumi";
import { promotedCount, type AnalysisSettings } from "../config/analysis";
import { labels, type Identity } from "../labels";

export interface ReleaseAnalysisArgs {
  readonly identity: Identity;
  readonly namespace: pulumi.Input<string>;
  readonly settings: AnalysisSettings;
  /** Address of Prometheus inside the cluster. */
  readonly prometheus?: pulumi.Input<string>;
}

/** The hashes of the two versions, which every template of questions wants to know. */
export const measuredVersions = [
  { name: "release", valueFrom: { podTemplateHashValue: "Latest" } },
  { name: "stable", valueFrom: { podTemplateHashValue: "Stable" } },
];

/** When questions are asked: `watching` as long as the release goes on, the others to an end. */
export type Role = "watching" | "deciding" | "promoted";

/** Time that somebody who has to promote by hand is given. */
export const manualSeconds = 3600;

/** How long an answer takes at most that ends a release, in seconds. */
export function askingSeconds(settings: AnalysisSettings): number {
  const { intervalSeconds, toleratedFailures, toleratedUnknowns, toleratedErrors } = settings;
  const errors = toleratedErrors * answerSeconds(settings);
  return intervalSeconds * (2 * toleratedFailures + toleratedUnknowns + toleratedErrors + 2) + errors;
}

/** How long Prometheus has for an answer: a silent one shall not take longer to be noticed than the settings say. */
function answerSeconds({ intervalSeconds }: AnalysisSettings): number {
  return Math.min(intervalSeconds, 30);
}

/**
 * The questions that decide over a release. Each names its limit, so that an answer can be told beside it.
 * @returns makes a template by its role, and returns its name
 */
export function releaseAnalysis(
  name: string,
  args: ReleaseAnalysisArgs,
  opts: pulumi.CustomResourceOptions,
): (role: Role) => pulumi.Output<string> {
  const { settings, prometheus } = args;
  if (prometheus === undefined) {
    throw new pulumi.RunError(`releases of ${name} are to be measured, and there is no Prometheus`);
  }
  const roles: Record<Role, object> = {
    watching: { initialDelay: `${settings.windowSeconds}s` },
    // Silence is not success: only answers end it well, and as many questions as there can be until then.
    deciding: {
      consecutiveSuccessLimit: settings.toleratedFailures + 1,
      count: settings.toleratedUnknowns + 2 * settings.toleratedFailures + 1,
    },
    promoted: { count: promotedCount(settings), initialDelay: `${settings.intervalSeconds}s` },
  };
  return (role) =>
    new CustomResource(
      `${name}-${role}-analysis`,
      {
        apiVersion: "argoproj.io/v1alpha1",
        kind: "AnalysisTemplate",
        metadata: { namespace: args.namespace, labels: labels(args.identity) },
        spec: {
          args: measuredVersions.map((version) => ({ name: version.name })),
          metrics: questions(args.identity, settings, role).map(({ metric, query, limit, tolerated }) => ({
            name: metric,
            interval: `${settings.intervalSeconds}s`,
            // No answer at all is neither: too little has happened to know.
            successCondition: `len(result) > 0 && result[0] <= ${limit}`,
            failureCondition: `len(result) > 0 && result[0] > ${limit}`,
            failureLimit: tolerated ?? settings.toleratedFailures,
            inconclusiveLimit: settings.toleratedUnknowns,
            consecutiveErrorLimit: settings.toleratedErrors,
            provider: { prometheus: { address: prometheus, query, timeout: answerSeconds(settings) } },
            ...roles[role],
          })),
        },
      },
      opts,
    ).metadata.name;
}

export interface Question {
  /** Name that a failed release is reported with. */
  readonly metric: string;
  readonly query: string;
  /** The most that the answer may be, in the unit of the name. */
  readonly limit: number;
  /** How many answers above the limit are borne, where the settings' number of them is not for it. */
  readonly tolerated?: number;
}

/** Requests to record a stock movement, as the service counts them: `app/src/inventory/api/routes/movements.py`. */
const recordMovement = ['method="POST"', 'route="/api/v1/movements"'];

/** Leaves out what the cluster asks for its own ends. */
export const unwatched = 'route!~"/healthz|/readyz|/metrics"';

/** The questions in Prometheus' language. `{{args.release}}` and `{{args.stable}}` are the hashes of the two versions. */
export function questions({ name }: Identity, settings: AnalysisSettings, role: Role): Question[] {
  const window = `[${settings.windowSeconds}s]`;
  // Once users have the new version the stable one gets no requests: then it counts what it did before.
  const earlier = ` offset ${promotedCount(settings) * settings.intervalSeconds}s`;
  const when = { release: window, stable: role === "promoted" ? `${window}${earlier}` : window };
  type Version = keyof typeof when;
  const of = (version: Version, ...more: string[]) =>
    `{${[`app="${name}"`, `template_hash="{{args.${version}}}"`, ...more].join(",")}}`;
  const increase = (metric: string, version: Version, ...more: string[]) =>
    `sum(increase(${metric}${of(version, ...more)}${when[version]}))`;
  const requests = increase("http_requests_total", "release", unwatched);
  const enough = `${requests} >= ${settings.minimumRequests}`;
  const orZero = (query: string) => `(${query} or vector(0))`;
  const known = (query: string) => `(${query}) and on() (${enough})`;

  const errorPercent = (version: Version) =>
    `100 * ${orZero(increase("http_requests_total", version, unwatched, 'status=~"5.."'))}` +
    ` / ${increase("http_requests_total", version, unwatched)}`;
  const p95Milliseconds = (version: Version) =>
    `1000 * histogram_quantile(0.95, sum by (le) (increase(http_request_duration_seconds_bucket${of(version, unwatched)}${when[version]})))`;
  // Whatever refuses them: the rules of the stock, the schema of requests, rights, or that there is no such route.
  const movements = (version: Version, ...more: string[]) =>
    orZero(increase("http_requests_total", version, ...recordMovement, ...more));
  // A few may well be refused for good reasons: fewer than ten count as ten.
  const rejectedPercent = (version: Version) =>
    `100 * ${movements(version, 'status=~"4.."')} / clamp_min(${movements(version)}, 10)`;
  // None at all is no good sign where there should be some: five or more, by the stable version's share of them.
  const stableRequests = `clamp_min(${orZero(increase("http_requests_total", "stable", unwatched))}, 1)`;
  const expected = `${movements("stable")} * ${orZero(requests)} / ${stableRequests}`;
  const asked = `((${movements("release")} > 0) or (${expected} < 5))`;
  // A container may be down for longer than a short window: then neither answer would see that it was another before.
  const lastMinute = (range: string) => range.replace(/\d+/, String(Math.max(settings.windowSeconds, 60)));
  const restarts = (version: Version) =>
    orZero(`sum(changes(process_start_time_seconds${of(version)}${lastMinute(when[version])}))`);
  const pool = (what: "in_use" | "size", version: Version) =>
    `sum(avg_over_time(inventory_db_pool_${what}${of(version)}${when[version]}))`;
  const connectionsPercent = (version: Version) =>
    `100 * ${pool("in_use", version)} / ${pool("size", version)}`;
  // A canary's Pods can have more requests each than those of the stable version, and then more of them in use.
  const timesTheRequests = `clamp_min((${requests} / ${pool("size", "release")}) / (${stableRequests} / ${pool("size", "stable")}), 1)`;
  /** A single one of so many, as a percentage: less is by chance. */
  const oneOf = (count: string) => `clamp_min(100 / ${count}, 1)`;

  interface Compared {
    readonly limits: { readonly limit: number; readonly timesStable: number };
    /** What an answer is given for; default: enough requests. */
    readonly given?: (answer: string) => string;
    /** What is added to both versions' values before they are compared, so that next to nothing is not many times less. */
    readonly allowance?: number | string;
    /** By what the stable version's value is multiplied. */
    readonly times?: string;
    readonly tolerated?: number;
  }
  const compared = (
    metric: string,
    query: (version: Version) => string,
    { limits, given = known, allowance = 1, times = "1", tolerated }: Compared,
  ): Question[] => {
    const ratio = `((${query("release")}) + ${allowance}) / ((${query("stable")}) * ${times} + ${allowance})`;
    return [
      { metric, query: given(query("release")), limit: limits.limit, tolerated },
      { metric: `${metric}-times-stable`, query: given(ratio), limit: limits.timesStable, tolerated },
    ];
  };
  return [
    ...compared("error-percent", errorPercent, { limits: settings.errorPercent, allowance: oneOf(requests) }),
    ...compared("p95-milliseconds", p95Milliseconds, { limits: settings.p95Milliseconds }),
    ...compared("rejected-movements-percent", rejectedPercent, {
      limits: settings.rejectedMovementsPercent,
      given: (answer) => `${known(answer)} and on() ${asked}`,
      allowance: oneOf(`clamp_min(${movements("release")}, 10)`),
    }),
    // One connection of a Pod that has few is a tenth of them or more.
    ...compared("connections-percent", connectionsPercent, {
      limits: settings.connectionsPercent,
      allowance: 10,
      times: timesTheRequests,
    }),
    // An event and no estimate: one answer is enough. The next one may not see it any more, while the Pod is down.
    ...compared("restarts", restarts, { limits: settings.restarts, given: (answer) => answer, tolerated: 0 }),
  ];
}
