import { ServiceAccount } from "@pulumi/kubernetes/core/v1";
import { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from "@pulumi/kubernetes/rbac/v1";
import * as pulumi from "@pulumi/pulumi";

export interface TraefikAccessArgs {
  /** Namespace that Traefik runs in. */
  readonly namespace: pulumi.Input<string>;
  /** Namespaces that it serves, its own among them, by a name for the resource. */
  readonly served: Readonly<Record<string, pulumi.Input<string>>>;
  readonly labels: Record<string, string>;
  /** Whether Traefik's own objects are looked for too. */
  readonly ownObjects: boolean;
}

const read = ["get", "list", "watch"];
const gatewayApi = "gateway.networking.k8s.io";

/**
 * What Traefik may read. It looks for certificates in every namespace that it serves and cannot be told a list of
 * names, so it may read the Secrets there; in no other namespace may it read anything.
 */
export class TraefikAccess extends pulumi.ComponentResource {
  readonly serviceAccount: pulumi.Output<string>;

  constructor(name: string, args: TraefikAccessArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:addons:TraefikAccess", name, {}, opts);
    const parent = { parent: this };
    const { namespace, labels } = args;
    const account = new ServiceAccount(
      `${name}-account`,
      { metadata: { namespace, labels }, automountServiceAccountToken: false },
      parent,
    );
    this.serviceAccount = account.metadata.name;
    const subjects = [{ kind: "ServiceAccount", name: this.serviceAccount, namespace }];
    const cluster = new ClusterRole(
      `${name}-cluster-role`,
      {
        metadata: { labels },
        rules: [
          { apiGroups: [""], resources: ["namespaces"], verbs: read },
          { apiGroups: [gatewayApi], resources: ["gatewayclasses"], verbs: read },
          { apiGroups: [gatewayApi], resources: ["gatewayclasses/status"], verbs: ["update"] },
        ],
      },
      parent,
    );
    new ClusterRoleBinding(
      `${name}-cluster-binding`,
      { metadata: { labels }, roleRef: roleRef("ClusterRole", cluster.metadata.name), subjects },
      parent,
    );
    for (const [role, served] of Object.entries(args.served)) {
      const local = new Role(
        `${name}-${role}-role`,
        { metadata: { namespace: served, labels }, rules: args.ownObjects ? [...rules, ownRule] : rules },
        parent,
      );
      new RoleBinding(
        `${name}-${role}-binding`,
        {
          metadata: { namespace: served, labels },
          roleRef: roleRef("Role", local.metadata.name),
          subjects,
        },
        parent,
      );
    }
    this.registerOutputs({ serviceAccount: this.serviceAccount });
  }
}

const routes = ["gateways", "httproutes", "grpcroutes", "backendtlspolicies"];

const rules = [
  { apiGroups: [""], resources: ["services", "secrets", "configmaps"], verbs: read },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: read },
  { apiGroups: [gatewayApi], resources: [...routes, "referencegrants"], verbs: read },
  { apiGroups: [gatewayApi], resources: routes.map((resource) => `${resource}/status`), verbs: ["update"] },
];

/** Traefik insists on watching all of its kinds, of which only one is used. */
const ownRule = {
  apiGroups: ["traefik.io"],
  resources: [
    ...["ingressroutes", "ingressroutetcps", "ingressrouteudps", "middlewares", "middlewaretcps"],
    ...["serverstransports", "serverstransporttcps", "tlsoptions", "tlsstores", "traefikservices"],
  ],
  verbs: read,
};

function roleRef(kind: "ClusterRole" | "Role", name: pulumi.Input<string>) {
  return { apiGroup: "rbac.authorization.k8s.io", kind, name };
}
