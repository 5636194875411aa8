import { Secret } from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword";
import { labels, platformLabels } from "../../labels";
import { UpstreamManifest, type ManifestObject } from "../../manifest";
import { serverIdentity } from "./identities";
import { NodeAgent } from "./nodeAgent";
import { BackupSchedule } from "./schedule";
import { Server, type ServerArgs } from "./server";

export type VeleroArgs = ServerArgs;

/**
 * Keeps the objects and volumes of the whole cluster in a bucket. Upstream makes it an administrator of the cluster;
 * here it reads what it keeps and writes its own objects. Whoever restores gives it the right to, for as long as that
 * takes.
 */
export class Velero extends pulumi.ComponentResource {
  /** CRDs of its kinds. */
  readonly definitions: readonly pulumi.Resource[];

  constructor(name: string, args: VeleroArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:addons:Velero", name, {}, opts);
    const parent = { parent: this };
    const { namespace, settings } = args;
    const manifest = new UpstreamManifest(
      `${name}-definitions`,
      { manifest: "velero", patches: [withPlatformLabels] },
      parent,
    );
    this.definitions = manifest.definitions;
    const password = new RandomPassword(`${name}-store-key`, { length: 64, special: false }, parent);
    const key = new Secret(
      `${name}-store-key`,
      {
        // Upstream's name: where there is none of it, copies of volumes are encrypted with a word that everybody knows.
        metadata: { namespace, labels: labels(serverIdentity), name: "velero-repo-credentials" },
        stringData: { "repository-password": password.result },
      },
      parent,
    );
    const after = { ...parent, dependsOn: [manifest, key] };
    const server = new Server(`${name}-server`, args, after);
    if (settings.nodeAgent.enabled) new NodeAgent(`${name}-node-agent`, args, after);
    new BackupSchedule(`${name}-schedule`, args, { ...parent, dependsOn: [manifest, server] });
    this.registerOutputs();
  }
}

function withPlatformLabels(object: ManifestObject): ManifestObject {
  const { labels: upstream = {} } = object.metadata as { labels?: Record<string, string> };
  return { ...object, metadata: { ...object.metadata, labels: { ...upstream, ...platformLabels } } };
}
