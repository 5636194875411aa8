import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigMap, PersistentVolumeClaim, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import type { SnapshotSettings, StoredSnapshots } from "../config/migration";
import { imageReference, type ImageSource } from "../images";
import { labels, type Identity } from "../labels";
import { containerSecurity, temporaryMount } from "../security";
import { folderMount, StoreAccess } from "./store";
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
const scriptsMount = { name: "snapshot-scripts", mountPath: "/etc/snapshot/scripts", readOnly: true };
const scripts = ["snapshot.sh", "restore.sh"] as const;

/**
 * What a Job needs to keep the database as it is before it changes the schema. The service decides whether there is
 * anything to keep and writes down how to connect, PostgreSQL's own programs write the snapshot and read it back, and
 * the service stores it elsewhere where the settings say so. Each step has to succeed before the schema is touched.
 */
export class Snapshots extends pulumi.ComponentResource {
  /** Account of the Jobs: their own, so that a cloud that lets it store snapshots lets nothing else do so. */
  readonly serviceAccountName: pulumi.Output<string>;
  private readonly settings: StoredSnapshots | undefined;
  private readonly access: StoreAccess | undefined;
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
    this.access = settings.type === "s3" ? new StoreAccess(settings, "snapshot") : undefined;
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
          metadata: {
            ...metadata,
            name: `${args.identity.name}-snapshots`,
            // The next migration makes the next one.
            annotations: { "technova.io/backup": "rebuilt" },
          },
          spec: {
            accessModes: ["ReadWriteOnce"],
            storageClassName: settings.storageClassName,
            resources: { requests: { storage: settings.storage } },
          },
        },
        parent,
      ).metadata.name;
    }
    const annotations = settings.type === "s3" ? settings.accountAnnotations : undefined;
    // A fixed name where the cloud's side of the identity refers to it.
    const known =
      annotations === undefined
        ? {}
        : { name: `${args.identity.name}-${args.identity.component}`, annotations };
    this.serviceAccountName = new ServiceAccount(
      `${name}-account`,
      { metadata: { ...metadata, ...known }, automountServiceAccountToken: false },
      parent,
    ).metadata.name;
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
      // A store elsewhere keeps its own number.
      this.run("dump", "snapshot.sh", [
        ...[planMount.mountPath, folderMount.mountPath],
        String(settings.type === "volume" ? settings.retain : 0),
      ]),
    ];
    if (this.access === undefined) return steps;
    const upload = commandContainer(pod, "store", {
      command: [...storeCommand("upload", this.access), "--retain", String(settings.retain)],
      mounts: [{ ...folderMount, readOnly: true }, ...this.access.mounts],
      secretless: true,
    });
    return [...steps, upload];
  }

  /**
   * What brings a snapshot back.
   * @param configMapName ConfigMap whose key `snapshot` names it
   */
  restoreSteps(pod: PodArgs, configMapName: string) {
    const env = [
      { name: "SNAPSHOT", valueFrom: { configMapKeyRef: { name: configMapName, key: "snapshot" } } },
    ];
    const command = ["inventory", "migrate", "--check", "--snapshot-plan", planMount.mountPath];
    const before = [commandContainer(pod, "connect", { command, mounts: [planMount] })];
    if (this.access !== undefined) {
      const mounts = [folderMount, ...this.access.mounts];
      const fetch = [...storeCommand("download", this.access), "--name", "$(SNAPSHOT)"];
      before.push({ ...commandContainer(pod, "fetch", { command: fetch, mounts, secretless: true }), env });
    }
    const script = [`${folderMount.mountPath}/$(SNAPSHOT)`, planMount.mountPath];
    return { before, restore: { ...this.run("restore", "restore.sh", script), env } };
  }

  /** The volumes of those steps. */
  volumes(): input.core.v1.Volume[] {
    const { settings } = this;
    if (settings === undefined || this.scriptsName === undefined) return [];
    const folder: Omit<input.core.v1.Volume, "name"> =
      settings.type === "s3"
        ? { emptyDir: { sizeLimit: settings.temporaryStorage } }
        : { persistentVolumeClaim: { claimName: this.claimName ?? "" } };
    return [
      // In memory: the database's password is in it.
      { name: planMount.name, emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
      { name: folderMount.name, ...folder },
      { name: scriptsMount.name, configMap: { name: this.scriptsName } },
      ...(this.access?.volumes ?? []),
    ];
  }

  /** A container with PostgreSQL's own programs. */
  private run(
    name: string,
    script: (typeof scripts)[number],
    parameters: readonly string[],
  ): input.core.v1.Container {
    return {
      name,
      image: imageReference("postgres", this.images),
      imagePullPolicy: "IfNotPresent",
      command: ["sh", `${scriptsMount.mountPath}/${script}`, ...parameters],
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

/** The service's command that stores a snapshot, or gets it back. */
function storeCommand(action: "upload" | "download", access: StoreAccess): string[] {
  return ["inventory", "snapshot", action, "--folder", folderMount.mountPath, ...access.options];
}
