import { Job } from "@pulumi/kubernetes/batch/v1";
import * as pulumi from "@pulumi/pulumi";
import type { DowngradeSettings } from "../config/migration";
import type { ImageSource } from "../images";
import { labels, type Identity } from "../labels";
import { dumpRecoverySteps, noRecovery } from "./backup/recovery";
import type { BackupStore } from "./backup/store";
import { Restore } from "./restore";
import { Snapshots } from "./snapshot";
import { commandPod, type PodArgs } from "./workload";

export interface MigrationArgs extends PodArgs {
  readonly namespace: pulumi.Input<string>;
  /** Where PostgreSQL's own programs come from. */
  readonly images: ImageSource;
  /**
   * ConfigMap whose key `schema-revisions` has, one a line, the revisions that the versions need which serve or can
   * come back; while one of them would be broken, the migration is refused. It need not be there yet.
   */
  readonly releasesConfigMapName?: pulumi.Input<string>;
  /** Where backups are; needed with a recovery from one. */
  readonly backups?: BackupStore;
}

export function migrationIdentity(application: string): Identity {
  return { name: application, component: "migration" };
}

const releasesMount = { name: "releases", mountPath: "/etc/inventory/releases", readOnly: true };

/**
 * Brings the database's schema to the release's revision before any Pod of the release starts; the release fails if
 * it fails, and the database is as it was. Both versions work on the new schema, so the old one goes on serving
 * meanwhile.
 */
export class Migration extends pulumi.ComponentResource {
  /** How the database is kept before it changes. */
  readonly snapshots: Snapshots;

  constructor(name: string, args: MigrationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:delivery:Migration", name, {}, opts);
    const { migration, schemaRevision } = args.settings;
    this.snapshots = new Snapshots(
      `${name}-snapshots`,
      {
        identity: args.identity,
        settings: migration.snapshot,
        namespace: args.namespace,
        images: args.images,
      },
      { parent: this },
    );
    const { releasesConfigMapName } = args;
    const inUse = releasesConfigMapName === undefined ? [] : [releasesMount];
    const command = ["inventory", "migrate", "--to", schemaRevision].concat(
      inUse.flatMap(({ mountPath }) => ["--in-use-file", `${mountPath}/schema-revisions`]),
    );
    const releases = inUse.map(({ name: volume }) => ({
      name: volume,
      configMap: { name: releasesConfigMapName, optional: true },
    }));
    const own = withAccount(args, this.snapshots);
    const { backups } = args;
    const { recovery } = args.settings.database;
    const recovered = backups === undefined ? noRecovery : dumpRecoverySteps(own, backups, recovery);
    // A Pod has one account: where the store knows backups by theirs, it has to reach the snapshots with that, too.
    const known = recovered.steps.length > 0 && backups?.knowsAccount === true;
    const pod = known ? { ...own, serviceAccountName: backups.serviceAccountName } : own;
    const before = [...recovered.steps, ...this.snapshots.steps(pod, command, inUse)];
    const timeoutSeconds = migration.timeoutSeconds + recovered.timeoutSeconds;
    const volumes = [...this.snapshots.volumes(), ...releases, ...recovered.volumes];
    new Job(
      `${name}-job`,
      job(args, commandPod(pod, { command, mounts: inUse }, before, volumes), timeoutSeconds),
      {
        parent: this,
        customTimeouts: { create: `${timeoutSeconds + 60}s` },
      },
    );
    if (migration.snapshot.type !== "none") {
      new Restore(
        `${name}-restore`,
        { ...pod, namespace: args.namespace, snapshots: this.snapshots },
        { parent: this },
      );
    }
    this.registerOutputs();
  }
}

export interface DowngradeArgs extends PodArgs {
  readonly namespace: pulumi.Input<string>;
  readonly downgrade: DowngradeSettings;
  readonly snapshots: Snapshots;
}

/**
 * Takes the schema back after an older version was released: that works on the newer schema already, so it serves
 * before, while and after. Runs in the build that made the newer revision; `image` is that build.
 */
export class Downgrade extends pulumi.ComponentResource {
  constructor(name: string, args: DowngradeArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:delivery:Downgrade", name, {}, opts);
    const { snapshots } = args;
    const { to, allowDataLoss } = args.downgrade;
    // Left out where it need not be known: builds of before know nothing of it.
    const command = ["inventory", "downgrade", "--to", to, ...(allowDataLoss ? [] : ["--keep-data"])];
    const pod = withAccount(args, snapshots);
    new Job(
      name,
      job(args, commandPod(pod, { command }, snapshots.steps(pod, command), snapshots.volumes())),
      {
        parent: this,
        customTimeouts: { create: `${args.settings.migration.timeoutSeconds + 60}s` },
      },
    );
    this.registerOutputs();
  }
}

/** As `app/src/inventory/cli.py` has it. */
const databaseChangedExitCode = 3;

function withAccount(args: PodArgs, { serviceAccountName }: Snapshots): PodArgs {
  return { ...args, serviceAccountName };
}

function job(
  args: PodArgs & { readonly namespace: pulumi.Input<string> },
  template: ReturnType<typeof commandPod>,
  timeoutSeconds = args.settings.migration.timeoutSeconds,
) {
  const { migration, version } = args.settings;
  return {
    metadata: {
      namespace: args.namespace,
      labels: labels(args.identity, version),
      annotations: {
        // One that failed is made anew by the next update instead of being waited for again.
        "pulumi.com/replaceUnready": "true",
      },
    },
    spec: {
      backoffLimit: migration.retries,
      // Never again on a database that a failure has left changed: what it did would be done twice, and the snapshot
      // of before be followed by those of after.
      podFailurePolicy: {
        rules: [{ action: "FailJob", onExitCodes: { operator: "In", values: [databaseChangedExitCode] } }],
      },
      activeDeadlineSeconds: timeoutSeconds,
      // No time to live: a Job that the cluster removed by itself would be run again by the next refresh. There
      // is only one: a Job's template cannot change, so another image or revision is a new Job with a new name,
      // and the old one goes when the release is through.
      template,
    },
  };
}
