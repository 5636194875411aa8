import { DaemonSet } from "@pulumi/kubernetes/apps/v1";
import { ConfigMap, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import { imageReference, images } from "../../images";
import { labels, selectorLabels } from "../../labels";
import { notScraped, scrapeAnnotations } from "../../monitoring/scraping";
import { appArmorProfile, containerSecurity, resourceRequirements } from "../../security";
import { moverIdentity, nodeAgentIdentity, veleroPort } from "./identities";
import { environment, scratchMounts, scratchVolumes } from "./pods";
import { nodeAgentRules, Rights, volumeRules } from "./rights";
import { veleroResources, type ServerArgs } from "./server";

/** A fixed name: Velero looks for the DaemonSet, and policies make their exceptions for it. */
const agentName = "node-agent";

/**
 * Copies the files of volumes: on every node an agent that finds them, and for each volume a Pod that the agent makes
 * and that reads it as root. The agent itself can write to nothing of its node and has no capability.
 */
export class NodeAgent extends pulumi.ComponentResource {
  constructor(name: string, args: ServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:addons:VeleroNodeAgent", name, {}, opts);
    const parent = { parent: this };
    const { namespace, settings } = args;
    const metadata = { namespace, labels: labels(nodeAgentIdentity, images.velero.version) };
    const selector = selectorLabels(nodeAgentIdentity);
    const account = new ServiceAccount(
      `${name}-account`,
      {
        metadata: {
          namespace,
          labels: labels(nodeAgentIdentity),
          name: `velero-${agentName}`,
          annotations: settings.store.accountAnnotations,
        },
        // The Pods that it makes do not ask for its token by themselves.
        automountServiceAccountToken: true,
      },
      parent,
    );
    const rights = new Rights(
      `velero-${agentName}`,
      {
        identity: nodeAgentIdentity,
        namespace,
        serviceAccountName: account.metadata.name,
        own: nodeAgentRules,
        everywhere: volumeRules,
      },
      parent,
    );
    const movers = {
      podResources: veleroResources(settings.nodeAgent.resources),
      podLabels: labels(moverIdentity),
      podAnnotations: notScraped,
      priorityClassName: args.priorityClassName,
    };
    const configuration = new ConfigMap(
      `${name}-configuration`,
      {
        metadata: { namespace, labels: labels(nodeAgentIdentity) },
        immutable: true,
        data: { "node-agent.json": pulumi.jsonStringify(movers) },
      },
      parent,
    );
    new DaemonSet(
      `${name}-daemon`,
      {
        metadata: { ...metadata, name: agentName },
        spec: {
          selector: { matchLabels: selector },
          revisionHistoryLimit: 0,
          updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } },
          template: {
            metadata: {
              // By `role` Velero finds the agents.
              labels: { ...metadata.labels, role: agentName },
              annotations: scrapeAnnotations(veleroPort),
            },
            spec: {
              serviceAccountName: account.metadata.name,
              automountServiceAccountToken: true,
              enableServiceLinks: false,
              priorityClassName: args.priorityClassName,
              securityContext: appArmorProfile(args),
              terminationGracePeriodSeconds: 30,
              // Volumes are on nodes that are kept free for something, too.
              tolerations: [{ operator: "Exists" }],
              containers: [container(args, configuration.metadata.name)],
              volumes: [
                { name: podsMount.name, hostPath: { path: "/var/lib/kubelet/pods", type: "Directory" } },
                ...scratchVolumes("2Gi"),
              ],
            },
          },
        },
      },
      { ...parent, dependsOn: rights },
    );
    this.registerOutputs();
  }
}

/** Where the kubelet mounts the volumes of Pods; name and path are Velero's. */
const podsMount = { name: "host-pods", mountPath: "/host_pods", readOnly: true };

function container(args: ServerArgs, configuration: pulumi.Input<string>): input.core.v1.Container {
  const probe = { httpGet: { path: "/metrics", port: "metrics" }, timeoutSeconds: 5 };
  return {
    name: agentName,
    image: imageReference("velero", args.images),
    imagePullPolicy: "IfNotPresent",
    command: ["/velero"],
    args: [
      ...["node-agent", "server", "--log-format=json"],
      pulumi.interpolate`--node-agent-configmap=${configuration}`,
    ],
    env: [
      { name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } },
      ...environment(args.settings.store),
    ],
    ports: [{ name: "metrics", containerPort: veleroPort }],
    readinessProbe: { ...probe, periodSeconds: 10, failureThreshold: 3 },
    livenessProbe: { ...probe, periodSeconds: 30, failureThreshold: 6 },
    // It finds volumes, and leaves copying to others.
    resources: resourceRequirements({
      requests: { cpu: "20m", memory: "64Mi" },
      limits: { cpu: "500m", memory: "256Mi" },
    }),
    // The folders belong to root, which without capabilities is their owner and no more.
    securityContext: { ...containerSecurity, runAsUser: 0, runAsNonRoot: false },
    volumeMounts: [{ ...podsMount, mountPropagation: "HostToContainer" }, ...scratchMounts],
  };
}
