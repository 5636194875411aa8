import { ServiceAccount } from "@pulumi/kubernetes/core/v1";
import { HorizontalPodAutoscaler } from "@pulumi/kubernetes/autoscaling/v2";
import { PodDisruptionBudget } from "@pulumi/kubernetes/policy/v1";
import * as pulumi from "@pulumi/pulumi";
import type { ParentReference } from "../addons/gateway";
import { AllowedFlows, type Pods } from "../cluster/flows";
import type { ApplicationSettings } from "../config/application";
import type { ImageSource } from "../images";
import { labels, selectorLabels, type Identity } from "../labels";
import { Configuration } from "./configuration";
import { InClusterDatabase } from "./database";
import { applicationFlows } from "./flows";
import { Downgrade, Migration, migrationIdentity } from "./migration";
import type { Releases } from "./outcome";
import { Route } from "./route";
import { deployWorkload, type Workload } from "./strategy";
import { servingPod, type PodArgs } from "./workload";

export interface ApplicationArgs {
  readonly settings: ApplicationSettings;
  /** Name of the environment, for people. */
  readonly environment: string;
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
  readonly gatewayPods: Pods;
  /** Whether the platform brings its own monitoring. */
  readonly monitored: boolean;
  /** What drives and judges releases; needed by every strategy but the rolling one. */
  readonly releases?: Releases;
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
    const { settings, namespace } = args;
    const identity: Identity = { name, component: "api" };
    const flows = new AllowedFlows(
      `${name}-flows`,
      {
        flows: applicationFlows({
          identity,
          namespace,
          gateway: args.gatewayPods,
          database: settings.database,
          snapshot: settings.migration.snapshot,
          monitored: args.monitored,
          apiServerCidrs: settings.strategy.type === "rolling" ? undefined : args.releases?.apiServerCidrs,
        }),
      },
      parent,
    );
    const database = this.database(name, args);
    const configuration = new Configuration(
      `${name}-config`,
      {
        application: name,
        settings,
        environment: args.environment,
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
    });
    const migration = new Migration(
      `${name}-migration`,
      {
        ...pod(migrationIdentity(name)),
        namespace,
        images: args.images,
        releasesConfigMapName: `${name}-releases`,
      },
      { ...parent, dependsOn: database === undefined ? [flows] : [flows, database] },
    );
    const workload = deployWorkload(
      name,
      settings.strategy,
      {
        identity,
        namespace,
        version: settings.version,
        template: servingPod(pod(identity)),
        replicas: settings.autoscaling === undefined ? settings.replicas : undefined,
        releases: args.releases,
      },
      { ...parent, dependsOn: [migration] },
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
        { ...parent, dependsOn: [workload] },
      );
    }
    this.availability(name, identity, args, workload);
    new Route(
      name,
      {
        identity,
        namespace,
        hostname: settings.hostname,
        gateway: args.gateway,
        backends: workload.backends,
        testBackends: workload.testBackends,
      },
      // Not before it serves: when the strategy changes, the one before goes on serving until then.
      { ...parent, dependsOn: workload },
    );
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
      },
      { parent: this },
    );
  }

  /** How many Pods there are, and how many of them an eviction may take. */
  private availability(name: string, identity: Identity, args: ApplicationArgs, workload: Workload): void {
    const { settings, namespace } = args;
    const { autoscaling } = settings;
    const metadata = { namespace, labels: labels(identity) };
    if (settings.replicas > 1) {
      new PodDisruptionBudget(
        `${name}-budget`,
        {
          metadata,
          spec: { ...settings.disruptionBudget, selector: { matchLabels: selectorLabels(identity) } },
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
          scaleTargetRef: workload.scaleTarget,
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

/** Connections that the most Pods there can be, those of a release in progress included, open at the same time. */
export function mostConnections({
  replicas,
  autoscaling,
  strategy,
  configuration,
}: ApplicationSettings): number {
  const pods = autoscaling?.maxReplicas ?? replicas;
  // Both versions of a canary are complete towards its end.
  const maxSurge = strategy.type === "rolling" ? strategy.maxSurge : "100%";
  const surge = typeof maxSurge === "number" ? maxSurge : Math.ceil((parseInt(maxSurge, 10) / 100) * pods);
  // Each Pod has one more for its readiness.
  return (pods + surge) * (configuration.databasePoolSize + 1);
}
