import type { FullApi } from "./api";

/** Path of Prometheus' own API, through the API server: it is reachable from nowhere else. */
export const prometheusPath = "/api/v1/namespaces/monitoring/services/prometheus:http/proxy/api/v1";

/** One sample of a series that has no others around it. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly at: Date;
  /** What it comes from, in one word. */
  readonly source: string;
}

/** Gives Prometheus a sample, in the form of OpenTelemetry. @throws when it does not take it */
export async function publish(api: FullApi, { name, labels, value, at, source }: Sample): Promise<void> {
  const attributes = (all: Sample["labels"]) =>
    Object.entries(all).map(([key, stringValue]) => ({ key, value: { stringValue } }));
  const point = {
    timeUnixNano: `${at.getTime()}000000`,
    asDouble: value,
    attributes: attributes(labels),
  };
  const metric = { name, gauge: { dataPoints: [point] } };
  const resource = { attributes: attributes({ "service.name": source }) };
  await api.create(`${prometheusPath}/otlp/v1/metrics`, {
    resourceMetrics: [{ resource, scopeMetrics: [{ metrics: [metric] }] }],
  });
}
