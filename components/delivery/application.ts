import { ServiceAccount } from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import type { ParentReference } from "../addons/gateway";
import type { SealedFile } from "../addons/sealedSecrets/files";
import { AllowedFlows, type Flow } from "../cluster/flows";
import { mostPods, podsAtOnce, type ApplicationSettings } from "../config/application";
import type { ImageSource } from "../images";
import { labels, type Identity } from "../labels";
import type { PodSecurityArgs } from "../security";
import { availability } from "./availability";
import { Backups } from "./backup/backups";
import { BackupKeys } from "./backup/keys";
import { timeRecovery } from "./backup/recovery";
import { backupIdentity, type BackupStore } from "./backup/store";
import { Configuration, contentHash } from "./configuration";
import { dataPath, InClusterDatabase, secretPath, storageClassOf } from "./database";
import { Downgrade, Migration, migrationIdentity } from "./migration";
import { historyName, type Releases } from "./outcome";
import { Release } from "./release";
import { Route } from "./route";
import { VersionServices } from "./service";
import { SmokeTestJob } from "./smokeTest";
import { makeStrategy } from "./strategy";
import { servingPod, type PodArgs } from "./workload";

export interface ApplicationArgs extends PodSecurityArgs {
  readonly settings: ApplicationSettings;
  readonly namespace: pulumi.Input<string>;
  /** The release's image, by digest. */
  readonly image: pulumi.Input<string>;
  /** The build that takes the schema back, by digest; needed with `migration.downgrade`. */
  readonly downgradeImage?: pulumi.Input<string>;
  readonly pullSecrets: readonly pulumi.Input<string>[];
  /** Upstream images, for the database. */
  readonly images: ImageSource;
  /** What is sealed for the stack. */
  readonly sealed: readonly SealedFile[];
  /** Address of an external database. */
  readonly databaseUrl?: pulumi.Output<string>;
  /** What backups are encrypted with; one is made where it is left out. */
  readonly backupKey?: pulumi.Output<string>;
  /** Keys of before, by their names. */
  readonly formerBackupKeys?: Readonly<Record<string, pulumi.Output<string>>>;
  readonly gateway: ParentReference;
  /** All that the application's Pods may say to anyone, and anyone to them. */
  readonly flows: readonly Flow[];
  readonly releases: Omit<Releases, "appArmor">;
  readonly priorityClassName: pulumi.Input<string>;
  readonly databasePriorityClassName: pulumi.Input<string>;
}

/** The service with its database, its configuration and its way to the users; released by the stack's strategy. */
export class Application extends pulumi.ComponentResource {
  /** Key of the first administrator; secret. */
  readonly adminApiKey: pulumi.Output<string>;
  /** What backups are encrypted with; secret. Without it they cannot be read. */
  readonly backupKey: pulumi.Output<string>;

