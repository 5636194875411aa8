import { Service } from "@pulumi/kubernetes/core/v1";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import type { WalArchivingSettings } from "../../config/backup";
import { labels, selectorLabels, type Identity } from "../../labels";
import { scrapeAnnotations } from "../../monitoring/scraping";
import { temporaryVolume } from "../../security";
import { volumeServer } from "../../volumeServer";
import { postgresUser } from "../database";
import { commandContainer, type PodArgs } from "../workload";
import { connectionMount, scriptPath, type BackupStore } from "./store";

/** How the server's own files and its log are had: by a role that can do that and nothing else. */
export interface ServerAccess {
  readonly host: pulumi.Input<string>;
  readonly user: string;
  /** Secret whose key `password` is the role's. */
  readonly secretName: pulumi.Input<string>;
}

export interface WalArchiveArgs extends PodArgs {
  readonly namespace: pulumi.Input<string>;
  readonly store: BackupStore;
  readonly archiving: WalArchivingSettings;
  readonly server: ServerAccess;
  /** Of the volume that segments wait in; the cluster's default class if left out. */
  readonly storageClassName?: string;
}

export function walArchiveIdentity(application: string): Identity {
  return { name: application, component: "wal-archive" };
}

/** Port of its metrics. */
export const walArchivePort = 9187;
/** What makes the server keep the log that has not been received. */
export const replicationSlot = "backup";

const spoolMount = { name: "data", mountPath: "/var/lib/wal-archive" };
const passwordMount = { name: "server-password", mountPath: "/etc/backup/server", readOnly: true };
const passwordFile = `${passwordMount.mountPath}/password`;

/** What a script needs to connect to the server. */
export function serverConnection({ host, user, secretName }: ServerAccess) {
  return {
    env: [
      { name: "PGHOST", value: host },
      { name: "PGUSER", value: user },
      { name: "PGPASSWORD_FILE", value: passwordFile },
    ],
    mounts: [passwordMount],
    volumes: [{ name: passwordMount.name, secret: { secretName, defaultMode: 0o440 } }],
  };
}

/**
 * Receives the server's log as it is written, and ships each segment that is whole. A Pod of its own: a release changes
 * the service's image, and must not restart the database; and neither keys nor the store are any business of the
 * database's. While this Pod is away the server keeps the log, while the store is away the Pod's volume does.
 */
export class WalArchive extends pulumi.ComponentResource {
  constructor(name: string, args: WalArchiveArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:delivery:WalArchive", name, {}, opts);
    const parent = { parent: this };
    const { namespace, store, archiving, storageClassName } = args;
    const identity = walArchiveIdentity(args.identity.name);
    const selector = selectorLabels(identity);
    const serverName = `${identity.name}-${identity.component}`;
    const metadata = { namespace, labels: labels(identity) };
    const service = new Service(
      `${name}-service`,
      {
        metadata: { ...metadata, name: serverName },
        spec: {
          clusterIP: "None",
          selector,
          ports: [{ name: "metrics", port: walArchivePort, targetPort: "metrics" }],
        },
      },
      parent,
    );
    const imagePullSecrets = args.pullSecrets.map((each) => ({ name: each }));
    volumeServer(
      `${name}-server`,
      {
        ...metadata,
        serverName,
        selector,
        serviceName: service.metadata.name,
        user: postgresUser,
        appArmor: args.appArmor,
        podAnnotations: scrapeAnnotations(walArchivePort),
        pod: {
          serviceAccountName: store.account(`${name}-account`, identity, parent),
          automountServiceAccountToken: false,
          priorityClassName: args.priorityClassName,
          ...(imagePullSecrets.length === 0 ? {} : { imagePullSecrets }),
          containers: [this.receive(args), this.ship(args)],
          volumes: [
            temporaryVolume("64Mi"),
            // In memory: the password is in it.
            { name: connectionMount.name, emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
            ...store.volumes,
            ...serverConnection(args.server).volumes,
          ],
        },
        // The server keeps what the store has not got.
        backup: "rebuilt",
        volume: { storage: archiving.storage, storageClassName },
      },
      parent,
    );
    this.registerOutputs();
  }

  private receive({ store, server }: WalArchiveArgs): input.core.v1.Container {
    const { env, mounts } = serverConnection(server);
    // Streaming is what the server says it is: a connection that hangs on a dead node is none.
    const command = ["sh", scriptPath("streaming.sh"), replicationSlot];
    const streaming = { exec: { command }, timeoutSeconds: 10 };
    return {
      ...store.script("receive", "receive-wal.sh", [spoolMount.mountPath, replicationSlot], {
        env: [...env, { name: "TMPDIR", value: connectionMount.mountPath }],
        mounts: [spoolMount, connectionMount, ...mounts],
        resources: { requests: { cpu: "20m", memory: "32Mi" }, limits: { cpu: "500m", memory: "128Mi" } },
      }),
      readinessProbe: { ...streaming, periodSeconds: 15 },
      livenessProbe: { ...streaming, periodSeconds: 30, failureThreshold: 20 },
    };
  }

  private ship(args: WalArchiveArgs): input.core.v1.Container {
    const { store, server } = args;
    const command = store.command(
      "ship-wal",
      ...["--spool", spoolMount.mountPath, "--port", String(walArchivePort), "--slot", replicationSlot],
      ...["--database-host", server.host, "--database-user", server.user, "--password-file", passwordFile],
    );
    const answers = { httpGet: { path: "/metrics", port: "metrics" }, timeoutSeconds: 5 };
    return {
      ...commandContainer(args, "ship", {
        command,
        mounts: [spoolMount, passwordMount, ...store.mounts],
        secretless: true,
      }),
      ports: [{ name: "metrics", containerPort: walArchivePort }],
      readinessProbe: { ...answers, periodSeconds: 10 },
      livenessProbe: { ...answers, periodSeconds: 30, failureThreshold: 6 },
    };
  }
}
