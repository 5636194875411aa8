import { ClusterRole, RoleBinding } from "@pulumi/kubernetes/rbac/v1";
import * as pulumi from "@pulumi/pulumi";
import type { AccessSettings } from "../config/access";
import { platformLabels } from "../labels";
import type { PodSecurityStandard } from "./namespaces";
import { type HumanRole, humanRoles } from "./roles";

export interface AccessArgs {
  readonly settings: AccessSettings;
  /** The platform's namespaces, by a name for the resource, with the standard that each keeps. */
  readonly namespaces: Readonly<Record<string, HeldNamespace>>;
}

export interface HeldNamespace {
  readonly namespace: pulumi.Input<string>;
  readonly standard: PodSecurityStandard;
}

/**
 * What people may do: three roles, which groups have in the platform's namespaces and nowhere else. Who is in a group,
 * the cluster's identity provider says.
 */
export class Access extends pulumi.ComponentResource {
  constructor(name: string, args: AccessArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:cluster:Access", name, {}, opts);
    const parent = { parent: this };
    const roles: Readonly<Record<string, HumanRole>> = humanRoles;
    for (const [role, { groups, rules, standard }] of Object.entries(roles)) {
      const named = args.settings[groups];
      const clusterRole = new ClusterRole(
        `${name}-${role}`,
        // A fixed name: people ask for it, and bind it by hand where somebody needs it for a day.
        { metadata: { name: `technova-${role}`, labels: platformLabels }, rules: [...rules] },
        parent,
      );
      if (named.length === 0) continue;
      for (const [key, { namespace, standard: held }] of Object.entries(args.namespaces)) {
        if (standard !== undefined && standard !== held) continue;
        new RoleBinding(
          `${name}-${role}-${key}`,
          {
            metadata: { namespace, labels: platformLabels },
            roleRef: {
              apiGroup: "rbac.authorization.k8s.io",
              kind: "ClusterRole",
              name: clusterRole.metadata.name,
            },
            subjects: named.map((group) => ({
              apiGroup: "rbac.authorization.k8s.io",
              kind: "Group",
              name: group,
            })),
          },
          parent,
        );
      }
    }
    this.registerOutputs();
  }
}
