import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Deployment } from "@pulumi/kubernetes/apps/v1";
import { ConfigMap, Service, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import type { FalcoSettings } from "../../config/falco";
import { imageReference, images, type ImageSource } from "../../images";
import { labels, selectorLabels, type Identity } from "../../labels";
import { scrapeAnnotations } from "../../monitoring/scraping";
import {
  containerSecurity,
  podSecurity,
  type PodSecurityArgs,
  resourceRequirements,
  topologySpread,
} from "../../security";
import { receiverPort } from "./configuration";
import { rules } from "./rules";
import type { EventTargets } from "./targets";

export const receiverIdentity: Identity = { name: "falco", component: "event-receiver" };

export interface ReceiverArgs extends PodSecurityArgs {
  readonly settings: FalcoSettings["receiver"];
  readonly images: ImageSource;
  readonly namespace: pulumi.Input<string>;
  readonly priorityClassName: pulumi.Input<string>;
  /** Name of the environment, for people. */
  readonly environment: string;
  readonly targets: EventTargets;
}

const scriptPath = "/etc/falco-receiver";
const textsFile = "rules.json";

/**
 * Takes Falco's events to Alertmanager and Loki: hides secrets in them, keeps them until they are taken, and gives
 * alerts the few labels that they are told apart by. Falcosidekick, the usual one, sends an event once and makes a
 * label of every field; it is in no package registry either.
 */
export class Receiver extends pulumi.ComponentResource {
  constructor(name: string, args: ReceiverArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:addons:FalcoReceiver", name, {}, opts);
    const parent = { parent: this };
    const { namespace, settings } = args;
    const metadata = { namespace, labels: labels(receiverIdentity, images.python.version) };
    const selector = selectorLabels(receiverIdentity);
    const account = new ServiceAccount(
      `${name}-account`,
      { metadata: { namespace, labels: labels(receiverIdentity) }, automountServiceAccountToken: false },
      parent,
    );
    const script = new ConfigMap(
      `${name}-script`,
      {
        metadata: { namespace, labels: labels(receiverIdentity) },
        immutable: true,
        data: { ...scripts(join(__dirname, "receiver")), [textsFile]: JSON.stringify(texts(), null, 1) },
      },
      parent,
    );
    new Deployment(
      `${name}-deployment`,
      {
        metadata,
        spec: {
          replicas: settings.replicas,
          revisionHistoryLimit: 0,
          selector: { matchLabels: selector },
          strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
          template: {
            metadata: { labels: metadata.labels, annotations: scrapeAnnotations(receiverPort) },
            spec: {
              serviceAccountName: account.metadata.name,
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              priorityClassName: args.priorityClassName,
              securityContext: podSecurity(65532, args),
              // It delivers what it still has.
              terminationGracePeriodSeconds: 30,
              topologySpreadConstraints: topologySpread({ nodes: "preferred", zones: "none" }, selector),
              containers: [container(args)],
              volumes: [{ name: "script", configMap: { name: script.metadata.name } }],
            },
          },
        },
      },
      parent,
    );
    new Service(
      `${name}-service`,
      {
        metadata: { ...metadata, name },
        spec: { selector, ports: [{ name: "http", port: receiverPort, targetPort: "http" }] },
      },
      parent,
    );
    if (settings.replicas > 1) {
      new PodDisruptionBudget(
        `${name}-budget`,
        { metadata, spec: { maxUnavailable: 1, selector: { matchLabels: selector } } },
        parent,
      );
    }
    this.registerOutputs();
  }
}

function container(args: ReceiverArgs): input.core.v1.Container {
  const { alertmanager, loki } = args.targets;
  const probe = { httpGet: { path: "/healthz", port: "http" }, timeoutSeconds: 3 };
  const known = (name: string, value: string | undefined) => (value === undefined ? [] : [{ name, value }]);
  return {
    name: "receiver",
    image: imageReference("python", args.images),
    imagePullPolicy: "IfNotPresent",
    command: ["python3", scriptPath],
    env: [
      { name: "PYTHONDONTWRITEBYTECODE", value: "1" },
      { name: "PORT", value: String(receiverPort) },
      { name: "TEXTS", value: `${scriptPath}/${textsFile}` },
      { name: "ENVIRONMENT", value: args.environment },
      ...known("ALERTMANAGER", alertmanager),
      ...known("LOKI", loki),
    ],
    ports: [{ name: "http", containerPort: receiverPort }],
    readinessProbe: { ...probe, periodSeconds: 5, failureThreshold: 3 },
    livenessProbe: { ...probe, periodSeconds: 20, failureThreshold: 6 },
    resources: resourceRequirements(args.settings.resources),
    securityContext: containerSecurity,
    volumeMounts: [{ name: "script", mountPath: scriptPath, readOnly: true }],
  };
}

/** What alerts say about each rule. */
function texts(): Record<string, { summary: string; action: string }> {
  return Object.fromEntries(
    rules.map(({ rule, description, action }) => [rule, { summary: description, action }]),
  );
}

function scripts(folder: string): Record<string, string> {
  const names = readdirSync(folder).filter((name) => name.endsWith(".py"));
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}
