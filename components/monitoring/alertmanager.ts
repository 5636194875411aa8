import { ConfigMap, Secret, Service, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import { alertmanager } from "../cluster/wellKnown";
import type { AlertmanagerSettings } from "../config/monitoring";
import { imageReference, images, type ImageSource } from "../images";
import { labels, selectorLabels } from "../labels";
import { containerSecurity, type PodSecurityArgs, resourceRequirements, topologySpread } from "../security";
import { volumeServer } from "../volumeServer";
import { alertmanagerConfiguration, secretPath } from "./receivers";
import { scrapeAnnotations } from "./scraping";

/** Where its replicas tell each other what they have sent. */
export const gossipPort = 9094;

export interface AlertmanagerArgs extends PodSecurityArgs {
  readonly settings: AlertmanagerSettings;
  /** What tells each receiver, by its name. */
  readonly secrets: Readonly<Record<string, pulumi.Input<string>>>;
  readonly images: ImageSource;
  readonly namespace: pulumi.Input<string>;
  readonly priorityClassName: pulumi.Input<string>;
}

const user = 65534;
const spread = { nodes: "preferred", zones: "preferred" } as const;
const dataPath = "/alertmanager";
const configurationPath = "/etc/alertmanager";

/** Alertmanager: tells people what Prometheus and others find wrong, grouped, and once. */
export class Alertmanager extends pulumi.ComponentResource {
  constructor(name: string, args: AlertmanagerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:monitoring:Alertmanager", name, {}, opts);
    const parent = { parent: this };
    const { namespace, settings } = args;
    const { identity, port } = alertmanager;
    const metadata = { namespace, labels: labels(identity, images.alertmanager.version) };
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
        data: { "alertmanager.yml": alertmanagerConfiguration(settings, Object.keys(args.secrets)) },
      },
      parent,
    );
    const secret = new Secret(
      `${name}-receivers`,
      { metadata: { namespace, labels: labels(identity) }, immutable: true, stringData: { ...args.secrets } },
      parent,
    );
    const service = new Service(
      `${name}-service`,
      {
        metadata: { ...metadata, name },
        spec: {
          // Without an address of its own: Prometheus tells every replica, and they find each other by it.
          clusterIP: "None",
          publishNotReadyAddresses: true,
          selector,
          ports: [
            { name: "http", port, targetPort: "http" },
            { name: "gossip", port: gossipPort, targetPort: "gossip" },
          ],
        },
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
        replicas: settings.replicas,
        user,
        appArmor: args.appArmor,
        podAnnotations: scrapeAnnotations(port),
        pod: {
          serviceAccountName: account.metadata.name,
          automountServiceAccountToken: false,
          priorityClassName: args.priorityClassName,
          ...(settings.replicas > 1
            ? { topologySpreadConstraints: topologySpread(spread, selector, "controller-revision-hash") }
            : {}),
          containers: [container(name, args)],
          volumes: [
            { name: "configuration", configMap: { name: configuration.metadata.name } },
            { name: "secrets", secret: { secretName: secret.metadata.name, defaultMode: 0o440 } },
          ],
        },
        // Silences; what is wrong is told again.
        backup: "rebuilt",
        volume: settings,
      },
      parent,
    );
    if (settings.replicas > 1) {
      new PodDisruptionBudget(
        `${name}-budget`,
        {
          metadata: { namespace, labels: labels(identity) },
          spec: { maxUnavailable: 1, selector: { matchLabels: selector } },
        },
        parent,
      );
    }
    this.registerOutputs();
  }
}

function container(name: string, { settings, images: source, namespace }: AlertmanagerArgs) {
  const { port } = alertmanager;
  const probe = (path: string) => ({ httpGet: { path, port: "http" }, timeoutSeconds: 5 });
  const peers = Array.from(
    { length: settings.replicas },
    (_, index) => pulumi.interpolate`--cluster.peer=${name}-${index}.${name}.${namespace}.svc:${gossipPort}`,
  );
  const result: input.core.v1.Container = {
    name: "alertmanager",
    image: imageReference("alertmanager", source),
    imagePullPolicy: "IfNotPresent",
    args: [
      `--config.file=${configurationPath}/alertmanager.yml`,
      `--storage.path=${dataPath}`,
      "--log.format=json",
      ...(settings.replicas > 1 ? peers : ["--cluster.listen-address="]),
    ],
    ports: [
      { name: "http", containerPort: port },
      { name: "gossip", containerPort: gossipPort },
      { name: "gossip-udp", containerPort: gossipPort, protocol: "UDP" },
    ],
    readinessProbe: { ...probe("/-/ready"), periodSeconds: 5 },
    livenessProbe: { ...probe("/-/healthy"), periodSeconds: 20, failureThreshold: 6 },
    resources: resourceRequirements(settings.resources),
    securityContext: containerSecurity,
    volumeMounts: [
      { name: "data", mountPath: dataPath },
      { name: "configuration", mountPath: configurationPath, readOnly: true },
      { name: "secrets", mountPath: secretPath, readOnly: true },
    ],
  };
  return result;
}
