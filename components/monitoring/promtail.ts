import { DaemonSet } from "@pulumi/kubernetes/apps/v1";
import { ConfigMap, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import { promtailIdentity } from "../cluster/wellKnown";
import type { LogsSettings } from "../config/monitoring";
import { imageReference, images, type ImageSource } from "../images";
import { labels, selectorLabels } from "../labels";
import {
  appArmorProfile,
  containerSecurity,
  type PodSecurityArgs,
  resourceRequirements,
  temporaryMount,
  temporaryVolume,
} from "../security";
import { auditPath, podLogPath, positionsPath, promtailConfiguration, promtailPort } from "./collecting";
import { scrapeAnnotations } from "./scraping";

export interface PromtailArgs extends PodSecurityArgs {
  readonly settings: LogsSettings;
  readonly images: ImageSource;
  /** Namespace whose Pods may look into their nodes. */
  readonly namespace: pulumi.Input<string>;
  readonly priorityClassName: pulumi.Input<string>;
}

const configurationPath = "/etc/promtail";

/** Promtail: on each node it reads the logs of the Pods there, and the API server's audit log where there is one. */
export class Promtail extends pulumi.ComponentResource {
  constructor(name: string, args: PromtailArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:monitoring:Promtail", name, {}, opts);
    const parent = { parent: this };
    const { namespace, settings } = args;
    const metadata = { namespace, labels: labels(promtailIdentity, images.promtail.version) };
    const selector = selectorLabels(promtailIdentity);
    const account = new ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      parent,
    );
    const configuration = new ConfigMap(
      `${name}-configuration`,
      {
        metadata: { namespace, labels: labels(promtailIdentity) },
        immutable: true,
        data: { "promtail.yml": promtailConfiguration(settings.auditLogFolder !== undefined) },
      },
      parent,
    );
    new DaemonSet(
      `${name}-collector`,
      {
        // A fixed name: exceptions from the policies refer to it.
        metadata: { ...metadata, name },
        spec: {
          selector: { matchLabels: selector },
          revisionHistoryLimit: 2,
          updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "10%" } },
          template: {
            metadata: { labels: metadata.labels, annotations: scrapeAnnotations(promtailPort) },
            spec: {
              serviceAccountName: account.metadata.name,
              // The logs' paths say whose they are: nothing has to be asked of the API server.
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              priorityClassName: args.priorityClassName,
              // Also where nothing else runs.
              tolerations: [{ operator: "Exists", effect: "NoSchedule" }],
              // Logs belong to root; it may read them, and do nothing else that root can.
              securityContext: {
                runAsUser: 0,
                runAsGroup: 0,
                seccompProfile: { type: "RuntimeDefault" },
                ...appArmorProfile(args),
              },
              containers: [container(args)],
              volumes: [
                temporaryVolume("16Mi"),
                { name: "configuration", configMap: { name: configuration.metadata.name } },
                { name: "pod-logs", hostPath: { path: podLogPath, type: "Directory" } },
                // A successor reads again what is still there; Loki knows it by its time and text.
                { name: "positions", emptyDir: { sizeLimit: "16Mi" } },
                ...(settings.auditLogFolder === undefined
                  ? []
                  : // Only nodes with an API server have one already.
                    [
                      {
                        name: "audit",
                        hostPath: { path: settings.auditLogFolder, type: "DirectoryOrCreate" },
                      },
                    ]),
              ],
            },
          },
        },
      },
      parent,
    );
    this.registerOutputs();
  }
}

function container({ settings, images: source }: PromtailArgs): input.core.v1.Container {
  const audit =
    settings.auditLogFolder === undefined ? [] : [{ name: "audit", mountPath: auditPath, readOnly: true }];
  return {
    name: "promtail",
    image: imageReference("promtail", source),
    imagePullPolicy: "IfNotPresent",
    args: [`-config.file=${configurationPath}/promtail.yml`],
    ports: [{ name: "http", containerPort: promtailPort }],
    readinessProbe: { httpGet: { path: "/ready", port: "http" }, periodSeconds: 10, timeoutSeconds: 5 },
    livenessProbe: { tcpSocket: { port: "http" }, periodSeconds: 30, failureThreshold: 6 },
    resources: resourceRequirements(settings.collector.resources),
    securityContext: { ...containerSecurity, runAsNonRoot: false },
    volumeMounts: [
      temporaryMount,
      { name: "configuration", mountPath: configurationPath, readOnly: true },
      { name: "pod-logs", mountPath: podLogPath, readOnly: true },
      { name: "positions", mountPath: positionsPath },
      ...audit,
    ],
  };
}
