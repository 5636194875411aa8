import { ConfigMap, Service, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import { loki } from "../cluster/wellKnown";
import type { LogsSettings } from "../config/monitoring";
import { imageReference, images, type ImageSource } from "../images";
import { labels, selectorLabels } from "../labels";
import {
  containerSecurity,
  type PodSecurityArgs,
  resourceRequirements,
  temporaryMount,
  temporaryVolume,
} from "../security";
import { volumeServer } from "../volumeServer";
import { scrapeAnnotations } from "./scraping";

export interface LokiArgs extends PodSecurityArgs {
  readonly settings: LogsSettings;
  readonly images: ImageSource;
  readonly namespace: pulumi.Input<string>;
  readonly priorityClassName: pulumi.Input<string>;
}

/** Where its own parts talk to each other, on the loopback device. */
export const lokiGrpcPort = 9095;

const user = 10001;
const dataPath = "/loki";
const configurationPath = "/etc/loki";

/** Loki: the logs of all Pods and the audit trail, in one Pod with a volume. */
export class Loki extends pulumi.ComponentResource {
  constructor(name: string, args: LokiArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:monitoring:Loki", name, {}, opts);
    const parent = { parent: this };
    const { namespace, settings } = args;
    const { identity, port } = loki;
    const metadata = { namespace, labels: labels(identity, images.loki.version) };
    const selector = selectorLabels(identity);
    const account = new ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      parent,
    );
    const configuration = new ConfigMap(
      `${name}-configuration`,
      {
        metadata: { namespace, labels: labels(identity) },
        immutable: true,
        data: { "loki.yml": lokiConfiguration(settings.retentionDays) },
      },
      parent,
    );
    const service = new Service(
      `${name}-service`,
      {
        metadata: { ...metadata, name },
        spec: { selector, ports: [{ name: "http", port, targetPort: "http" }] },
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
        podAnnotations: scrapeAnnotations(port),
        pod: {
          serviceAccountName: account.metadata.name,
          automountServiceAccountToken: false,
          priorityClassName: args.priorityClassName,
          // What has arrived is written down before it ends.
          terminationGracePeriodSeconds: 120,
          containers: [container(args)],
          volumes: [
            temporaryVolume("64Mi"),
            { name: "configuration", configMap: { name: configuration.metadata.name } },
          ],
        },
        // What is still on the nodes is collected anew; what is older is gone.
        backup: "rebuilt",
        volume: settings,
      },
      parent,
    );
    this.registerOutputs();
  }
}

function container({ settings, images: source }: LokiArgs): input.core.v1.Container {
  const probe = { httpGet: { path: "/ready", port: "http" }, timeoutSeconds: 5 };
  return {
    name: "loki",
    image: imageReference("loki", source),
    imagePullPolicy: "IfNotPresent",
    args: [`-config.file=${configurationPath}/loki.yml`, "-target=all"],
    ports: [{ name: "http", containerPort: loki.port }],
    startupProbe: { ...probe, periodSeconds: 2, failureThreshold: 150 },
    readinessProbe: { ...probe, periodSeconds: 5 },
    livenessProbe: { ...probe, periodSeconds: 30, failureThreshold: 10 },
    resources: resourceRequirements(settings.resources),
    securityContext: containerSecurity,
    volumeMounts: [
      temporaryMount,
      { name: "data", mountPath: dataPath },
      { name: "configuration", mountPath: configurationPath, readOnly: true },
    ],
  };
}

/** `loki.yml` for one Pod that does everything, and keeps it on its own volume. */
export function lokiConfiguration(retentionDays: number): string {
  const retention = `${24 * retentionDays}h`;
  // JSON is YAML.
  return JSON.stringify({
    // Whoever reaches it may read and write: the network policies say who that is.
    auth_enabled: false,
    analytics: { reporting_enabled: false },
    server: {
      http_listen_port: loki.port,
      grpc_listen_address: "127.0.0.1",
      grpc_listen_port: lokiGrpcPort,
      log_format: "json",
      log_level: "warn",
    },
    common: {
      path_prefix: dataPath,
      replication_factor: 1,
      instance_addr: "127.0.0.1",
      ring: { kvstore: { store: "inmemory" } },
      storage: {
        filesystem: { chunks_directory: `${dataPath}/chunks`, rules_directory: `${dataPath}/rules` },
      },
    },
    schema_config: {
      configs: [
        {
          from: "2026-01-01",
          store: "tsdb",
          object_store: "filesystem",
          schema: "v13",
          index: { prefix: "index_", period: "24h" },
        },
      ],
    },
    compactor: {
      working_directory: `${dataPath}/compactor`,
      retention_enabled: true,
      delete_request_store: "filesystem",
    },
    limits_config: {
      retention_period: retention,
      // Entries of the audit trail may arrive long after what they are about.
      reject_old_samples_max_age: retention,
      allow_structured_metadata: true,
      // The API server's record of a large object: what matters of it is in the line's metadata, too.
      max_line_size_truncate: true,
      max_label_names_per_series: 15,
    },
  });
}
