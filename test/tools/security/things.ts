import { goodContainer, goodPod } from "../../support/policy";
import { githubThings } from "./githubThings";

export type Body = Record<string, unknown>;

/** A resource of the state, or an object of the cluster. */
export interface Thing {
  readonly type: string;
  readonly object: Body;
  /** The paths that list it: of all namespaces, and of its own. */
  readonly path: readonly string[];
  /** The name of the resource, where it is another than the object's. */
  readonly title?: string;
  /** What the state says of it, where that is not the object itself. */
  readonly inputs?: Body;
}

export const digest = `sha256:${"ab".repeat(32)}`;
export const image = `ghcr.io/technova/inventory@${digest}`;
const dns = [{ namespaceSelector: { matchLabels: { name: "kube-system" } }, podSelector: {} }];
const namespaces = ["inventory", "falco", "sealing"] as const;
export const secretMark = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };

export function settingsOfWorld(): Record<string, unknown> {
  return {
    "technova:cluster": {},
    "technova:falco": {},
    "technova:sealedSecrets": {},
    "technova:monitoring": { logs: { auditLogFolder: "/var/log/kubernetes" } },
    "technova:github": { owner: "technova", repository: { name: "platform" } },
  };
}

/** A stack with one of everything that a control asks about. */
export function deployed(): Thing[] {
  return [...namespaces.flatMap(ofNamespace), ...workloads(), ...ofCluster(), ...githubThings()];
}

const podMakers = ["Deployment", "DaemonSet", "StatefulSet", "Rollout", "Job"];

/** What a cluster has of it, with what controllers add. */
export function running(things: readonly Thing[]): Thing[] {
  const objects = things.filter(({ path }) => path.length > 0);
  const live = structuredClone(objects).map((thing) => ({ ...thing, object: { ...thing.object } }));
  for (const { object } of live) {
    const { replicas = 1 } = (object.spec ?? {}) as { replicas?: number };
    if (object.kind === "Deployment") object.status = { readyReplicas: replicas };
    if (object.kind === "DaemonSet") object.status = { desiredNumberScheduled: 2, numberReady: 2 };
    if (object.kind === "NetworkPolicy") fillInPorts(object);
    if (object.kind === "ValidatingAdmissionPolicy") fillInMatches(object);
    if (object.kind === "SealedSecret") object.status = { conditions: [{ type: "Synced", status: "True" }] };
  }
  const pods = live.filter(({ object }) => podMakers.includes(String(object.kind)));
  return [...live, ...pods.map(({ object }) => podOf(object))];
}

/** As the API server does. */
function fillInMatches({ spec }: Body): void {
  const { matchConstraints: given } = spec as { matchConstraints: { resourceRules: Body[] } };
  const resourceRules = given.resourceRules.map((rule) => ({ ...rule, scope: "*" }));
  const selectors = { namespaceSelector: {}, objectSelector: {} };
  const matchConstraints = { matchPolicy: "Equivalent", ...selectors, ...given, resourceRules };
  Object.assign(spec as Body, { matchConstraints });
}

function fillInPorts(object: Body): void {
  const { egress = [] } = object.spec as { egress?: { ports?: Body[] }[] };
  for (const { ports = [] } of egress) for (const port of ports) port.protocol ??= "TCP";
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
    kubernetes(
      "networking.k8s.io/v1",
      "NetworkPolicy",
      "networkpolicies",
      { name: `${namespace}-to-dns`, namespace },
      { spec: { podSelector: {}, policyTypes: ["Egress"], egress: [{ to: dns, ports: [{ port: 53 }] }] } },
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
      {
        spec: {
          failurePolicy: "Fail",
          matchConstraints: {
            namespaceSelector: {
              matchExpressions: [
                { key: "kubernetes.io/metadata.name", operator: "In", values: [...namespaces] },
              ],
            },
            resourceRules: [
              { apiGroups: [""], apiVersions: ["*"], operations: ["CREATE", "UPDATE"], resources: ["pods"] },
            ],
          },
          variables: [{ name: "spec", expression: "object.spec" }],
          validations: [{ expression: "has(variables.spec.containers)", message: "no", reason: "Forbidden" }],
        },
      },
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

interface PodSpec extends Body {
  readonly containers: readonly Body[];
}

/** A Pod of a Deployment, by way of its ReplicaSet, or of a DaemonSet. */
function podOf(object: Body): Thing {
  const { name = "", namespace } = object.metadata as { name: string; namespace: string };
  const { template } = (object as { spec: { template: { metadata: Body; spec: PodSpec } } }).spec;
  const owner = ["Deployment", "Rollout"].includes(String(object.kind))
    ? { kind: "ReplicaSet", name: `${name}-5d4f8c` }
    : { kind: object.kind, name };
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
    containerStatuses: template.spec.containers.map(({ name: of, image: from }) => ({
      name: of,
      imageID: from,
    })),
  };
  return pod;
}
