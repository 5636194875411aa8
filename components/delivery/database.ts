import { ConfigMap, Secret, Service, ServiceAccount } from "@pulumi/kubernetes/core/v1";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random/randomPassword";
import type { DatabaseSettings } from "../config/application";
import { imageReference, images, type ImageSource } from "../images";
import { labels, selectorLabels, type Identity } from "../labels";
import { notScraped } from "../monitoring/scraping";
import {
  containerSecurity,
  type PodSecurityArgs,
  resourceRequirements,
  temporaryMount,
  temporaryVolume,
} from "../security";
import { volumeServer } from "../volumeServer";

export interface InClusterDatabaseArgs extends PodSecurityArgs {
  readonly settings: Extract<DatabaseSettings, { type: "inCluster" }>;
  readonly images: ImageSource;
  readonly namespace: pulumi.Input<string>;
  /** The application that it belongs to: name of its role and its database. */
  readonly application: string;
  /** Connections that all Pods of the application may open together. */
  readonly connections: number;
  readonly priorityClassName: pulumi.Input<string>;
}

export const postgresPort = 5432;

/** Connections kept free for backups, migrations and people. */
const spareConnections = 20;

export function databaseIdentity(application: string): Identity {
  return { name: application, component: "database" };
}

const user = 999;
const dataPath = "/var/lib/postgresql/data";
const secretPath = "/etc/postgresql-secrets";

/**
 * PostgreSQL in the cluster: one Pod with a volume. The application's role owns its database and nothing else; the
 * superuser's password is used by nobody but the first start.
 */
export class InClusterDatabase extends pulumi.ComponentResource {
  /** Address with the application's password; secret. */
  readonly url: pulumi.Output<string>;

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
    const secret = new Secret(
      `${name}-passwords`,
      {
        metadata,
        immutable: true,
        stringData: { superuser: password("superuser-password"), application: applicationPassword },
      },
      parent,
    );
    const script = new ConfigMap(
      `${name}-initialization`,
      { metadata, immutable: true, data: { "create-application.sql": initialization(application) } },
      parent,
    );
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
    volumeServer(
      `${name}-server`,
      {
        ...metadata,
        serverName: name,
        selector,
        serviceName: service.metadata.name,
        user,
        appArmor: args.appArmor,
        podAnnotations: notScraped,
        pod: {
          serviceAccountName: account.metadata.name,
          automountServiceAccountToken: false,
          priorityClassName: args.priorityClassName,
          // A fast shutdown ends with a checkpoint; cutting that short would mean a recovery at the next start.
          terminationGracePeriodSeconds: 60,
          containers: [container(args)],
          volumes: [
            temporaryVolume("64Mi"),
            { name: "run", emptyDir: { sizeLimit: "1Mi" } },
            { name: "passwords", secret: { secretName: secret.metadata.name, defaultMode: 0o440 } },
            { name: "initialization", configMap: { name: script.metadata.name } },
          ],
        },
        backup: "snapshot-before-migration",
        volume: args.settings,
      },
      parent,
    );
    const host = pulumi.interpolate`${service.metadata.name}.${namespace}.svc`;
    this.url = pulumi.secret(
      pulumi.interpolate`postgresql+psycopg://${application}:${applicationPassword}@${host}:${postgresPort}/${application}`,
    );
    this.registerOutputs({ url: this.url });
  }
}

function container({
  settings,
  images: source,
  connections,
}: InClusterDatabaseArgs): input.core.v1.Container {
  // Over TCP: while the first start runs its scripts, the server answers on its socket only.
  const ready = {
    exec: { command: ["pg_isready", "--host=127.0.0.1", "--username=postgres"] },
    timeoutSeconds: 5,
  };
  return {
    name: "postgresql",
    image: imageReference("postgres", source),
    imagePullPolicy: "IfNotPresent",
    args: ["postgres", "-c", `max_connections=${connections + spareConnections}`],
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
      { name: "initialization", mountPath: "/docker-entrypoint-initdb.d", readOnly: true },
    ],
  };
}

/** Runs once, when the volume is empty. The password stays out of arguments, which others could see. */
function initialization(application: string): string {
  return `\\set password \`cat ${secretPath}/application\`
CREATE ROLE "${application}" LOGIN PASSWORD :'password';
CREATE DATABASE "${application}" OWNER "${application}";
REVOKE ALL ON DATABASE "${application}" FROM PUBLIC;
`;
}
