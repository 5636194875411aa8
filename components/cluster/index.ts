import { PriorityClass } from "@pulumi/kubernetes/scheduling/v1";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterSettings } from "../config/platform";
import { platformLabels } from "../labels";
import { PlatformNamespace } from "./namespace";

export interface ClusterArgs {
  readonly settings: ClusterSettings;
}

/** What has to be there before anything runs: guarded namespaces and the order in which Pods give way. */
export class Cluster extends pulumi.ComponentResource {
  /** Names of the namespaces, known before they are there. */
  readonly namespaceNames: readonly string[] = ["gateway", "inventory"];
  /** Namespace of the gateway. */
  readonly gateway: pulumi.Output<string>;
  /** Namespace of the application and its database. */
  readonly inventory: pulumi.Output<string>;
  /** Priority class of what the application cannot do without: the gateway and the database. */
  readonly platformPriority: pulumi.Output<string>;
  /** Priority class of the application. */
  readonly applicationPriority: pulumi.Output<string>;

  constructor(name: string, { settings }: ClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:cluster:Cluster", name, {}, opts);
    const parent = { parent: this };
    const namespaceOf = (namespace: "gateway" | "inventory") =>
      new PlatformNamespace(namespace, { namespace, quota: settings.quotas[namespace] }, parent).namespace;
    this.gateway = namespaceOf("gateway");
    this.inventory = namespaceOf("inventory");
    const priority = (role: string, value: number, description: string) =>
      new PriorityClass(
        `${name}-${role}`,
        {
          metadata: { labels: platformLabels },
          value,
          description,
          preemptionPolicy: "PreemptLowerPriority",
        },
        parent,
      ).metadata.name;
    this.platformPriority = priority("platform-priority", 100_000, "Gateway and databases.");
    this.applicationPriority = priority("application-priority", 10_000, "Applications that serve users.");
    this.registerOutputs({ gateway: this.gateway, inventory: this.inventory });
  }
}
