import { PriorityClass } from "@pulumi/kubernetes/scheduling/v1";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterSettings } from "../config/platform";
import { platformLabels } from "../labels";
import { Access } from "./access";
import { Admission } from "./admission";
import { PlatformNamespace, type PlatformNamespaceArgs } from "./namespace";

export interface ClusterArgs {
  readonly settings: ClusterSettings;
  /** Name of the stack. */
  readonly stack: string;
  /** Registries and repositories that images may come from. */
  readonly registries: readonly string[];
  /** Whether something that drives releases needs its namespace. */
  readonly delivery: boolean;
  /** Whether something that measures needs its namespace. */
  readonly monitoring: boolean;
  /** Whether something that reads the nodes' logs needs its namespace. */
  readonly logging: boolean;
  /** What watches the containers and needs its namespace: the receiver alone, or also a sensor that looks into nodes. */
  readonly falco?: "receiver" | "sensor";
  /** Whether something that opens sealed Secrets needs its namespace. */
  readonly sealing: boolean;
  /** What keeps the cluster and needs its namespace: objects alone, or also volumes, which it finds on nodes. */
  readonly backup?: "objects" | "volumes";
}

/** What has to be there before anything runs: guarded namespaces, what people may do there, and the order in which Pods give way. */
export class Cluster extends pulumi.ComponentResource {
  /** Names of the namespaces, known before they are there. */
  readonly namespaceNames: readonly string[];
  /** Namespace of the gateway. */
  readonly gateway: pulumi.Output<string>;
  /** Namespace of the application and its database. */
  readonly inventory: pulumi.Output<string>;
  /** Namespace of what drives releases. */
  readonly delivery: pulumi.Output<string> | undefined;
  /** Namespace of what measures. */
  readonly monitoring: pulumi.Output<string> | undefined;
  /** Namespace of what reads the nodes' logs. */
  readonly logging: pulumi.Output<string> | undefined;
  /** Namespace of what watches the containers. */
  readonly falco: pulumi.Output<string> | undefined;
  /** Namespace of what opens sealed Secrets. */
  readonly sealing: pulumi.Output<string> | undefined;
  /** Namespace of what keeps the cluster. */
  readonly backup: pulumi.Output<string> | undefined;
  /** Priority class of what the application cannot do without: the gateway and the database. */
  readonly platformPriority: pulumi.Output<string>;
  /** Priority class of the application. */
  readonly applicationPriority: pulumi.Output<string>;

  constructor(name: string, args: ClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:cluster:Cluster", name, {}, opts);
    const parent = { parent: this };
    const namespaces: Record<string, pulumi.Output<string>> = {};
    const namespaceOf = (
      namespace: keyof ClusterSettings["quotas"],
      standard?: PlatformNamespaceArgs["standard"],
    ) => {
      const quota = args.settings.quotas[namespace];
      const created = new PlatformNamespace(namespace, { namespace, quota, standard }, parent).namespace;
      namespaces[namespace] = created;
      return created;
    };
    this.gateway = namespaceOf("gateway");
    this.inventory = namespaceOf("inventory");
    this.delivery = args.delivery ? namespaceOf("delivery") : undefined;
    this.monitoring = args.monitoring ? namespaceOf("monitoring") : undefined;
    // Pods there look into their nodes.
    this.logging = args.logging ? namespaceOf("logging", "privileged") : undefined;
    this.sealing = args.sealing ? namespaceOf("sealing") : undefined;
    const standard = (onNodes: boolean) => (onNodes ? "privileged" : "restricted");
    const { falco, backup } = args;
    this.falco = falco && namespaceOf("falco", standard(falco === "sensor"));
    this.backup = backup && namespaceOf("backup", standard(backup === "volumes"));
    this.namespaceNames = Object.keys(namespaces);
    const { admission } = args.settings;
    if (admission.enabled) {
      new Admission(
        `${name}-admission`,
        {
          settings: admission,
          stack: args.stack,
          registries: args.registries,
          namespaces: this.namespaceNames,
          appArmor: args.settings.appArmor,
        },
        parent,
      );
    }
    new Access(`${name}-access`, { settings: args.settings.access, namespaces }, parent);
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
