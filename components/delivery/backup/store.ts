import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigMap, Secret, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import type { BackupSettings } from "../../config/backup";
import { imageReference, type ImageSource } from "../../images";
import { labels, type Identity } from "../../labels";
import { containerSecurity, temporaryMount } from "../../security";
import { StoreAccess } from "../store";

export interface BackupStoreArgs {
  readonly application: string;
  readonly settings: BackupSettings;
  readonly namespace: pulumi.Input<string>;
  /** Where PostgreSQL's own programs come from. */
  readonly images: ImageSource;
  /** What is encrypted with. */
  readonly key: pulumi.Input<string>;
  /** What can be read with, too; by names. */
  readonly formerKeys: Readonly<Record<string, pulumi.Input<string>>>;
}

/** What takes backups and tries them out. */
export function backupIdentity(application: string): Identity {
  return { name: application, component: "backup" };
}

/** Where a Pod has a backup on its way. */
export const backupMount = { name: "backups", mountPath: "/backups" };
/** In memory: passwords are in it. */
export const connectionMount = { name: "connection", mountPath: "/run/backup" };
const keysMount = { name: "backup-keys", mountPath: "/etc/backup/keys", readOnly: true };
const scriptsMount = { name: "backup-scripts", mountPath: "/etc/backup/scripts", readOnly: true };

/** What every Pod needs that has to do with backups: keys, scripts, and the way to the store. */
export class BackupStore extends pulumi.ComponentResource {
  /** Account of the Pods that take backups: a cloud that lets it reach the store lets nothing else do so. */
  readonly serviceAccountName: pulumi.Output<string>;
  private readonly access: StoreAccess;
  private readonly keysName: pulumi.Output<string>;
  private readonly scriptsName: pulumi.Output<string>;

  constructor(
    name: string,
    private readonly args: BackupStoreArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("technova:delivery:BackupStore", name, {}, opts);
    const parent = { parent: this };
    const { application, namespace, settings } = args;
    const metadata = { namespace, labels: labels(backupIdentity(application)) };
    this.access = new StoreAccess(settings.store, "backup");
    const former = Object.entries(args.formerKeys).map(([key, value]) => [`former-${key}`, value]);
    this.keysName = new Secret(
      `${name}-keys`,
      { metadata, immutable: true, stringData: { current: args.key, ...Object.fromEntries(former) } },
      parent,
    ).metadata.name;
    this.scriptsName = new ConfigMap(
      `${name}-scripts`,
      { metadata, immutable: true, data: backupScripts() },
      parent,
    ).metadata.name;
    this.serviceAccountName = this.account(`${name}-account`, backupIdentity(application), parent);
    this.registerOutputs();
  }

  /** An account of a workload that reaches the store. */
  account(name: string, identity: Identity, opts: pulumi.CustomResourceOptions): pulumi.Output<string> {
    const { namespace, settings } = this.args;
    const annotations = settings.store.accountAnnotations;
    // A fixed name where the cloud's side of the identity refers to it.
    const known =
      annotations === undefined ? {} : { name: `${identity.name}-${identity.component}`, annotations };
    return new ServiceAccount(
      name,
      {
        metadata: { namespace, labels: labels(identity), ...known },
        automountServiceAccountToken: false,
      },
      opts,
    ).metadata.name;
  }

  get settings(): BackupSettings {
    return this.args.settings;
  }

  /** Whether it is the Pod's account that the store knows. */
  get knowsAccount(): boolean {
    return this.settings.store.accountAnnotations !== undefined;
  }

  /** The service's command that reads or writes the store. */
  command(action: string, ...more: readonly pulumi.Input<string>[]): pulumi.Input<string>[] {
    return ["inventory", "backup", action, ...this.access.options, "--keys", keysMount.mountPath, ...more];
  }

  /** What a container with such a command sees. */
  get mounts(): input.core.v1.VolumeMount[] {
    return [keysMount, ...this.access.mounts];
  }

  /** The volumes of those commands and of the scripts. */
  get volumes(): input.core.v1.Volume[] {
    return [
      { name: keysMount.name, secret: { secretName: this.keysName, defaultMode: 0o440 } },
      { name: scriptsMount.name, configMap: { name: this.scriptsName } },
      ...this.access.volumes,
    ];
  }

  /** Room for a backup on its way, and for how to connect. */
  get scratch(): input.core.v1.Volume[] {
    return [
      { name: backupMount.name, emptyDir: { sizeLimit: this.settings.store.temporaryStorage } },
      { name: connectionMount.name, emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
    ];
  }

  /** A container that runs one of the scripts with PostgreSQL's own programs. */
  script(
    name: string,
    script: string,
    parameters: readonly string[],
    more: ScriptMore = {},
  ): input.core.v1.Container {
    return {
      name,
      image: imageReference("postgres", this.args.images),
      imagePullPolicy: "IfNotPresent",
      command: ["sh", scriptPath(script), ...parameters],
      // No empty list: the API server leaves it out, and every later preview would want to add it.
      ...(more.env === undefined ? {} : { env: [...more.env] }),
      terminationMessagePolicy: "FallbackToLogsOnError",
      resources: more.resources ?? {
        requests: { cpu: "50m", memory: "128Mi" },
        limits: { cpu: "1", memory: "512Mi" },
      },
      securityContext: containerSecurity,
      volumeMounts: [temporaryMount, scriptsMount, ...(more.mounts ?? [])],
    };
  }
}

interface ScriptMore {
  readonly env?: readonly input.core.v1.EnvVar[];
  readonly mounts?: readonly input.core.v1.VolumeMount[];
  readonly resources?: input.core.v1.ResourceRequirements;
}

export function scriptPath(script: string): string {
  return `${scriptsMount.mountPath}/${script}`;
}

/** All of them in one folder, because some run others. */
function backupScripts(): Record<string, string> {
  const own = readdirSync(__dirname).filter((file) => /\.(sh|sql)$/.test(file));
  const paths = [...own.map((file) => join(__dirname, file)), join(__dirname, "../restore.sh")];
  return Object.fromEntries(
    paths
      .map((path) => [path.replace(/^.*\//, ""), readFileSync(path, "utf8")] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
