import { goodContainer, goodPod } from "../../support/policy";

type Body = Record<string, unknown>;

/** A resource of the state, or an object of the cluster. */
export interface Thing {
  readonly type: string;
  readonly object: Body;
  /** The paths that list it: of all namespaces, and of its own. */
  readonly path: readonly string[];
  /** What the state says of it, where that is not the object itself. */
  readonly inputs?: Body;
}

export const digest = `sha256:${"ab".repeat(32)}`;
export const image = `ghcr.io/technova/inventory@${digest}`;
const namespaces = ["inventory", "falco", "sealing"] as const;
const secretMark = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };

export function settingsOfWorld(): Record<string, unknown> {
  return {
    "technova:cluster": { appArmor: {} },
    "technova:falco": {},
    "technova:sealedSecrets": {},
    "technova:monitoring": { logs: { auditLogFolder: "/var/log/kubernetes" } },
    "technova:github": { owner: "technova", repository: { name: "platform" } },
  };
}

/** A stack with one of everything that a control asks about. */
export function deployed(): Thing[] {
  return [...namespaces.flatMap(ofNamespace), ...workloads(), ...ofCluster(), ...ofGithub()];
}

/** What a cluster has of it, with what controllers add. */
export function running(things: readonly Thing[]): Thing[] {
  const objects = things.filter(({ path }) => path.length > 0);
  const live = structuredClone(objects).map((thing) => ({ ...thing, object: { ...thing.object } }));
  for (const { object } of live) {
    if (object.kind === "Deployment") object.status = { readyReplicas: 1 };
    if (object.kind === "DaemonSet") object.status = { desiredNumberScheduled: 2, numberReady: 2 };
    if (object.kind === "SealedSecret") object.status = { conditions: [{ type: "Synced", status: "True" }] };
  }
  const pods = live.filter(({ object }) => object.kind === "Deployment" || object.kind === "DaemonSet");
  return [...live, ...pods.map(({ object }) => podOf(object))];
}