  constructor(name: string, args: ApplicationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:delivery:Application", name, {}, opts);
    const parent = { parent: this };
    const { settings, namespace, appArmor } = args;
    const identity: Identity = { name, component: "api" };
    const flows = new AllowedFlows(`${name}-flows`, { flows: args.flows }, parent);
    const backups = new BackupKeys(`${name}-backup`, { ...args, application: name }, parent);
    this.backupKey = backups.current;
    // Before its policies are there, a Pod reaches nobody.
    const afterFlows = { ...parent, dependsOn: flows };
    const database = this.database(name, args, backups.store, afterFlows);
    const afterDatabase = { ...parent, dependsOn: database === undefined ? [flows] : [flows, database] };
    const configuration = new Configuration(
      `${name}-config`,
      {
        application: name,
        settings,
        environment: args.releases.environment,
        namespace,
        databaseUrl: database?.url ?? args.databaseUrl,
      },
      parent,
    );
    this.adminApiKey = configuration.adminApiKey;
    const account = new ServiceAccount(
      `${name}-account`,
      { metadata: { namespace, labels: labels(identity) }, automountServiceAccountToken: false },
      parent,
    );
    const pod = (each: Identity): PodArgs => ({
      settings,
      identity: each,
      image: args.image,
      serviceAccountName: account.metadata.name,
      priorityClassName: args.priorityClassName,
      pullSecrets: args.pullSecrets,
      configMapName: configuration.configMapName,
      secretNames: configuration.secretNames,
      appArmor,
    });
    const migration = new Migration(
      `${name}-migration`,
      {
        ...pod(migrationIdentity(name)),
        namespace,
        images: args.images,
        releasesConfigMapName: historyName(name),
        backups: backups.store,
      },
      afterDatabase,
    );
    if (backups.store !== undefined) {
      new Backups(
        `${name}-backups`,
        {
          ...pod(backupIdentity(name)),
          namespace,
          store: backups.store,
          server: database?.server,
          prometheus: args.releases.prometheus,
          environment: args.releases.environment,
          storageClassName: storageClassOf(settings),
        },
        afterDatabase,
      );
    }
    const smokeTest = new SmokeTestJob(
      `${name}-smoke-test`,
      {
        application: name,
        namespace,
        version: settings.version,
        image: args.image,
        pullSecrets: args.pullSecrets,
        apiKey: configuration.smokeTestApiKey,
        priorityClassName: args.priorityClassName,
        appArmor,
      },
      afterFlows,
    );
    const services = new VersionServices(`${name}-services`, { identity, namespace }, parent);
    const strategy = makeStrategy(
      `${name}-strategy`,
      settings.strategy,
      {
        services,
        identity,
        namespace,
        mostPods: mostPods(settings),
        smokeTest,
        prometheus: args.releases.prometheus,
      },
      parent,
    );
    const route = new Route(
      name,
      {
        identity,
        namespace,
        hostname: settings.hostname,
        gateway: args.gateway,
        backends: strategy.backends,
        testBackends: strategy.testBackends,
      },
      // A failed migration leaves the users where they are: another strategy may send them to other Pods.
      { ...parent, dependsOn: [strategy, migration] },
    );
    const { minReadySeconds, progressDeadlineSeconds } = settings.strategy;
    const release = new Release(
      `${name}-release`,
      {
        identity,
        namespace,
        version: settings.version,
        template: servingPod(pod(identity), sealedContent(name, args)),
        replicas: settings.replicas,
        autoscaled: settings.autoscaling !== undefined,
        minReadySeconds,
        progressDeadlineSeconds,
        strategy,
        activeService: services.stable,
        configMapName: configuration.configMapName,
        secretName: configuration.ownSecretName,
        releases: { ...args.releases, appArmor },
      },
      // Another strategy's Services have users' requests before the controller narrows them down to one version: the
      // Pods that serve are the same before and after, so that none is lost.
      { ...parent, dependsOn: [migration, route] },
    );
    const { downgrade } = settings.migration;
    if (downgrade !== undefined && args.downgradeImage !== undefined) {
      new Downgrade(
        `${name}-downgrade`,
        {
          ...pod(migrationIdentity(name)),
          namespace,
          image: args.downgradeImage,
          downgrade,
          snapshots: migration.snapshots,
        },
        { ...parent, dependsOn: release },
      );
    }
    availability(name, { identity, settings, namespace, scaleTarget: release.scaleTarget }, parent);
    this.registerOutputs({ adminApiKey: this.adminApiKey, backupKey: this.backupKey });
  }

  private database(
    name: string,
    args: ApplicationArgs,
    store: BackupStore | undefined,
    opts: pulumi.ComponentResourceOptions,
  ): InClusterDatabase | undefined {
    const { database } = args.settings;
    if (database.type === "external") return undefined;
    const { recovery, resources } = database;
    return new InClusterDatabase(
      `${name}-database`,
      {
        settings: database,
        images: args.images,
        namespace: args.namespace,
        application: name,
        connections: mostConnections(args.settings),
        priorityClassName: args.databasePriorityClassName,
        appArmor: args.appArmor,
        walArchiving: store?.settings.walArchiving,
        recovery:
          store !== undefined && recovery !== undefined && "time" in recovery
            ? timeRecovery({
                ...args,
                ...recovery,
                application: name,
                store,
                resources,
                dataPath,
                secretPath,
              })
            : undefined,
      },
      opts,
    );
  }
}

/** What stands for the Secret that the Pods read and that is sealed, where it is. */
function sealedContent(name: string, { settings, sealed }: ApplicationArgs): string | undefined {
  const { database } = settings;
  const secret = database.type === "external" ? database.existingSecret : undefined;
  const file = sealed.find(
    ({ object: { metadata } }) => metadata.namespace === name && metadata.name === secret,
  );
  return file && contentHash(file.object.spec.encryptedData);
}

/**
 * Connections that the most Pods there can be open at the same time, whatever the strategy: another number would
 * restart the database.
 */
export function mostConnections(settings: ApplicationSettings): number {
  const { databasePoolSize } = settings.configuration;
  // Each Pod has one more for its readiness.
  return podsAtOnce(settings) * (databasePoolSize + 1);
}
