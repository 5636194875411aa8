import { ServiceAccount } from "@pulumi/kubernetes/core/v1";
import { Role, RoleBinding } from "@pulumi/kubernetes/rbac/v1";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import { labels } from "../../labels";
import { controllerIdentity } from "./names";

export interface SealedSecretsAccessArgs {
  /** Namespace of the controller and of its keys. */
  readonly namespace: pulumi.Input<string>;
  /** Names of the Secrets that it makes, by namespace. */
  readonly made: Readonly<Record<string, readonly string[]>>;
}

/**
 * What the controller may do: keep its keys, and make the Secrets that are sealed for it, by their names. Upstream
 * gives it every Secret of the cluster. It reads no Secret that it has not made, so it does not notice either when one
 * of its own is deleted: it makes that anew when it starts.
 */
export class SealedSecretsAccess extends pulumi.ComponentResource {
  readonly serviceAccount: pulumi.Output<string>;
  /** Whoever needs the controller's rights waits for them. */
  readonly bindings: readonly pulumi.Resource[];

  constructor(name: string, args: SealedSecretsAccessArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:addons:SealedSecretsAccess", name, {}, opts);
    const parent = { parent: this };
    const { namespace } = args;
    const account = new ServiceAccount(
      `${name}-account`,
      { metadata: { namespace, labels: labels(controllerIdentity) }, automountServiceAccountToken: false },
      parent,
    );
    this.serviceAccount = account.metadata.name;
    const grant = (role: string, where: pulumi.Input<string>, rules: input.rbac.v1.PolicyRule[]) => {
      const metadata = { namespace: where, labels: labels(controllerIdentity) };
      const made = new Role(`${name}-${role}-role`, { metadata, rules }, parent);
      return new RoleBinding(
        `${name}-${role}-binding`,
        {
          metadata,
          roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: made.metadata.name },
          subjects: [{ kind: "ServiceAccount", name: account.metadata.name, namespace }],
        },
        parent,
      );
    };
    this.bindings = [
      grant("own", namespace, ownRules),
      ...Object.entries(args.made).map(([where, names]) => grant(where, where, rulesIn(where, names))),
    ];
    this.registerOutputs();
  }
}

const sealed = { apiGroups: ["bitnami.com"], resources: ["sealedsecrets"], verbs: ["list", "watch"] };

/** Keys are found by their label, which no right can be limited to; the one name is that of versions long past. */
const ownRules: input.rbac.v1.PolicyRule[] = [
  { apiGroups: [""], resources: ["secrets"], verbs: ["create", "list"] },
  { apiGroups: [""], resources: ["secrets"], resourceNames: ["sealed-secrets-key"], verbs: ["get"] },
  sealed,
];

function rulesIn(namespace: string, names: readonly string[]): input.rbac.v1.PolicyRule[] {
  const named = {
    apiGroups: [""],
    resources: ["secrets"],
    resourceNames: [...names],
    verbs: ["get", "update"],
  };
  return [
    // It asks whether the namespace is there before it looks into it.
    { apiGroups: [""], resources: ["namespaces"], resourceNames: [namespace], verbs: ["get"] },
    sealed,
    { apiGroups: ["bitnami.com"], resources: ["sealedsecrets/status"], verbs: ["update"] },
    { apiGroups: [""], resources: ["events"], verbs: ["create", "patch"] },
    // Without one that is sealed it makes none; an empty list of names would stand for all.
    ...(names.length === 0 ? [] : [{ apiGroups: [""], resources: ["secrets"], verbs: ["create"] }, named]),
  ];
}
