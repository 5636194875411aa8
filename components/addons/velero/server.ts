import { Deployment } from "@pulumi/kubernetes/apps/v1";
import { ConfigMap, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import type { VeleroSettings } from "../../config/velero";
import { imageReference, images, type ImageSource } from "../../images";
import { labels, selectorLabels } from "../../labels";
import { notScraped, scrapeAnnotations } from "../../monitoring/scraping";
import { containerSecurity, podSecurity, resourceRequirements, type PodSecurityArgs } from "../../security";
import { maintenanceIdentity, serverIdentity, veleroPort } from "./identities";
import { environment, scratchMounts, scratchVolumes } from "./pods";
import { clusterRules, Rights, serverRules } from "./rights";

export interface ServerArgs extends PodSecurityArgs {
  readonly settings: VeleroSettings;
  readonly images: ImageSource;
  readonly namespace: pulumi.Input<string>;
  readonly priorityClassName: pulumi.Input<string>;
}

/** A fixed name: Velero looks for its own Deployment, and policies make their exceptions for it. */
const serverName = "velero";
const pluginsMount = { name: "plugins", mountPath: "/plugins" };

/** Reads the cluster's objects when the schedule says so, and puts them into the bucket. */
export class Server extends pulumi.ComponentResource {
  constructor(name: string, args: ServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:addons:VeleroServer", name, {}, opts);
    const parent = { parent: this };
    const { namespace, settings } = args;
    const metadata = { namespace, labels: labels(serverIdentity, images.velero.version) };
    const selector = selectorLabels(serverIdentity);
    const account = new ServiceAccount(
      `${name}-account`,
      {
        metadata: {
          namespace,
          labels: labels(serverIdentity),
          name: serverName,
          annotations: settings.store.accountAnnotations,
        },
        // The Jobs that it makes do not ask for its token by themselves.
        automountServiceAccountToken: true,
      },
      parent,
    );
    const rights = new Rights(
      serverName,
      {
        identity: serverIdentity,
        namespace,
        serviceAccountName: account.metadata.name,
        own: serverRules,
        everywhere: clusterRules(settings.additionalApiGroups, settings.includeSecrets),
      },
      parent,
    );
    const maintenance = new ConfigMap(
      `${name}-maintenance`,
      {
        metadata: { namespace, labels: labels(serverIdentity) },
        immutable: true,
        data: { "maintenance.json": pulumi.jsonStringify({ global: maintenanceOf(args) }) },
      },
      parent,
    );
    new Deployment(
      `${name}-deployment`,
      {
        metadata: { ...metadata, name: serverName },
        spec: {
          replicas: 1,
          revisionHistoryLimit: 0,
          // Two of them would make every backup twice.
          strategy: { type: "Recreate" },
          selector: { matchLabels: selector },
          template: {
            metadata: { labels: metadata.labels, annotations: scrapeAnnotations(veleroPort) },
            spec: {
              serviceAccountName: account.metadata.name,
              automountServiceAccountToken: true,
              enableServiceLinks: false,
              priorityClassName: args.priorityClassName,
              securityContext: podSecurity(65532, args),
              terminationGracePeriodSeconds: 60,
              initContainers: [plugin(args)],
              containers: [container(args, maintenance.metadata.name)],
              volumes: [
                { name: pluginsMount.name, emptyDir: { sizeLimit: "256Mi" } },
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

/** Upstream's image of the plugin copies itself to where the server looks for it. */
function plugin({ images: source }: ServerArgs): input.core.v1.Container {
  return {
    name: "plugin-for-aws",
    image: imageReference("veleroPluginForAws", source),
    imagePullPolicy: "IfNotPresent",
    resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { cpu: "250m", memory: "128Mi" } },
    securityContext: containerSecurity,
    volumeMounts: [{ ...pluginsMount, mountPath: "/target" }],
  };
}

function container(args: ServerArgs, maintenance: pulumi.Input<string>): input.core.v1.Container {
  const probe = { httpGet: { path: "/metrics", port: "metrics" }, timeoutSeconds: 5 };
  return {
    name: serverName,
    image: imageReference("velero", args.images),
    imagePullPolicy: "IfNotPresent",
    command: ["/velero"],
    args: [
      "server",
      "--uploader-type=kopia",
      "--log-format=json",
      // It would answer anybody on the node's loopback.
      "--profiler-address=",
      pulumi.interpolate`--repo-maintenance-job-configmap=${maintenance}`,
    ],
    env: environment(args.settings.store),
    ports: [{ name: "metrics", containerPort: veleroPort }],
    readinessProbe: { ...probe, periodSeconds: 10, failureThreshold: 3 },
    livenessProbe: { ...probe, periodSeconds: 30, failureThreshold: 6 },
    resources: resourceRequirements(args.settings.resources),
    securityContext: containerSecurity,
    volumeMounts: [{ ...pluginsMount, readOnly: true }, ...scratchMounts],
  };
}

/** The Jobs that tidy up the store: the server's own Pod, but for this. */
function maintenanceOf({ settings, priorityClassName }: ServerArgs) {
  return {
    podResources: veleroResources(settings.nodeAgent.resources),
    priorityClassName,
    podLabels: labels(maintenanceIdentity),
    podAnnotations: notScraped,
    keepLatestMaintenanceJobs: 1,
  };
}

/** Resources as Velero's own settings have them. */
export function veleroResources({ requests, limits }: VeleroSettings["resources"]) {
  return {
    cpuRequest: requests.cpu,
    memoryRequest: requests.memory,
    cpuLimit: limits.cpu,
    memoryLimit: limits.memory,
  };
}
