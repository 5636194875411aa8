import { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from "@pulumi/kubernetes/rbac/v1";
import type { input } from "@pulumi/kubernetes/types";
import * as pulumi from "@pulumi/pulumi";
import { labels, type Identity } from "../../labels";

type Rule = input.rbac.v1.PolicyRule;

const rule = (group: string, resources: string[], verbs: string[]): Rule => ({
  apiGroups: [group],
  resources,
  verbs,
});
const read = ["get", "list", "watch"];

const kinds = [
  ...["backuprepositories", "backups", "backupstoragelocations", "deletebackuprequests", "downloadrequests"],
  ...["podvolumebackups", "podvolumerestores", "restores", "schedules", "serverstatusrequests"],
  ...["volumesnapshotlocations", "datadownloads", "datauploads"],
];

/** Velero's own objects, which are in its namespace alone. */
const ownKinds: Rule[] = [
  rule("velero.io", kinds, ["create", "delete", "get", "list", "patch", "update", "watch"]),
  rule(
    "velero.io",
    kinds.map((kind) => `${kind}/status`),
    ["get", "patch", "update"],
  ),
];

/** What both programs read and write in their namespace; they watch Secrets to find the store's key. */
const inNamespace: Rule[] = [
  ...ownKinds,
  rule("", ["configmaps", "secrets"], read),
  rule("", ["events"], ["create", "patch", ...read]),
  rule("", ["pods/log"], ["get"]),
  rule("apps", ["daemonsets", "deployments"], read),
];

/** The server runs a Job now and then that tidies up the store. */
export const serverRules: Rule[] = [
  ...inNamespace,
  rule("", ["pods"], read),
  rule("batch", ["jobs"], ["create", "delete", ...read]),
];

/** A node agent makes a Pod for each volume that is copied. */
export const nodeAgentRules: Rule[] = [...inNamespace, rule("", ["pods"], ["create", "delete", ...read])];

/** Where the volumes of a Pod lie. */
export const volumeRules: Rule[] = [
  rule("", ["nodes", "persistentvolumeclaims", "persistentvolumes", "pods"], read),
  rule("storage.k8s.io", ["csidrivers", "storageclasses"], read),
];

/** Kubernetes' own kinds by name: a wildcard would be a way to the kubelets and into every Pod. */
const coreKinds = [
  ...["configmaps", "limitranges", "namespaces", "nodes", "persistentvolumeclaims", "persistentvolumes"],
  ...["pods", "podtemplates", "replicationcontrollers", "resourcequotas", "serviceaccounts", "services"],
];

/** Groups whose kinds are kept; those of a cluster's own are added by the settings. */
export const keptGroups = [
  ...["admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "apps"],
  ...["argoproj.io", "autoscaling", "batch", "certificates.k8s.io", "flowcontrol.apiserver.k8s.io"],
  ...["gateway.networking.k8s.io", "networking.k8s.io", "node.k8s.io", "policy"],
  ...["rbac.authorization.k8s.io", "resource.k8s.io", "scheduling.k8s.io", "storage.k8s.io", "traefik.io"],
  "velero.io",
];

/** Everything there is to keep, to be read; what is written is in Velero's own namespace. */
export function clusterRules(additionalApiGroups: readonly string[], includeSecrets: boolean): Rule[] {
  const core = [...coreKinds, ...(includeSecrets ? ["secrets"] : [])];
  return [
    rule("", core, ["get", "list"]),
    { apiGroups: [...keptGroups, ...additionalApiGroups], resources: ["*"], verbs: ["get", "list"] },
  ];
}

export interface RightsArgs {
  readonly identity: Identity;
  readonly namespace: pulumi.Input<string>;
  readonly serviceAccountName: pulumi.Input<string>;
  /** In its namespace, and in the whole cluster. */
  readonly own: readonly Rule[];
  readonly everywhere: readonly Rule[];
}

/** One program's rights, under names that the policies' exceptions know. */
export class Rights extends pulumi.ComponentResource {
  constructor(name: string, args: RightsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:addons:VeleroRights", name, {}, opts);
    const parent = { parent: this };
    const { namespace, serviceAccountName } = args;
    const metadata = { namespace, labels: labels(args.identity), name };
    const cluster = { labels: labels(args.identity), name: `technova-${name}` };
    const apiGroup = "rbac.authorization.k8s.io";
    const subjects = [{ kind: "ServiceAccount", name: serviceAccountName, namespace }];
    const role = new Role(`${name}-role`, { metadata, rules: [...args.own] }, parent);
    new RoleBinding(
      `${name}-binding`,
      { metadata, roleRef: { apiGroup, kind: "Role", name: role.metadata.name }, subjects },
      parent,
    );
    const clusterRole = new ClusterRole(
      `${name}-cluster-role`,
      { metadata: cluster, rules: [...args.everywhere] },
      parent,
    );
    new ClusterRoleBinding(
      `${name}-cluster-binding`,
      {
        metadata: cluster,
        roleRef: { apiGroup, kind: "ClusterRole", name: clusterRole.metadata.name },
        subjects,
      },
      parent,
    );
    this.registerOutputs();
  }
}
