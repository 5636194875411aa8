import { ConfigMap, Service, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import { Role, RoleBinding } from "@pulumi/kubernetes/rbac/v1";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import { prometheusIdentity } from "../cluster/wellKnown";
import type { BackupSettings } from "../config/backup";
import type { PrometheusSettings } from "../config/monitoring";
import type { VeleroSettings } from "../config/velero";
import { imageReference, images, type ImageSource } from "../images";
import { labels, selectorLabels } from "../labels";
import { containerSecurity, type PodSecurityArgs, resourceRequirements } from "../security";
import { volumeServer } from "../volumeServer";
import { alertRules } from "./rules/alerts";
import { backupRules } from "./rules/backup";
import { clusterBackupRules } from "./rules/clusterBackup";
import { deliveryRules } from "./rules/delivery";
import { notScraped, scrapeConfiguration } from "./scraping";

export const prometheusPort = 9090;

export interface PrometheusArgs extends PodSecurityArgs {
  readonly settings: PrometheusSettings;
  readonly images: ImageSource;
  /** Whether Alertmanager is told what is wrong. */
  readonly alerted: boolean;
  /** Namespace that it runs in. */
  readonly namespace: pulumi.Input<string>;
  /** How often the database is backed up, where it is. */
  readonly backup?: BackupSettings;
  /** How often the cluster is, where it is. */
  readonly velero?: Pick<VeleroSettings, "schedule">;
  /** Names of the namespaces whose annotated Pods it reads metrics from. */
  readonly scraped: readonly string[];
  readonly priorityClassName: pulumi.Input<string>;
}

const user = 65534;
const dataPath = "/prometheus";
const configurationPath = "/etc/prometheus";
const rulesFile = "rules.yml";

/** Prometheus: one Pod with a volume, which finds what to read by the Pods' own `prometheus.io` annotations. */
export class Prometheus extends pulumi.ComponentResource {
  /** Address inside the cluster. */
  readonly address: pulumi.Output<string>;

  constructor(name: string, args: PrometheusArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:monitoring:Prometheus", name, {}, opts);
    const parent = { parent: this };
    const { namespace, settings } = args;
    const metadata = { namespace, labels: labels(prometheusIdentity, images.prometheus.version) };
    const selector = selectorLabels(prometheusIdentity);
    const account = this.account(name, args);
    const configuration = new ConfigMap(
      `${name}-configuration`,
      {
        metadata: { namespace, labels: labels(prometheusIdentity) },
        immutable: true,
        data: {
          "prometheus.yml": scrapeConfiguration(
            settings.scrapeIntervalSeconds,
            args.scraped,
            [rulesFile],
            args.alerted,
          ),
          // JSON is YAML.
          [rulesFile]: JSON.stringify({
            groups: [
              ...alertRules,
              ...backupRules(args.backup),
              ...clusterBackupRules(args.velero),
              ...deliveryRules(settings.retentionDays),
            ],
          }),
        },
      },
      parent,
    );
    const service = new Service(
      `${name}-service`,
      {
        metadata: { ...metadata, name },
        spec: { selector, ports: [{ name: "http", port: prometheusPort, targetPort: "http" }] },
      },
      parent,
    );
    volumeServer(
      `${name}-server`,
      {
        ...metadata,
        serverName: name,
        selector,
        serviceName: service.metadata.name,
        user,
        appArmor: args.appArmor,
        // It reads itself without being found.
        podAnnotations: notScraped,
        pod: {
          serviceAccountName: account,
          // Its account's token is what it finds Pods with.
          automountServiceAccountToken: true,
          priorityClassName: args.priorityClassName,
          // Cutting the last write short would mean replaying the log at the next start.
          terminationGracePeriodSeconds: 60,
          containers: [container(args)],
          volumes: [{ name: "configuration", configMap: { name: configuration.metadata.name } }],
        },
        backup: "rebuilt",
        volume: settings,
      },
      parent,
    );
    this.address = pulumi.interpolate`http://${service.metadata.name}.${namespace}.svc:${prometheusPort}`;
    this.registerOutputs({ address: this.address });
  }

  /** It may look for Pods in the namespaces that it reads, and do nothing else. */
  private account(name: string, { namespace, scraped }: PrometheusArgs): pulumi.Output<string> {
    const parent = { parent: this };
    const metadata = { namespace, labels: labels(prometheusIdentity) };
    const account = new ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      parent,
    );
    for (const each of scraped) {
      const where = { ...metadata, namespace: each };
      const role = new Role(
        `${name}-${each}-role`,
        {
          metadata: where,
          rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] }],
        },
        parent,
      );
      new RoleBinding(
        `${name}-${each}-binding`,
        {
          metadata: where,
          roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: role.metadata.name },
          subjects: [{ kind: "ServiceAccount", name: account.metadata.name, namespace }],
        },
        parent,
      );
    }
    return account.metadata.name;
  }
}

function container({ settings, images: source }: PrometheusArgs): input.core.v1.Container {
  const probe = (path: string) => ({ httpGet: { path, port: "http" }, timeoutSeconds: 5 });
  return {
    name: "prometheus",
    image: imageReference("prometheus", source),
    imagePullPolicy: "IfNotPresent",
    args: [
      `--config.file=${configurationPath}/prometheus.yml`,
      `--storage.tsdb.path=${dataPath}`,
      `--storage.tsdb.retention.time=${settings.retentionDays}d`,
      // Each release tells its figures once, at its end.
      "--web.enable-otlp-receiver",
      "--log.format=json",
    ],
    ports: [{ name: "http", containerPort: prometheusPort }],
    // Replaying a long log takes minutes.
    startupProbe: { ...probe("/-/ready"), periodSeconds: 2, failureThreshold: 300 },
    readinessProbe: { ...probe("/-/ready"), periodSeconds: 5 },
    livenessProbe: { ...probe("/-/healthy"), periodSeconds: 20, failureThreshold: 6 },
    resources: resourceRequirements(settings.resources),
    securityContext: containerSecurity,
    volumeMounts: [
      { name: "data", mountPath: dataPath },
      { name: "configuration", mountPath: configurationPath, readOnly: true },
    ],
  };
}
