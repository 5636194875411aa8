import { ConfigMap } from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import { AllowedFlows, type Flow } from "../cluster/flows";
import type { NamespaceName } from "../cluster/namespaces";
import type { BackupSettings } from "../config/backup";
import type { MonitoringSettings } from "../config/monitoring";
import type { VeleroSettings } from "../config/velero";
import type { ImageSource } from "../images";
import { labels } from "../labels";
import type { PodSecurityArgs } from "../security";
import { Alertmanager } from "./alertmanager";
import { releasesDashboard } from "./dashboards/releases";
import { GitHubAudit } from "./githubAudit";
import { Loki } from "./loki";
import { Prometheus } from "./prometheus";
import { Promtail } from "./promtail";

export interface MonitoringArgs extends PodSecurityArgs {
  readonly settings: MonitoringSettings;
  /** What the monitoring may say. */
  readonly flows: readonly Flow[];
  readonly images: ImageSource;
  readonly namespaceOf: (name: NamespaceName) => pulumi.Input<string>;
  /** What tells each receiver of alerts, by its name. */
  readonly alertReceivers: Readonly<Record<string, pulumi.Input<string>>>;
  /** How often the database is backed up, where it is. */
  readonly backup?: BackupSettings;
  /** How often the cluster is, where it is. */
  readonly velero?: Pick<VeleroSettings, "schedule">;
  /** Names of the namespaces that are measured. */
  readonly scraped: readonly string[];
  readonly priorityClassName: pulumi.Input<string>;
}

/** Grafana's dashboards, by the name of their files. */
const dashboards = { releases: releasesDashboard };

/** What measures the platform and its applications. */
export class Monitoring extends pulumi.ComponentResource {
  /** Address of Prometheus inside the cluster. */
  readonly prometheus: pulumi.Output<string>;

  constructor(name: string, args: MonitoringArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:monitoring:Monitoring", name, {}, opts);
    const parent = { parent: this };
    const { namespaceOf, ...rest } = args;
    const common = { ...rest, namespace: namespaceOf("monitoring") };
    const flows = new AllowedFlows(`${name}-flows`, { flows: args.flows }, parent);
    const afterFlows = { ...parent, dependsOn: flows };
    const { alertmanager, logs, prometheus } = args.settings;
    const alerted = alertmanager !== undefined;
    const server = new Prometheus("prometheus", { ...common, settings: prometheus, alerted }, afterFlows);
    if (alerted) {
      const alertArgs = { ...common, settings: alertmanager, secrets: args.alertReceivers };
      new Alertmanager("alertmanager", alertArgs, afterFlows);
    }
    if (logs !== undefined) {
      const loki = new Loki("loki", { ...common, settings: logs }, afterFlows);
      const promtailArgs = { ...common, settings: logs, namespace: namespaceOf("logging") };
      new Promtail("promtail", promtailArgs, { ...parent, dependsOn: [flows, loki] });
      if (logs.github !== undefined) {
        new GitHubAudit("github-audit", { ...common, settings: logs.github }, afterFlows);
      }
    }
    for (const [dashboard, build] of Object.entries(dashboards)) {
      new ConfigMap(
        `${name}-dashboard-${dashboard}`,
        {
          metadata: {
            namespace: common.namespace,
            // By this label Grafana's sidecar finds it, in kube-prometheus-stack and elsewhere.
            labels: { ...labels({ name: dashboard, component: "dashboard" }), grafana_dashboard: "1" },
          },
          immutable: true,
          data: { [`${dashboard}.json`]: JSON.stringify(build()) },
        },
        parent,
      );
    }
    this.prometheus = server.address;
    this.registerOutputs({ prometheus: this.prometheus });
  }
}
