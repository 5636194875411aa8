import { ServiceAccount } from "@pulumi/kubernetes/core/v1";
import { HorizontalPodAutoscaler } from "@pulumi/kubernetes/autoscaling/v2";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1";
import * as pulumi from "@pulumi/pulumi";
import type { ParentReference } from "../addons/gateway";
import { AllowedFlows, type Flow } from "../cluster/flows";
import type { ApplicationSettings } from "../config/application";
import type { ImageSource } from "../images";
import { labels, type Identity } from "../labels";
import type { PodSecurityArgs } from "../security";
import { Configuration } from "./configuration";
import { InClusterDatabase } from "./database";
import { Downgrade, Migration, migrationIdentity } from "./migration";
import { historyName, type Releases } from "./outcome";
import { Release } from "./release";
import { Route } from "./route";
import { liveLabels, VersionServices } from "./service";
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
  /** Address of an external database. */
  readonly databaseUrl?: pulumi.Output<string>;
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

  constructor(name: string, args: ApplicationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:delivery:Application", name, {}, opts);
    const parent = { parent: this };
    const { settings, namespace, appArmor } = args;
    const identity: Identity = { name, component: "api" };
    const flows = new AllowedFlows(`${name}-flows`, { flows: args.flows }, parent);
    const database = this.database(name, args);
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
      },
      { ...parent, dependsOn: database === undefined ? [flows] : [flows, database] },
    );
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
      { ...parent, dependsOn: flows },
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
        template: servingPod(pod(identity)),
        replicas: settings.autoscaling === undefined ? settings.replicas : undefined,
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
    this.availability(name, identity, args, release);
    this.registerOutputs({ adminApiKey: this.adminApiKey });
  }

  private database(name: string, args: ApplicationArgs): InClusterDatabase | undefined {
    const { database } = args.settings;
    if (database.type === "external") return undefined;
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
      },
      { parent: this },
    );
  }

  /** How many Pods there are, and how many of them an eviction may take. */
  private availability(name: string, identity: Identity, args: ApplicationArgs, release: Release): void {
    const { settings, namespace } = args;
    const { autoscaling } = settings;
    const metadata = { namespace, labels: labels(identity) };
    if (settings.replicas > 1) {
      new PodDisruptionBudget(
        `${name}-budget`,
        {
          metadata,
          spec: { ...settings.disruptionBudget, selector: { matchLabels: liveLabels(identity) } },
        },
        { parent: this },
      );
    }
    if (autoscaling === undefined) return;
    new HorizontalPodAutoscaler(
      `${name}-autoscaler`,
      {
        metadata,
        spec: {
          scaleTargetRef: release.scaleTarget,
          minReplicas: settings.replicas,
          maxReplicas: autoscaling.maxReplicas,
          metrics: [
            {
              type: "Resource",
              resource: {
                name: "cpu",
                target: { type: "Utilization", averageUtilization: autoscaling.cpuUtilizationPercent },
              },
            },
          ],
          behavior: { scaleDown: { stabilizationWindowSeconds: autoscaling.scaleDownStabilizationSeconds } },
        },
      },
      { parent: this },
    );
  }
}

/**
 * Connections that the most Pods there can be open at the same time: those of two complete versions and one on trial,
 * whatever the strategy, for another number would restart the database.
 */
export function mostConnections(settings: ApplicationSettings): number {
  const { databasePoolSize } = settings.configuration;
  // Each Pod has one more for its readiness.
  return (2 * mostPods(settings) + 1) * (databasePoolSize + 1);
}

function mostPods({ replicas, autoscaling }: Pick<ApplicationSettings, "replicas" | "autoscaling">): number {
  return autoscaling?.maxReplicas ?? replicas;
}
