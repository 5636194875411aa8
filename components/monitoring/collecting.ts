import { loki } from "../cluster/wellKnown";

export const promtailPort = 9080;
/** Where the kubelet keeps the logs of a node's Pods. */
export const podLogPath = "/var/log/pods";
/** Where the collector finds the API server's audit log. */
export const auditPath = "/var/log/audit";
/** Where it remembers how far it has read. */
export const positionsPath = "/var/lib/promtail";

/** Labels of everything that says who changed what: `{job="audit", source="kubernetes"}`. */
export const auditJob = "audit";

/**
 * `promtail.yml`. Few labels: each combination of their values is a stream of its own. What else is known of a line
 * is its metadata, by which it is found as well.
 */
export function promtailConfiguration(withAudit: boolean): string {
  // JSON is YAML.
  return JSON.stringify({
    server: { http_listen_port: promtailPort, grpc_listen_port: 0, log_level: "warn", log_format: "json" },
    positions: { filename: `${positionsPath}/positions.yml` },
    clients: [{ url: `${loki.address}/loki/api/v1/push`, batchwait: "1s" }],
    scrape_configs: [pods, ...(withAudit ? [audit] : [])],
  });
}

const pods = {
  job_name: "pods",
  static_configs: [{ targets: ["localhost"], labels: { job: "pods", __path__: `${podLogPath}/*/*/*.log` } }],
  pipeline_stages: [
    { cri: {} },
    {
      regex: {
        source: "filename",
        expression: `^${podLogPath}/(?P<namespace>[^_]+)_(?P<pod>[^_]+)_[^/]+/(?P<container>[^/]+)/`,
      },
    },
    { labels: { namespace: null, container: null } },
    { structured_metadata: { pod: null } },
    { labeldrop: ["filename"] },
  ],
};

const audit = {
  job_name: "audit",
  static_configs: [
    {
      targets: ["localhost"],
      labels: { job: auditJob, source: "kubernetes", __path__: `${auditPath}/audit*.log` },
    },
  ],
  pipeline_stages: [
    {
      json: {
        expressions: {
          id: "auditID",
          time: "requestReceivedTimestamp",
          who: "user.username",
          verb: "verb",
          namespace: "objectRef.namespace",
          resource: "objectRef.resource",
          subresource: "objectRef.subresource",
          name: "objectRef.name",
        },
      },
    },
    { timestamp: { source: "time", format: "RFC3339Nano" } },
    {
      structured_metadata: Object.fromEntries(
        ["id", "who", "verb", "namespace", "resource", "subresource", "name"].map((name) => [name, null]),
      ),
    },
    { labeldrop: ["filename"] },
  ],
};
