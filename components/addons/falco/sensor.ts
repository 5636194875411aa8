import { DaemonSet } from "@pulumi/kubernetes/apps/v1";
import { ConfigMap, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import type { FalcoSettings } from "../../config/falco";
import { imageReference, images, type ImageSource } from "../../images";
import { labels, selectorLabels, type Identity } from "../../labels";
import { scrapeAnnotations } from "../../monitoring/scraping";
import { resourceRequirements, temporaryMount, temporaryVolume } from "../../security";
import { configurationPath, falcoConfiguration, hostRoot, sensorPort } from "./configuration";
import type { RulesEntry } from "./rules/rulesFile";

export const sensorIdentity: Identity = { name: "falco", component: "runtime-sensor" };

export interface SensorArgs {
  readonly settings: FalcoSettings;
  readonly images: ImageSource;
  readonly namespace: pulumi.Input<string>;
  readonly priorityClassName: pulumi.Input<string>;
  readonly rules: readonly RulesEntry[];
  /** Address that events are sent to. */
  readonly receiver: string;
}

/**
 * Falco on every node, with what its modern eBPF driver needs: four capabilities in place of a privileged container,
 * and of the node's files its processes, the kernel's, its users and the runtime's socket, which names containers.
 */
export class Sensor extends pulumi.ComponentResource {
  constructor(name: string, args: SensorArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:addons:FalcoSensor", name, {}, opts);
    const parent = { parent: this };
    const { namespace, settings } = args;
    const metadata = { namespace, labels: labels(sensorIdentity, images.falco.version) };
    const selector = selectorLabels(sensorIdentity);
    const account = new ServiceAccount(
      `${name}-account`,
      { metadata: { namespace, labels: labels(sensorIdentity) }, automountServiceAccountToken: false },
      parent,
    );
    const configuration = new ConfigMap(
      `${name}-configuration`,
      {
        metadata: { namespace, labels: labels(sensorIdentity) },
        immutable: true,
        data: {
          "falco.yaml": falcoConfiguration(settings, args.receiver),
          // JSON is YAML.
          "rules.yaml": JSON.stringify(args.rules, null, 1),
        },
      },
      parent,
    );
    new DaemonSet(
      `${name}-daemon`,
      {
        // A fixed name: the policies' exceptions are for it.
        metadata: { ...metadata, name: sensorIdentity.name },
        spec: {
          selector: { matchLabels: selector },
          revisionHistoryLimit: 0,
          updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } },
          template: {
            metadata: {
              labels: metadata.labels,
              annotations: scrapeAnnotations(sensorPort),
            },
            spec: {
              serviceAccountName: account.metadata.name,
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              priorityClassName: args.priorityClassName,
              terminationGracePeriodSeconds: 30,
              // No node may be without it, whatever it is kept free for.
              tolerations: [{ operator: "Exists" }],
              containers: [container(args)],
              volumes: volumes(args, configuration.metadata.name),
            },
          },
        },
      },
      parent,
    );
    this.registerOutputs();
  }
}

/** Falco's own list for its modern eBPF driver: https://falco.org/docs/setup/container/ */
const capabilities = ["BPF", "PERFMON", "SYS_PTRACE", "SYS_RESOURCE"];

function container({ settings, images: source }: SensorArgs): input.core.v1.Container {
  const { runtimeSocket, resources } = settings.sensor;
  const probe = { httpGet: { path: "/healthz", port: "http" }, timeoutSeconds: 5 };
  const readOnly = (name: string, mountPath: string) => ({ name, mountPath, readOnly: true });
  return {
    name: "falco",
    image: imageReference("falco", source),
    imagePullPolicy: "IfNotPresent",
    command: ["/usr/bin/falco"],
    env: [
      { name: "HOST_ROOT", value: hostRoot },
      // Every event names its node.
      { name: "FALCO_HOSTNAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
    ],
    ports: [{ name: "http", containerPort: sensorPort }],
    // It reads all processes of the node before it answers.
    startupProbe: { ...probe, periodSeconds: 3, failureThreshold: 60 },
    readinessProbe: { ...probe, periodSeconds: 15, failureThreshold: 3 },
    livenessProbe: { ...probe, periodSeconds: 15, failureThreshold: 4 },
    resources: resourceRequirements(resources),
    securityContext: {
      runAsUser: 0,
      runAsNonRoot: false,
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"], add: [...capabilities] },
      // Both would keep it from what it is there for: older runtimes' profiles know nothing of the capability BPF.
      seccompProfile: { type: "Unconfined" },
      appArmorProfile: { type: "Unconfined" },
    },
    volumeMounts: [
      temporaryMount,
      readOnly("configuration", configurationPath),
      readOnly("proc", `${hostRoot}/proc`),
      readOnly("kernel", "/sys/kernel"),
      readOnly("users", `${hostRoot}/etc/passwd`),
      readOnly("groups", `${hostRoot}/etc/group`),
      readOnly("runtime", `${hostRoot}${runtimeSocket}`),
    ],
  };
}

function volumes({ settings }: SensorArgs, configuration: pulumi.Input<string>): input.core.v1.Volume[] {
  const host = (name: string, path: string, type: string) => ({ name, hostPath: { path, type } });
  return [
    temporaryVolume("16Mi"),
    { name: "configuration", configMap: { name: configuration } },
    host("proc", "/proc", "Directory"),
    host("kernel", "/sys/kernel", "Directory"),
    host("users", "/etc/passwd", "File"),
    host("groups", "/etc/group", "File"),
    host("runtime", settings.sensor.runtimeSocket, "Socket"),
  ];
}
