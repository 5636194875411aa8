import { PriorityClass } from "@pulumi/kubernetes/scheduling/v1";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterSettings } from "../config/platform";
import { platformLabels } from "../labels";
import { Access } from "./access";
import { Admission } from "./admission";
import { PlatformNamespace } from "./namespace";
import type { NamespaceName, PodSecurityStandard } from "./namespaces";

export interface ClusterArgs {
  readonly settings: ClusterSettings;
  /** Name of the stack. */
  readonly stack: string;
  /** Registries and repositories that images may come from. */
  readonly registries: readonly string[];
  /** The namespaces that its parts live in, each with the standard that its Pods keep. */
  readonly namespaces: ReadonlyMap<NamespaceName, PodSecurityStandard>;
}

/** What has to be there before anything runs: guarded namespaces, what people may do there, and the order in which Pods give way. */
export class Cluster extends pulumi.ComponentResource {
  /** Names of the namespaces, known before they are there. */
  readonly namespaceNames: readonly NamespaceName[];
  /** Priority class of what the application cannot do without: the gateway and the database. */
  readonly platformPriority: pulumi.Output<string>;
  /** Priority class of the application. */
  readonly applicationPriority: pulumi.Output<string>;
  private readonly namespaces = new Map<NamespaceName, pulumi.Output<string>>();

  constructor(name: string, args: ClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:cluster:Cluster", name, {}, opts);
    const parent = { parent: this };
    for (const [namespace, standard] of args.namespaces) {
      const quota = args.settings.quotas[namespace];
      const created = new PlatformNamespace(namespace, { namespace, quota, standard }, parent);
      this.namespaces.set(namespace, created.namespace);
    }
    this.namespaceNames = [...args.namespaces.keys()];
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
    const held = [...args.namespaces].map(
      ([key, standard]) => [key, { namespace: this.namespaceOf(key), standard }] as const,
    );
    new Access(
      `${name}-access`,
      { settings: args.settings.access, namespaces: Object.fromEntries(held) },
      parent,
    );
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
    this.registerOutputs();
  }

  /**
   * A namespace, for what is put there.
   * @throws Error if the stack does not need it
   */
  readonly namespaceOf = (name: NamespaceName): pulumi.Output<string> => {
    const namespace = this.namespaces.get(name);
    if (namespace === undefined) throw new Error(`the stack has no namespace ${name}`);
    return namespace;
  };
}
