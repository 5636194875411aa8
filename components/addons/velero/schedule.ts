import { CustomResource } from "@pulumi/kubernetes/apiextensions";
import { ConfigMap } from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import type { VeleroSettings } from "../../config/velero";
import { labels } from "../../labels";
import { serverIdentity } from "./identities";

export interface BackupScheduleArgs {
  readonly settings: VeleroSettings;
  readonly namespace: pulumi.Input<string>;
}

const apiVersion = "velero.io/v1";
/** The one place, which Velero takes when nobody names another. */
const locationName = "default";

/** What is in no backup: what the cluster makes anew by itself. */
const passing = [
  ...["events", "events.events.k8s.io", "endpoints", "endpointslices.discovery.k8s.io"],
  ...["leases.coordination.k8s.io", "csinodes.storage.k8s.io", "volumeattachments.storage.k8s.io"],
];

/** Where backups go, how often one is made, and what is in it. */
export class BackupSchedule extends pulumi.ComponentResource {
  constructor(name: string, args: BackupScheduleArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:addons:VeleroSchedule", name, {}, opts);
    const parent = { parent: this };
    const { namespace, settings } = args;
    const { store, nodeAgent, retentionDays, includeSecrets } = settings;
    const metadata = { namespace, labels: labels(serverIdentity) };
    const location = new CustomResource(
      `${name}-location`,
      {
        apiVersion,
        kind: "BackupStorageLocation",
        metadata: { ...metadata, name: locationName },
        spec: {
          provider: "velero.io/aws",
          default: true,
          objectStorage: { bucket: store.bucket, ...(store.prefix ? { prefix: store.prefix } : {}) },
          config: { region: store.region, ...elsewhere(store.endpoint) },
        },
      },
      parent,
    );
    const volumes = new ConfigMap(
      `${name}-volumes`,
      { metadata, immutable: true, data: { "volumes.yaml": JSON.stringify(volumePolicies, null, 1) } },
      parent,
    );
    new CustomResource(
      `${name}-schedule`,
      {
        apiVersion,
        kind: "Schedule",
        metadata: { ...metadata, name: "cluster" },
        spec: {
          schedule: settings.schedule,
          template: {
            ttl: `${retentionDays * 24}h0m0s`,
            storageLocation: locationName,
            includedNamespaces: ["*"],
            includeClusterResources: true,
            excludedResources: [...passing, ...(includeSecrets ? [] : ["secrets"])],
            snapshotVolumes: false,
            defaultVolumesToFsBackup: nodeAgent.enabled,
            resourcePolicy: { kind: "configmap", name: volumes.metadata.name },
          },
        },
      },
      { ...parent, dependsOn: location },
    );
    this.registerOutputs();
  }
}

/** Volumes that are not copied; the first that fits decides. */
const volumePolicies = {
  version: "v1",
  volumePolicies: [
    // Files of a running database, copied one after the other, are no database: it has backups of its own.
    { conditions: { pvcLabels: { "app.kubernetes.io/component": "database" } }, action: { type: "skip" } },
    // Gone with their Pod anyway.
    { conditions: { volumeTypes: ["emptyDir"] }, action: { type: "skip" } },
  ],
};

/** A store that is not Amazon's: by path, and without the checksums that Amazon's alone takes. */
function elsewhere(endpoint: string | undefined): Record<string, string> {
  return endpoint === undefined ? {} : { s3Url: endpoint, s3ForcePathStyle: "true", checksumAlgorithm: "" };
}
