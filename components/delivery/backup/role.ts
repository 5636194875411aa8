import { Job } from "@pulumi/kubernetes/batch/v1";
import { ServiceAccount } from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import { imageReference, images, type ImageSource } from "../../images";
import { labels } from "../../labels";
import {
  containerSecurity,
  podSecurity,
  type PodSecurityArgs,
  temporaryMount,
  temporaryVolume,
} from "../../security";
import { backupIdentity } from "./store";

/** The role that copies the server's files and receives its log; it reads no table and changes nothing. */
export const backupRole = "backup";
/** Name of its script among those of the first start. */
export const createBackupRole = "create-backup-role.sql";

const passwordsPath = "/etc/postgresql-secrets";
const scriptsPath = "/etc/backup-role";

/** Makes the role, or gives it the password that the stack has; the password stays out of arguments. */
export const backupRoleScript = `\\set password \`cat ${passwordsPath}/backup\`
SELECT 'CREATE ROLE "${backupRole}"' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${backupRole}')
\\gexec
ALTER ROLE "${backupRole}" LOGIN REPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
`;

/** The first line that fits decides; replication is no part of \`all\`. */
export const whoMayConnect = `# type database user address method
local all all trust
host replication ${backupRole} all scram-sha-256
host all all all scram-sha-256
`;

export interface BackupRoleArgs extends PodSecurityArgs {
  readonly application: string;
  readonly images: ImageSource;
  readonly namespace: pulumi.Input<string>;
  readonly host: pulumi.Input<string>;
  /** Secret with `superuser` and `backup`. */
  readonly secretName: pulumi.Input<string>;
  /** ConfigMap with the script. */
  readonly scriptName: pulumi.Input<string>;
  readonly priorityClassName: pulumi.Input<string>;
}

/** Makes the role in databases that were there before they were backed up; the first start makes it in others. */
export class BackupRole extends pulumi.ComponentResource {
  constructor(name: string, args: BackupRoleArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:delivery:BackupRole", name, {}, opts);
    const identity = backupIdentity(args.application);
    // The server may just have begun to start.
    const connect = `umask 077
printf '*:*:*:*:%s\\n' "$(cat ${passwordsPath}/superuser)" >"$PGPASSFILE"
until pg_isready --quiet; do sleep 2; done
exec psql --dbname=postgres --no-psqlrc --no-password --quiet --set=ON_ERROR_STOP=1 --file=${scriptsPath}/${createBackupRole}
`;
    const account = new ServiceAccount(
      `${name}-account`,
      {
        metadata: { namespace: args.namespace, labels: labels(identity) },
        automountServiceAccountToken: false,
      },
      { parent: this },
    );
    new Job(
      name,
      {
        metadata: {
          namespace: args.namespace,
          labels: labels(identity, images.postgres.version),
          annotations: { "pulumi.com/replaceUnready": "true" },
        },
        spec: {
          backoffLimit: 4,
          activeDeadlineSeconds: 600,
          template: {
            metadata: { labels: labels(identity, images.postgres.version) },
            spec: {
              restartPolicy: "Never",
              serviceAccountName: account.metadata.name,
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              priorityClassName: args.priorityClassName,
              securityContext: podSecurity(999, args),
              containers: [
                {
                  name: "backup-role",
                  image: imageReference("postgres", args.images),
                  imagePullPolicy: "IfNotPresent",
                  command: ["sh", "-euc", connect],
                  env: [
                    { name: "PGHOST", value: args.host },
                    { name: "PGUSER", value: "postgres" },
                    { name: "PGPASSFILE", value: "/run/backup/pgpass" },
                    { name: "PGCONNECT_TIMEOUT", value: "10" },
                  ],
                  terminationMessagePolicy: "FallbackToLogsOnError",
                  resources: {
                    requests: { cpu: "10m", memory: "32Mi" },
                    limits: { cpu: "200m", memory: "64Mi" },
                  },
                  securityContext: containerSecurity,
                  volumeMounts: [
                    temporaryMount,
                    { name: "connection", mountPath: "/run/backup" },
                    { name: "passwords", mountPath: passwordsPath, readOnly: true },
                    { name: "scripts", mountPath: scriptsPath, readOnly: true },
                  ],
                },
              ],
              volumes: [
                temporaryVolume("1Mi"),
                { name: "connection", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
                {
                  name: "passwords",
                  secret: {
                    secretName: args.secretName,
                    defaultMode: 0o440,
                    // The application's is no business of it.
                    items: ["superuser", "backup"].map((key) => ({ key, path: key })),
                  },
                },
                { name: "scripts", configMap: { name: args.scriptName } },
              ],
            },
          },
        },
      },
      { parent: this, customTimeouts: { create: "660s" } },
    );
    this.registerOutputs();
  }
}
