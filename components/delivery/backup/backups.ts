import { CronJob } from "@pulumi/kubernetes/batch/v1";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import { labels } from "../../labels";
import { podSecurity } from "../../security";
import { postgresUser } from "../database";
import { commandContainer, commandPod, type PodArgs } from "../workload";
import { backupMount, connectionMount, type BackupStore } from "./store";
import { serverConnection, WalArchive, type ServerAccess } from "./walArchive";

export interface BackupsArgs extends PodArgs {
  readonly namespace: pulumi.Input<string>;
  readonly store: BackupStore;
  /** How to copy the server's own files and receive its log; where that is done. */
  readonly server?: ServerAccess;
  /** Address of Prometheus inside the cluster, which is told how each run went. */
  readonly prometheus?: pulumi.Input<string>;
  /** Name of the environment, for people. */
  readonly environment: string;
  /** Of the volume that the log waits in; the cluster's default class if left out. */
  readonly storageClassName?: string;
}

type Kind = "dump" | "base";
type Pod = ReturnType<typeof commandPod>;

const dumpPath = backupMount.mountPath;
const planPath = connectionMount.mountPath;

/**
 * Takes backups of the database, and proves each day that they can be had back: dumps of any database and, of one in
 * the cluster, copies of its files with the log that leads on from them. PostgreSQL's programs write, the service
 * encrypts and stores, and a step that failed is told by the next one, because PostgreSQL's image cannot tell.
 */
export class Backups extends pulumi.ComponentResource {
  constructor(
    name: string,
    private readonly args: BackupsArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("technova:delivery:Backups", name, {}, opts);
    const { store, server } = args;
    const { schedule, restoreTest, walArchiving } = store.settings;
    this.cronJob(`${name}-dump`, "backup", schedule, this.dump());
    this.cronJob(`${name}-restore-test`, "restore-test", restoreTest.schedule, this.restoreTest());
    if (walArchiving !== undefined && server !== undefined) {
      this.cronJob(`${name}-base`, "base-backup", walArchiving.baseBackupSchedule, this.baseBackup(server));
      this.cronJob(`${name}-recovery-test`, "recovery-test", restoreTest.schedule, this.recoveryTest());
      new WalArchive(`${name}-wal`, { ...args, archiving: walArchiving, server }, { parent: this });
    }
    this.registerOutputs();
  }

  private dump(): Pod {
    const { store } = this.args;
    const plan = ["inventory", "backup", "plan", "--plan", planPath, ...this.figures("backup")];
    const before = [
      commandContainer(this.args, "connect", { command: plan, mounts: [connectionMount] }),
      store.script("dump", "dump.sh", [planPath, dumpPath], { mounts: [backupMount, connectionMount] }),
    ];
    return this.pod(before, this.keep("dump", ["--plan", planPath], [connectionMount]));
  }

  private baseBackup(server: ServerAccess): Pod {
    const { store } = this.args;
    const { env, mounts, volumes } = serverConnection(server);
    const copy = store.script("copy", "base-backup.sh", [dumpPath], {
      env: [...env, { name: "TMPDIR", value: planPath }],
      mounts: [backupMount, connectionMount, ...mounts],
    });
    return this.pod([copy], this.keep("base", [], []), { volumes });
  }

  private restoreTest(): Pod {
    const { store, identity } = this.args;
    const options = ["--kind", "dump", "--folder", dumpPath, ...this.figures("restore_test")];
    const fetch = store.command("fetch", ...options);
    const before = [
      this.command("fetch", fetch, [backupMount, ...store.mounts]),
      store.script("restore", "test-dump.sh", [dumpPath, identity.name], { mounts: [backupMount] }),
    ];
    return this.pod(before, this.judge("dump"), { user: postgresUser });
  }

  private recoveryTest(): Pod {
    const { store, identity } = this.args;
    const fetch = store.command("recover-base", "--data", dumpPath, ...this.figures("restore_test"));
    const before = [
      this.command("fetch", fetch, [backupMount, ...store.mounts]),
      store.script("replay", "test-base.sh", [dumpPath, identity.name], { mounts: [backupMount] }),
    ];
    return this.pod(before, this.judge("base"), { user: postgresUser });
  }

  /** Encrypts and stores what was written, and removes what has had its time. */
  private keep(kind: Kind, more: readonly string[], mounts: readonly input.core.v1.VolumeMount[]) {
    const { store } = this.args;
    const { retentionDays, minimumKept } = store.settings;
    const command = store.command(
      "store",
      ...["--kind", kind, "--folder", dumpPath, ...more],
      ...["--retention-days", String(retentionDays), "--minimum-kept", String(minimumKept)],
      ...this.figures("backup"),
    );
    return this.command("keep", command, [backupMount, ...mounts, ...store.mounts]);
  }

  private judge(kind: Kind) {
    const command = ["inventory", "backup", "report-test", "--kind", kind, "--folder", dumpPath];
    return this.command("judge", [...command, ...this.figures("restore_test")], [backupMount]);
  }

  private command(
    name: string,
    command: pulumi.Input<string>[],
    mounts: readonly input.core.v1.VolumeMount[],
  ): input.core.v1.Container {
    return commandContainer(this.args, name, { command, mounts, secretless: true });
  }

  /** Who is told how it went. */
  private figures(subject: "backup" | "restore_test"): pulumi.Input<string>[] {
    const { prometheus, namespace, environment, identity } = this.args;
    if (prometheus === undefined) return [];
    return [
      ...["--prometheus", prometheus, "--subject", subject, "--label", `app=${identity.name}`],
      ...["--label", pulumi.interpolate`namespace=${namespace}`, "--label", `environment=${environment}`],
    ];
  }

  private pod(
    before: input.core.v1.Container[],
    last: input.core.v1.Container,
    { volumes = [], user }: { volumes?: input.core.v1.Volume[]; user?: number } = {},
  ): Pod {
    const { store } = this.args;
    const pod = { ...this.args, serviceAccountName: store.serviceAccountName };
    const all = [...store.volumes, ...store.scratch, ...volumes];
    const { metadata, spec } = commandPod(pod, { command: [] }, before, all);
    // A server does not run as somebody whom its image does not know.
    const security = user === undefined ? {} : { securityContext: podSecurity(user) };
    return { metadata, spec: { ...spec, ...security, containers: [last] } };
  }

  private cronJob(name: string, role: string, schedule: string, template: Pod): void {
    const { identity, namespace, settings, store } = this.args;
    new CronJob(
      name,
      {
        // A fixed name: whoever wants one now makes a Job from it.
        metadata: {
          name: `${identity.name}-${role}`,
          namespace,
          labels: labels(identity, settings.version),
        },
        spec: {
          schedule,
          timeZone: "Etc/UTC",
          concurrencyPolicy: "Forbid",
          // A cluster that was away at the time takes it up once it is back.
          startingDeadlineSeconds: 6 * 3600,
          successfulJobsHistoryLimit: 1,
          failedJobsHistoryLimit: 3,
          jobTemplate: {
            spec: {
              backoffLimit: 2,
              activeDeadlineSeconds: store.settings.timeoutSeconds,
              template,
            },
          },
        },
      },
      { parent: this },
    );
  }
}
