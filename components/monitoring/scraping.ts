import { alertmanager } from "../cluster/wellKnown";

interface Relabelling {
  readonly source_labels?: readonly string[];
  readonly regex?: string;
  readonly action?: "keep" | "drop" | "replace" | "labelmap";
  readonly target_label?: string;
  readonly replacement?: string;
}

/** Annotations of a Pod that lets itself be measured at a port, under `/metrics`. */
export function scrapeAnnotations(port: number): Record<string, string> {
  return {
    "prometheus.io/scrape": "true",
    "prometheus.io/port": String(port),
    "prometheus.io/path": "/metrics",
  };
}

/** Annotation of a Pod that has no metrics for Prometheus, or that Prometheus reads in another way. */
export const notScraped: Readonly<Record<string, string>> = { "prometheus.io/scrape": "false" };

const pod = (name: string) => `__meta_kubernetes_pod_${name}`;
const annotation = (name: string) => pod(`annotation_prometheus_io_${name}`);

/** From a Pod to what is read from it, and to the labels that its metrics get. */
const podRelabelling: readonly Relabelling[] = [
  { source_labels: [annotation("scrape")], regex: "true", action: "keep" },
  // What has ended answers nobody, and would count as down.
  { source_labels: [pod("phase")], regex: "Succeeded|Failed", action: "drop" },
  // A Pod is found once for each port of its containers; equal labels make one target of them.
  {
    source_labels: [pod("ip"), annotation("port")],
    regex: "(.+);(\\d+)",
    replacement: "$1:$2",
    target_label: "__address__",
  },
  { source_labels: [annotation("path")], regex: "(.+)", target_label: "__metrics_path__" },
  { source_labels: ["__meta_kubernetes_namespace"], target_label: "namespace" },
  { source_labels: [pod("name")], target_label: "pod" },
  { source_labels: [pod("label_app_kubernetes_io_name")], target_label: "app" },
  { source_labels: [pod("label_app_kubernetes_io_component")], target_label: "component" },
  { source_labels: [pod("label_app_kubernetes_io_version")], target_label: "version" },
  // Tells the Pods of a release from those of the one before.
  { source_labels: [pod("label_rollouts_pod_template_hash")], target_label: "template_hash" },
];

/**
 * `prometheus.yml`: the annotated Pods of some namespaces, and Prometheus itself.
 * @param intervalSeconds how often each is read
 * @param ruleFiles names of files beside it
 * @param alerted whether there is an Alertmanager to tell; each of its replicas is
 */
export function scrapeConfiguration(
  intervalSeconds: number,
  namespaces: readonly string[],
  ruleFiles: readonly string[],
  alerted = false,
): string {
  const interval = `${intervalSeconds}s`;
  // JSON is YAML.
  return JSON.stringify({
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    rule_files: ruleFiles,
    ...(alerted ? { alerting: { alertmanagers: [alertmanagers] } } : {}),
    scrape_configs: [
      {
        job_name: "pods",
        kubernetes_sd_configs: [{ role: "pod", namespaces: { names: namespaces } }],
        relabel_configs: podRelabelling,
      },
      { job_name: "prometheus", static_configs: [{ targets: ["localhost:9090"] }] },
    ],
  });
}

/** Every replica, by the addresses of the Service. */
const alertmanagers = {
  dns_sd_configs: [
    {
      names: [`${alertmanager.identity.name}.${alertmanager.pods.namespace}.svc`],
      type: "A",
      port: alertmanager.port,
      refresh_interval: "15s",
    },
  ],
};