export function kubernetes(
  apiVersion: string,
  kind: string,
  plural: string,
  metadata: { name: string; namespace?: string; labels?: Body },
  rest: Body = {},
): Thing {
  const root = apiVersion === "v1" ? "/api/v1" : `/apis/${apiVersion}`;
  const { namespace } = metadata;
  const own = namespace === undefined ? [] : [`${root}/namespaces/${namespace}/${plural}`];
  return {
    type: `kubernetes:${apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`}:${kind}`,
    object: { apiVersion, kind, metadata: { ...metadata }, ...rest },
    path: [`${root}/${plural}`, ...own],
  };
}

function ofNamespace(namespace: string): Thing[] {
  const labels = { "pod-security.kubernetes.io/enforce": "restricted" };
  return [
    kubernetes("v1", "Namespace", "namespaces", { name: namespace, labels }),
    kubernetes(
      "networking.k8s.io/v1",
      "NetworkPolicy",
      "networkpolicies",
      { name: "default-deny", namespace },
      { spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] } },
    ),
    kubernetes("v1", "ResourceQuota", "resourcequotas", { name: "quota", namespace }, { spec: { hard: {} } }),
    kubernetes("v1", "LimitRange", "limitranges", { name: "limits", namespace }, { spec: { limits: [] } }),
  ];
}

function workload(kind: "Deployment" | "DaemonSet", name: string, namespace: string, more: Body = {}): Thing {
  const { metadata, spec } = goodPod() as { metadata: Body; spec: Body };
  const container = { ...goodContainer(), image };
  const appArmorProfile = { type: "RuntimeDefault" };
  const pod = {
    ...spec,
    serviceAccountName: name,
    securityContext: { appArmorProfile },
    containers: [container],
    ...more,
  };
  const { labels, annotations } = metadata;
  return kubernetes(
    "apps/v1",
    kind,
    kind === "Deployment" ? "deployments" : "daemonsets",
    {
      name,
      namespace,
      labels: { "app.kubernetes.io/component": name === "receiver" ? "event-receiver" : name },
    },
    { spec: { replicas: 1, template: { metadata: { labels, annotations }, spec: pod } } },
  );
}

function workloads(): Thing[] {
  const rules = { name: "rules", configMap: { name: "falco-rules-1a2b3c4d" } };
  const account = (name: string, namespace: string) =>
    kubernetes(
      "v1",
      "ServiceAccount",
      "serviceaccounts",
      { name, namespace },
      { automountServiceAccountToken: false },
    );
  return [
    workload("Deployment", "web", "inventory"),
    workload("Deployment", "receiver", "falco"),
    workload("DaemonSet", "falco", "falco", { volumes: [rules] }),
    workload("Deployment", "sealed-secrets", "sealing"),
    account("web", "inventory"),
    account("falco", "falco"),
    kubernetes(
      "rbac.authorization.k8s.io/v1",
      "Role",
      "roles",
      { name: "web", namespace: "inventory" },
      { rules: [{ apiGroups: ["apps"], resources: ["deployments"], verbs: ["patch"] }] },
    ),
    kubernetes(
      "rbac.authorization.k8s.io/v1",
      "RoleBinding",
      "rolebindings",
      { name: "web", namespace: "inventory" },
      {
        roleRef: { kind: "Role", name: "web" },
        subjects: [{ kind: "ServiceAccount", name: "web", namespace: "inventory" }],
      },
    ),
    kubernetes(
      "v1",
      "Service",
      "services",
      { name: "web", namespace: "inventory" },
      { spec: { type: "ClusterIP" } },
    ),
    secret(),
    kubernetes("bitnami.com/v1alpha1", "SealedSecret", "sealedsecrets", {
      name: "database",
      namespace: "inventory",
    }),
  ];
}

/** The state alone has it: no control reads Secrets of the cluster. */
function secret(): Thing {
  const made = kubernetes("v1", "Secret", "secrets", { name: "password", namespace: "inventory" });
  const data = { ...secretMark, plaintext: JSON.stringify({ password: "c2VjcmV0" }) };
  return { ...made, path: [], inputs: { ...made.object, data } };
}

function ofCluster(): Thing[] {
  const group = "admissionregistration.k8s.io/v1";
  return [
    kubernetes(
      group,
      "ValidatingAdmissionPolicy",
      "validatingadmissionpolicies",
      { name: "technova-images" },
      { spec: { failurePolicy: "Fail" } },
    ),
    kubernetes(
      group,
      "ValidatingAdmissionPolicyBinding",
      "validatingadmissionpolicybindings",
      { name: "technova-images" },
      { spec: { policyName: "technova-images", validationActions: ["Deny"] } },
    ),
  ];
}

function ofGithub(): Thing[] {
  const github = (type: string, object: Body): Thing => ({ type: `github:index/${type}`, object, path: [] });
  const repository = "platform";
  const enabled = { status: "enabled" };
  const ruleset = (branch: string) =>
    github("repositoryRuleset:RepositoryRuleset", {
      repository,
      name: branch,
      target: "branch",
      enforcement: "active",
      conditions: { refName: { includes: [`refs/heads/${branch}`], excludes: [] } },
      rules: {
        deletion: true,
        nonFastForward: true,
        requiredLinearHistory: true,
        requiredSignatures: true,
        pullRequest: {
          requiredApprovingReviewCount: 2,
          requireCodeOwnerReview: true,
          dismissStaleReviewsOnPush: true,
          requireLastPushApproval: true,
          requiredReviewThreadResolution: true,
        },
        requiredStatusChecks: {
          requiredChecks: [{ context: "test" }, { context: "preview" }],
          strictRequiredStatusChecksPolicy: true,
        },
      },
    });
  const environment = (name: string) =>
    github("repositoryEnvironment:RepositoryEnvironment", {
      repository,
      environment: name,
      canAdminsBypass: false,
      preventSelfReview: true,
      reviewers: [{ teams: [1] }],
      deploymentBranchPolicy: { protectedBranches: false, customBranchPolicies: true },
    });
  const branchOf = (name: string, branchPattern: string) =>
    github("repositoryEnvironmentDeploymentPolicy:RepositoryEnvironmentDeploymentPolicy", {
      repository,
      environment: name,
      branchPattern,
    });
  return [
    github("repository:Repository", {
      name: repository,
      visibility: "private",
      vulnerabilityAlerts: true,
      securityAndAnalysis: { secretScanning: enabled, secretScanningPushProtection: enabled },
    }),
    github("branchDefault:BranchDefault", { repository, branch: "main" }),
    ruleset("main"),
    ruleset("develop"),
    environment("production"),
    branchOf("production", "main"),
    github("actionsRepositoryPermissions:ActionsRepositoryPermissions", {
      repository,
      allowedActions: "selected",
      allowedActionsConfig: { githubOwnedAllowed: true, verifiedAllowed: false },
      shaPinningRequired: true,
    }),
    github("workflowRepositoryPermissions:WorkflowRepositoryPermissions", {
      repository,
      defaultWorkflowPermissions: "read",
      canApprovePullRequestReviews: false,
    }),
  ];
}

/** A Pod of a Deployment, by way of its ReplicaSet, or of a DaemonSet. */
function podOf(object: Body): Thing {
  const { name = "", namespace } = object.metadata as { name: string; namespace: string };
  const { template } = (object as { spec: { template: { metadata: Body; spec: Body } } }).spec;
  const owner =
    object.kind === "Deployment"
      ? { kind: "ReplicaSet", name: `${name}-5d4f8c` }
      : { kind: "DaemonSet", name };
  const pod = kubernetes(
    "v1",
    "Pod",
    "pods",
    { name: `${name}-x1`, namespace },
    { spec: structuredClone(template.spec) },
  );
  Object.assign(pod.object.metadata as Body, structuredClone(template.metadata), {
    ownerReferences: [owner],
  });
  pod.object.status = {
    phase: "Running",
    containerStatuses: [{ name: "app", imageID: image }],
  };
  return pod;
}
