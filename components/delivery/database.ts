import { ConfigMap, Secret, Service, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword";
import type { DatabaseSettings } from "../config/application";
import type { WalArchivingSettings } from "../config/backup";
import { quantityValue } from "../config/quantity";
import { imageReference, images, type ImageSource } from "../images";
import { labels, selectorLabels, type Identity } from "../labels";
import { notScraped } from "../monitoring/scraping";
import { containerSecurity, resourceRequirements, temporaryMount, temporaryVolume } from "../security";
import { volumeServer } from "../volumeServer";
import { BackupRole, backupRole, backupRoleScript, createBackupRole, whoMayConnect } from "./backup/role";
import type { TimeRecovery } from "./backup/recovery";
import type { ServerAccess } from "./backup/walArchive";

export interface InClusterDatabaseArgs {
  readonly settings: Extract<DatabaseSettings, { type: "inCluster" }>;
  readonly images: ImageSource;
  readonly namespace: pulumi.Input<string>;
  /** The application that it belongs to: name of its role and its database. */
  readonly application: string;
  /** Connections that all Pods of the application may open together. */
  readonly connections: number;
  readonly priorityClassName: pulumi.Input<string>;
  /** How its log is kept for recovery to a time; not at all where it is left out. */
  readonly walArchiving?: WalArchivingSettings;
  /** What an empty volume is filled with before the first start. */
  readonly recovery?: TimeRecovery;
}

export const postgresPort = 5432;

/** Connections kept free for backups, migrations and people. */
const spareConnections = 20;

export function databaseIdentity(application: string): Identity {
  return { name: application, component: "database" };
}

/** Upstream's user, which its image knows. */
export const postgresUser = 999;
export const dataPath = "/var/lib/postgresql/data";
export const secretPath = "/etc/postgresql-secrets";
const initializationPath = "/docker-entrypoint-initdb.d";
const accessPath = "/etc/postgresql-access";

/**
 * PostgreSQL in the cluster: one Pod with a volume. The application's role owns its database and nothing else; the
 * superuser's password is used by nobody but the first start and the Job that makes the role of backups.
 */
export class InClusterDatabase extends pulumi.ComponentResource {
  /** Address with the application's password; secret. */
  readonly url: pulumi.Output<string>;
  /** How its files and its log are had, where that is done. */
  readonly server: ServerAccess | undefined;

  constructor(name: string, args: InClusterDatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:delivery:InClusterDatabase", name, {}, opts);
    const parent = { parent: this };
    const { application, namespace } = args;
    const identity = databaseIdentity(application);
    const metadata = { namespace, labels: labels(identity, images.postgres.version) };
    const selector = selectorLabels(identity);
    const password = (role: string) =>
      new RandomPassword(`${name}-${role}`, { length: 40, special: false }, parent).result;
    const applicationPassword = password("application-password");
    const archived = args.walArchiving !== undefined;
    const backupPassword = archived ? password("backup-password") : undefined;
    const secret = new Secret(
      `${name}-passwords`,
      {
        metadata,
        immutable: true,
        stringData: {
          superuser: password("superuser-password"),
          application: applicationPassword,
          ...(backupPassword === undefined ? {} : { backup: backupPassword }),
        },
      },
      parent,
    );
    const script = new ConfigMap(
      `${name}-initialization`,
      { metadata, immutable: true, data: initialization(application, archived) },
      parent,
    );
    // Beside the volume rather than in it, so that databases get it that were there before.
    const access = archived
      ? new ConfigMap(
          `${name}-access`,
          { metadata, immutable: true, data: { "pg_hba.conf": whoMayConnect } },
          parent,
        )
      : undefined;
    const service = new Service(
      `${name}-service`,
      {
        metadata: { ...metadata, name },
        spec: {
          clusterIP: "None",
          // There is no other server to go to: taking a busy one out of DNS would only make it unreachable.
          publishNotReadyAddresses: true,
          selector,
          ports: [{ name: "postgresql", port: postgresPort, targetPort: "postgresql" }],
        },
      },
      parent,
    );
    const account = new ServiceAccount(
      `${name}-account`,
      { metadata, automountServiceAccountToken: false },
      parent,
    );
    const { recovery } = args;
    const imagePullSecrets = recovery?.pullSecrets.map((each) => ({ name: each })) ?? [];
    const server = volumeServer(
      `${name}-server`,
      {
        ...metadata,
        serverName: name,
        selector,
        serviceName: service.metadata.name,
        user: postgresUser,
        podAnnotations: notScraped,
        pod: {
          serviceAccountName: recovery?.serviceAccountName ?? account.metadata.name,
          automountServiceAccountToken: false,
          priorityClassName: args.priorityClassName,
          // A fast shutdown ends with a checkpoint; cutting that short would mean a recovery at the next start.
          terminationGracePeriodSeconds: 60,
          ...(imagePullSecrets.length === 0 ? {} : { imagePullSecrets }),
          ...(recovery === undefined ? {} : { initContainers: [...recovery.steps] }),
          containers: [container(args)],
          volumes: [
            temporaryVolume("64Mi"),
            { name: "run", emptyDir: { sizeLimit: "1Mi" } },
            { name: "passwords", secret: { secretName: secret.metadata.name, defaultMode: 0o440 } },
            { name: "initialization", configMap: { name: script.metadata.name } },
            ...(access === undefined ? [] : [{ name: "access", configMap: { name: access.metadata.name } }]),
            ...(recovery?.volumes ?? []),
          ],
        },
        backup: archived ? "scheduled-backups" : "snapshot-before-migration",
        volume: args.settings,
      },
      { ...parent, customTimeouts: recovery?.timeouts },
    );
    const host = pulumi.interpolate`${service.metadata.name}.${namespace}.svc`;
    if (backupPassword !== undefined) {
      const own = new Secret(
        `${name}-backup-password`,
        { metadata, immutable: true, stringData: { password: backupPassword } },
        parent,
      );
      new BackupRole(
        `${name}-backup-role`,
        {
          application,
          images: args.images,
          namespace,
          host,
          secretName: secret.metadata.name,
          scriptName: script.metadata.name,
          priorityClassName: args.priorityClassName,
        },
        { parent: this, dependsOn: server },
      );
      this.server = { host, user: backupRole, secretName: own.metadata.name };
    }
    this.url = pulumi.secret(
      pulumi.interpolate`postgresql+psycopg://${application}:${applicationPassword}@${host}:${postgresPort}/${application}`,
    );
    this.registerOutputs({ url: this.url });
  }
}

function container(args: InClusterDatabaseArgs): input.core.v1.Container {
  const { settings, images: source, connections } = args;
  // Over TCP: while the first start runs its scripts, the server answers on its socket only.
  const ready = {
    exec: { command: ["pg_isready", "--host=127.0.0.1", "--username=postgres"] },
    timeoutSeconds: 5,
  };
  return {
    name: "postgresql",
    image: imageReference("postgres", source),
    imagePullPolicy: "IfNotPresent",
    args: ["postgres", "-c", `max_connections=${connections + spareConnections}`, ...logArguments(args)],
    env: [
      { name: "PGDATA", value: `${dataPath}/pgdata` },
      { name: "POSTGRES_PASSWORD_FILE", value: `${secretPath}/superuser` },
      {
        name: "POSTGRES_INITDB_ARGS",
        value: "--auth-host=scram-sha-256 --data-checksums --encoding=UTF8 --locale=C.UTF-8",
      },
    ],
    ports: [{ name: "postgresql", containerPort: postgresPort }],
    startupProbe: { ...ready, periodSeconds: 2, failureThreshold: 90 },
    readinessProbe: { ...ready, periodSeconds: 5 },
    livenessProbe: { ...ready, periodSeconds: 20, failureThreshold: 6 },
    resources: resourceRequirements(settings.resources),
    securityContext: containerSecurity,
    volumeMounts: [
      temporaryMount,
      { name: "data", mountPath: dataPath },
      { name: "run", mountPath: "/var/run/postgresql" },
      { name: "passwords", mountPath: secretPath, readOnly: true },
      { name: "initialization", mountPath: initializationPath, readOnly: true },
      ...(args.walArchiving === undefined ? [] : [{ name: "access", mountPath: accessPath, readOnly: true }]),
    ],
  };
}

/** Class of its volume, where a stack names one. */
export function storageClassOf({ database }: { database: DatabaseSettings }): string | undefined {
  return database.type === "inCluster" ? database.storageClassName : undefined;
}

/** How the log is closed, kept for who receives it, and received. */
function logArguments({ walArchiving, settings }: InClusterDatabaseArgs): string[] {
  if (walArchiving === undefined) return [];
  // Half of the volume: a receiver that is away for too long costs a gap in the log rather than the database.
  const kept = Math.floor(quantityValue(settings.storage) / 2 / 2 ** 20);
  return [
    ...["-c", `hba_file=${accessPath}/pg_hba.conf`],
    ...["-c", `archive_timeout=${walArchiving.archiveTimeoutSeconds}s`],
    ...["-c", `max_slot_wal_keep_size=${kept}MB`],
  ];
}

/** Run once, when the volume is empty, in the order of their names. Passwords stay out of arguments. */
function initialization(application: string, archived: boolean): Record<string, string> {
  const createApplication = `\\set password \`cat ${secretPath}/application\`
CREATE ROLE "${application}" LOGIN PASSWORD :'password';
CREATE DATABASE "${application}" OWNER "${application}";
REVOKE ALL ON DATABASE "${application}" FROM PUBLIC;
`;
  return {
    "create-application.sql": createApplication,
    ...(archived ? { [createBackupRole]: backupRoleScript } : {}),
  };
}
