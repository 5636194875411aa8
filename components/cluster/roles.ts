import type { input } from "@pulumi/kubernetes/types";
import type { AccessSettings } from "../config/access";
import { historyName } from "../delivery/outcome";
import type { PodSecurityStandard } from "./namespaces";

export interface HumanRole {
  /** The setting that names who has it. */
  readonly groups: keyof AccessSettings;
  /** The namespaces in which they have it, by the standard that these keep; all if left out. */
  readonly standard?: PodSecurityStandard;
  readonly rules: readonly input.rbac.v1.PolicyRule[];
}

type Kinds = Readonly<Record<string, readonly string[]>>;

/** What is in a namespace and no secret, by group. */
const kinds: Kinds = {
  "": [
    ...["configmaps", "endpoints", "events", "limitranges", "persistentvolumeclaims", "pods", "podtemplates"],
    ...["replicationcontrollers", "resourcequotas", "serviceaccounts", "services"],
  ],
  apps: ["controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"],
  "argoproj.io": ["analysisruns", "analysistemplates", "experiments", "rollouts"],
  autoscaling: ["horizontalpodautoscalers"],
  batch: ["cronjobs", "jobs"],
  "bitnami.com": ["sealedsecrets"],
  "coordination.k8s.io": ["leases"],
  "discovery.k8s.io": ["endpointslices"],
  "events.k8s.io": ["events"],
  "gateway.networking.k8s.io": [
    ...["backendtlspolicies", "gateways", "grpcroutes", "httproutes", "referencegrants"],
  ],
  "networking.k8s.io": ["ingresses", "networkpolicies"],
  policy: ["poddisruptionbudgets"],
  "velero.io": [
    ...["backuprepositories", "backups", "backupstoragelocations", "datadownloads", "datauploads"],
    ...["deletebackuprequests", "podvolumebackups", "podvolumerestores", "restores"],
    ...["schedules", "serverstatusrequests", "volumesnapshotlocations"],
  ],
  "traefik.io": [
    ...["ingressroutes", "ingressroutetcps", "ingressrouteudps", "middlewares", "middlewaretcps"],
    ...["serverstransports", "serverstransporttcps", "tlsoptions", "tlsstores", "traefikservices"],
  ],
};

/** What there is to read beside that: logs, figures, states, numbers of replicas, and who may do what. */
const readOnly: Kinds = {
  "": ["namespaces", "pods/log", "pods/status"],
  apps: ["deployments/scale", "replicasets/scale", "statefulsets/scale"],
  "argoproj.io": ["rollouts/scale", "rollouts/status"],
  "metrics.k8s.io": ["pods"],
  "rbac.authorization.k8s.io": ["rolebindings", "roles"],
};

const allow = (verbs: string[], kindsOf: Kinds): input.rbac.v1.PolicyRule[] =>
  Object.entries(kindsOf).map(([group, resources]) => ({
    apiGroups: [group],
    resources: [...resources],
    verbs: [...verbs],
  }));

const viewer = [...allow(["get", "list", "watch"], kinds), ...allow(["get", "list", "watch"], readOnly)];

/** What counts an `undo` for the figures of delivery; whoever has it can write any sample. */
const tellPrometheus: input.rbac.v1.PolicyRule = {
  apiGroups: [""],
  resources: ["services/proxy"],
  resourceNames: ["prometheus:http"],
  verbs: ["create"],
};

/**
 * What a release needs by hand: `npm run release`, more or fewer Pods, and Pods made anew. Deployments and StatefulSets
 * are not patched, and so not restarted but by removing their Pods: whoever changes a Pod's template runs any program
 * with the Secrets and the account of the Pod. A Rollout's template is the exception, because `undo` is a change of it:
 * an operator is trusted with what Pods in the application's namespace can have, its Secrets and accounts.
 */
const operator = [
  ...viewer,
  ...allow(["patch"], { "argoproj.io": ["rollouts", "rollouts/status"] }),
  ...allow(["patch", "update"], {
    apps: ["deployments/scale", "statefulsets/scale"],
    "argoproj.io": ["rollouts/scale"],
  }),
  ...allow(["delete"], { "": ["pods"] }),
  // Where `undo` writes down which versions are still needed.
  { apiGroups: [""], resources: ["configmaps"], resourceNames: [historyName("inventory")], verbs: ["patch"] },
  tellPrometheus,
];

/** What is in one namespace only, and is no workload. */
const asides = [
  tellPrometheus,
  // Reading the audit trail, and the certificate to seal with.
  {
    apiGroups: [""],
    resources: ["services/proxy"],
    resourceNames: ["loki:http", "sealed-secrets:http"],
    verbs: ["get"],
  },
  // What they answer opens a backup, with all Secrets of the cluster where these are in it.
  ...allow(["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"], {
    "velero.io": ["downloadrequests"],
  }),
];

/**
 * Everything in a namespace but rights: roles and bindings are for the stack's settings to say, and a token or an
 * identity of somebody else is nobody's to take.
 */
const admin = [
  ...viewer,
  ...allow(["get", "list", "watch"], { "": ["secrets"] }),
  ...allow(["create", "delete", "deletecollection", "patch", "update"], {
    ...kinds,
    "": [...(kinds[""] ?? []), "secrets"],
  }),
  ...allow(["patch", "update"], {
    "": ["pods/ephemeralcontainers"],
    apps: ["deployments/scale", "replicasets/scale", "statefulsets/scale"],
    "argoproj.io": ["rollouts/scale", "rollouts/status"],
  }),
  ...allow(["create"], { "": ["pods/eviction"] }),
  ...asides,
  // A session is asked for with either, by protocol.
  ...allow(["create", "get"], { "": ["pods/attach", "pods/exec", "pods/portforward"] }),
];

/**
 * What admins have where Pods look into their nodes: whoever could write these Pods, or a session in them, would be root
 * on every node, and could give themselves any right.
 */
const nodeAgentAdmin = [
  ...operator,
  ...allow(["create", "delete", "patch", "update"], { "velero.io": kinds["velero.io"] ?? [] }),
  ...asides,
];

/** The roles of people, by name. */
export const humanRoles = {
  viewer: { groups: "viewers", rules: viewer },
  operator: { groups: "operators", rules: operator },
  admin: { groups: "admins", standard: "restricted", rules: admin },
  "node-agent-admin": { groups: "admins", standard: "privileged", rules: nodeAgentAdmin },
} as const satisfies Record<string, HumanRole>;
