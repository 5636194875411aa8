import type { Flow, Peer, Pods } from "../cluster/flows";
import { apiServerAt, apiServerPorts, dnsFlow, metricsFlow, prometheus } from "../cluster/wellKnown";
import type { DatabaseSettings } from "../config/application";
import type { BackupSettings } from "../config/backup";
import type { SnapshotSettings } from "../config/migration";
import { selectorLabels, type Identity } from "../labels";
import { prometheusPort } from "../monitoring/prometheus";
import { backupFlows } from "./backup/flows";
import { databaseIdentity, postgresPort } from "./database";
import { migrationIdentity } from "./migration";
import { outcomeIdentity } from "./outcome";
import { smokeTestIdentity } from "./smokeTest";
import { storePort } from "./store";
import { applicationPort } from "./workload";

export interface ApplicationFlowsArgs {
  readonly identity: Identity;
  readonly namespace: string;
  /** The Pods that requests come from. */
  readonly gateway: Pods;
  readonly database: DatabaseSettings;
  /** Where snapshots of the database go. */
  readonly snapshot: SnapshotSettings;
  /** Where backups of the database go; nowhere where it is left out. */
  readonly backup?: BackupSettings;
  /** Whether a Job tries new versions out before users get to them. */
  readonly smokeTested: boolean;
  /** Whether the platform brings its own monitoring, and so guards its namespace. */
  readonly monitored: boolean;
  /** Addresses of the API server, where a release is waited for. */
  readonly apiServerCidrs: readonly string[];
}

/** All that the application's Pods may say to anyone, and anyone to them. A node always reaches its own Pods. */
export function applicationFlows({
  identity,
  namespace,
  gateway,
  database,
  snapshot,
  backup,
  smokeTested,
  monitored,
  apiServerCidrs,
}: ApplicationFlowsArgs): Flow[] {
  const pods = (each: Identity): Pods => ({ namespace, labels: selectorLabels(each) });
  const api = pods(identity);
  const outcome = pods(outcomeIdentity(identity.name));
  const smokeTest = pods(smokeTestIdentity(identity.name));
  const migration = pods(migrationIdentity(identity.name));
  const store: Peer =
    database.type === "inCluster"
      ? pods(databaseIdentity(identity.name))
      : { cidrs: database.cidrs, who: "database" };
  const storePorts = [{ port: database.type === "inCluster" ? postgresPort : database.port }];
  const http = [{ port: applicationPort }];
  return [
    { name: "gateway-to-api", from: gateway, to: api, ports: http, why: "Requests of users." },
    {
      name: "api-to-database",
      from: api,
      to: store,
      ports: storePorts,
      why: "The service keeps its data there.",
    },
    {
      name: "migration-to-database",
      from: migration,
      to: store,
      ports: storePorts,
      why: "Schema migrations before each release.",
    },
    ...(snapshot.type === "s3"
      ? [
          {
            name: "migration-to-snapshots",
            from: migration,
            to: { cidrs: snapshot.cidrs, who: "snapshot store" },
            ports: [{ port: storePort(snapshot) }],
            why: "Snapshots of the database are stored before its schema changes.",
          },
        ]
      : []),
    ...(backup === undefined
      ? []
      : backupFlows({ application: identity.name, namespace, database, snapshot, backup, monitored })),
    metricsFlow("api", api, applicationPort, monitored),
    {
      name: "release-outcome-to-api-server",
      from: outcome,
      to: apiServerAt(apiServerCidrs),
      ports: apiServerPorts,
      why: "An update waits for the outcome of its release.",
    },
    ...(monitored
      ? [
          {
            name: "release-outcome-to-prometheus",
            from: outcome,
            to: prometheus,
            ports: [{ port: prometheusPort }],
            why: "The figures of each release.",
          },
          dnsFlow("release-outcome", outcome),
        ]
      : []),
    ...(smokeTested
      ? [
          {
            name: "smoke-test-to-api",
            from: smokeTest,
            to: api,
            ports: http,
            why: "A new version is tried out before users get to it.",
          },
          dnsFlow("smoke-test", smokeTest),
        ]
      : []),
    dnsFlow("api", api),
    dnsFlow("migration", migration),
  ];
}
