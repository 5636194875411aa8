import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigMap, PersistentVolumeClaim, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import type { SnapshotSettings, StoredSnapshots } from "../config/migration";
import { imageReference, type ImageSource } from "../images";
import { labels, type Identity } from "../labels";
import { containerSecurity, temporaryMount } from "../security";
import { commandContainer, type PodArgs } from "./workload";

export interface SnapshotsArgs {
  /** The Jobs that take them. */
  readonly identity: Identity;
  readonly settings: SnapshotSettings;
  readonly namespace: pulumi.Input<string>;
  /** Where PostgreSQL's own programs come from. */
  readonly images: ImageSource;
}

const planMount = { name: "snapshot-plan", mountPath: "/run/snapshot-plan" };
const folderMount = { name: "snapshots", mountPath: "/snapshots" };
const scriptsMount = { name: "snapshot-scripts", mountPath: "/etc/snapshot/scripts", readOnly: true };
const credentialsMount = {
  name: "snapshot-credentials",
  mountPath: "/etc/snapshot/credentials",
  readOnly: true,
};
const scripts = ["snapshot.sh", "restore.sh"] as const;

/**
 * What a Job needs to keep the database as it is before it changes the schema. The service decides whether there is
 * anything to keep and writes down how to connect, PostgreSQL's own programs write the snapshot and read it back, and
 * the service stores it elsewhere where the settings say so. Each step has to succeed before the schema is touched.
 */
export class Snapshots extends pulumi.ComponentResource {
  /** Account of the Jobs where a cloud has to know them by one; the application's otherwise. */
  readonly serviceAccountName: pulumi.Output<string> | undefined;
  private readonly settings: StoredSnapshots | undefined;
  private readonly images: ImageSource;
  private readonly scriptsName: pulumi.Output<string> | undefined;
  private readonly claimName: pulumi.Output<string> | undefined;

  constructor(name: string, args: SnapshotsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:delivery:Snapshots", name, {}, opts);
    const parent = { parent: this };
    const { settings, namespace } = args;
    const metadata = { namespace, labels: labels(args.identity) };
    this.images = args.images;
    this.settings = settings.type === "none" ? undefined : settings;
    if (settings.type !== "none") {
      const data = Object.fromEntries(
        scripts.map((script) => [script, readFileSync(join(__dirname, script), "utf8")]),
      );
      this.scriptsName = new ConfigMap(
        `${name}-scripts`,
        { metadata, immutable: true, data },
        parent,
      ).metadata.name;
    }
    if (settings.type === "volume") {
      this.claimName = new PersistentVolumeClaim(
        `${name}-volume`,
        {
          // A fixed name: whoever restores a snapshot has to find it.
          metadata: { ...metadata, name: `${args.identity.name}-snapshots` },
          spec: {
            accessModes: ["ReadWriteOnce"],
            storageClassName: settings.storageClassName,
            resources: { requests: { storage: settings.storage } },
          },
        },
        parent,
      ).metadata.name;
    }
    if (settings.type === "s3" && settings.accountAnnotations !== undefined) {
      this.serviceAccountName = new ServiceAccount(
        `${name}-account`,
        {
          // A fixed name: the cloud's side of the identity refers to it.
          metadata: {
            ...metadata,
            name: `${args.identity.name}-${args.identity.component}`,
            annotations: settings.accountAnnotations,
          },
          automountServiceAccountToken: false,
        },
        parent,
      ).metadata.name;
    }
    this.registerOutputs({ claimName: this.claimName });
  }

  /**
   * What comes before the Job's own command.
   * @param check the command that tells what would be done, and refuses what must not be
   */
  steps(pod: PodArgs, check: readonly string[], mounts: readonly input.core.v1.VolumeMount[] = []) {
    const { settings } = this;
    if (settings === undefined) {
      return [commandContainer(pod, "check", { command: [...check, "--check"], mounts })];
    }
    const plan = ["--check", "--snapshot-plan", planMount.mountPath, "--snapshot-when", settings.when];
    const steps = [
      commandContainer(pod, "check", { command: [...check, ...plan], mounts: [...mounts, planMount] }),
      this.dump(settings),
    ];
    if (settings.type !== "s3") return steps;
    const credentials = settings.existingSecret === undefined ? [] : [credentialsMount];
    const upload = commandContainer(pod, "store", {
      command: uploadCommand(settings),
      mounts: [{ ...folderMount, readOnly: true }, ...credentials],
    });
    return [...steps, upload];
  }

  /** The volumes of those steps. */
  volumes(): input.core.v1.Volume[] {
    const { settings } = this;
    if (settings === undefined || this.scriptsName === undefined) return [];
    const folder: Omit<input.core.v1.Volume, "name"> =
      settings.type === "s3"
        ? { emptyDir: { sizeLimit: settings.temporaryStorage } }
        : { persistentVolumeClaim: { claimName: this.claimName ?? "" } };
    const secret = settings.type === "s3" ? settings.existingSecret : undefined;
    return [
      // In memory: the database's password is in it.
      { name: planMount.name, emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
      { name: folderMount.name, ...folder },
      { name: scriptsMount.name, configMap: { name: this.scriptsName } },
      ...(secret === undefined
        ? []
        : [{ name: credentialsMount.name, secret: { secretName: secret, defaultMode: 0o440 } }]),
    ];
  }

  private dump(settings: StoredSnapshots): input.core.v1.Container {
    // A store elsewhere keeps its own number.
    const retain = settings.type === "volume" ? settings.retain : 0;
    const script = `${scriptsMount.mountPath}/snapshot.sh`;
    return {
      name: "dump",
      image: imageReference("postgres", this.images),
      imagePullPolicy: "IfNotPresent",
      command: ["sh", script, planMount.mountPath, folderMount.mountPath, String(retain)],
      terminationMessagePolicy: "FallbackToLogsOnError",
      resources: {
        requests: { cpu: "50m", memory: "64Mi" },
        limits: { cpu: "1", memory: "256Mi" },
      },
      securityContext: containerSecurity,
      volumeMounts: [temporaryMount, planMount, folderMount, scriptsMount],
    };
  }
}

/** Port that the store is reached at. */
export function storePort({ endpoint }: Extract<SnapshotSettings, { type: "s3" }>): number {
  const { protocol, port } = new URL(endpoint ?? "https://s3.amazonaws.com");
  return port === "" ? (protocol === "http:" ? 80 : 443) : Number(port);
}

function uploadCommand(settings: Extract<SnapshotSettings, { type: "s3" }>): string[] {
  const { bucket, prefix, region, endpoint, existingSecret, retain } = settings;
  return [
    ...["inventory", "snapshot", "upload", "--folder", folderMount.mountPath, "--bucket", bucket],
    ...["--region", region, "--retain", String(retain)],
    ...(prefix === undefined ? [] : ["--prefix", prefix]),
    ...(endpoint === undefined ? [] : ["--endpoint", endpoint]),
    ...(existingSecret === undefined ? [] : ["--credentials", credentialsMount.mountPath]),
  ];
}
