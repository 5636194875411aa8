import type { FakeCluster } from "../tools/plugins/kubernetes/support/fake-cluster";
import { withField, type KubeObject } from "../../tools/plugins/kubernetes/object";
import type { PropertyMap } from "../../tools/plugins/rpc/values";

/** One object of each kind that people change by hand. */
export const driftProgram = `
const pulumi = require("@pulumi/pulumi");
const { ConfigMap, ConfigMapPatch, Namespace, Secret } = require("@pulumi/kubernetes/core/v1");
const { Deployment } = require("@pulumi/kubernetes/apps/v1");
const { HorizontalPodAutoscaler } = require("@pulumi/kubernetes/autoscaling/v2");
const { NetworkPolicy } = require("@pulumi/kubernetes/networking/v1");
const { RoleBinding } = require("@pulumi/kubernetes/rbac/v1");
const { CustomResourceDefinition } = require("@pulumi/kubernetes/apiextensions/v1");
const { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } = require("@pulumi/kubernetes/admissionregistration/v1");
const { RandomString } = require("@pulumi/random");
const config = new pulumi.Config();
const opts = { dependsOn: new Namespace("shop", { metadata: { name: "shop", labels: { "pod-security.kubernetes.io/enforce": "restricted" } } }) };
const named = (name, labels) => ({ name, namespace: "shop", ...(labels && { labels }) });
const web = (name, more) => new Deployment(name, {
  metadata: named(name, { app: name, team: "shop" }),
  spec: {
    minReadySeconds: 5,
    ...more,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "web", image: "web:1" }] } },
  },
}, opts);
web("web", { replicas: 2 });
web("scaled");
web("labelled", { replicas: 1 });
new HorizontalPodAutoscaler("scaler", { metadata: named("scaler"), spec: { maxReplicas: 9, scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "scaled" } } }, opts);
new ConfigMap("settings", { metadata: named("settings"), data: { level: "info" } }, opts);
new ConfigMap("fixed", { metadata: named("fixed"), immutable: true, data: { level: "info" } }, opts);
new ConfigMapPatch("kept", { metadata: named("kept"), immutable: true, data: { level: "info" } }, opts);
new ConfigMap("made", { metadata: named("made"), data: { level: "info" } }, opts);
new Secret("password", { metadata: named("password"), stringData: { token: config.requireSecret("token") } }, opts);
new NetworkPolicy("deny", { metadata: named("deny"), spec: { podSelector: {}, policyTypes: ["Ingress"] } }, opts);
new NetworkPolicy("allow", { metadata: named("allow"), spec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }] }] } }, opts);
new RoleBinding("readers", { metadata: named("readers"), roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" }, subjects: [{ kind: "Group", name: "readers", apiGroup: "rbac.authorization.k8s.io" }] }, opts);
new CustomResourceDefinition("widgets", { metadata: { name: "widgets.example.com" }, spec: { group: "example.com", scope: "Namespaced", names: { kind: "Widget", plural: "widgets" }, versions: [{ name: "v1", served: true, storage: true }] } });
new ValidatingAdmissionPolicy("images", { metadata: { name: "images" }, spec: { failurePolicy: "Fail", validations: [{ expression: "true" }] } });
new ValidatingAdmissionPolicyBinding("images", { metadata: { name: "images" }, spec: { policyName: "images", validationActions: ["Deny"] } });
new RandomString("tag", { length: 4 });
`;

/** Deployments are available as soon as they are written. */
export function available(object: KubeObject): KubeObject {
  if (object.kind !== "Deployment") return object;
  const replicas = Number((object.spec as PropertyMap).replicas ?? 1);
  const { generation } = object.metadata as PropertyMap;
  const counts = { replicas, updatedReplicas: replicas, availableReplicas: replicas };
  return { ...object, status: { observedGeneration: generation ?? 1, ...counts } };
}

type Part = Record<string, unknown>;
interface Editable {
  readonly metadata: Part;
  readonly spec: Part;
  data: Part;
  readonly subjects?: object[];
}

/** What people do to the objects of the program, by the name of the finding that it has to lead to. */
export const disturbances: Record<string, (cluster: FakeCluster) => void> = {
  "NetworkPolicy shop/deny: was deleted": ({ objects }) => objects.delete("NetworkPolicy/shop/deny"),
  "ConfigMap shop/settings: was deleted": ({ objects }) => objects.delete("ConfigMap/shop/settings"),
  "NetworkPolicy shop/allow: spec.ingress[0].ports[0].port is 8080, not 80": (cluster) =>
    edit(cluster, ["NetworkPolicy", "shop", "allow"], "kubectl-edit", ({ spec }) => {
      spec.ingress = [{ ports: [{ port: 8080 }] }];
    }),
  "Deployment shop/web: spec.minReadySeconds is 0, not 5": (cluster) =>
    edit(cluster, ["Deployment", "shop", "web"], "kubectl-patch", ({ spec }) => {
      spec.minReadySeconds = 0;
    }),
  "Deployment shop/web: spec.replicas is 5, not 2": (cluster) =>
    edit(cluster, ["Deployment", "shop", "web"], "kubectl-scale", ({ spec }) => {
      spec.replicas = 5;
    }),
  'Deployment shop/web: spec.template.spec.containers[0].image is "web:2", not "web:1"': (cluster) =>
    edit(cluster, ["Deployment", "shop", "web"], "kubectl-set", ({ spec }) => {
      const template = spec.template as { spec: { containers: { image: string }[] } };
      for (const container of template.spec.containers) container.image = "web:2";
    }),
  "Deployment shop/web: spec.template.metadata.annotations was added": (cluster) =>
    edit(cluster, ["Deployment", "shop", "web"], "kubectl-rollout", ({ spec }) => {
      const template = spec.template as { metadata: Record<string, unknown> };
      template.metadata.annotations = { "kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z" };
    }),
  "Deployment shop/labelled: metadata.labels.team is gone": (cluster) =>
    edit(cluster, ["Deployment", "shop", "labelled"], "kubectl-label", ({ metadata }) => {
      metadata.labels = { app: "labelled" };
    }),
  "Secret shop/password: data.token has another value": (cluster) =>
    edit(cluster, ["Secret", "shop", "password"], "kubectl-edit", ({ data }) => {
      data.token = Buffer.from("sentinel-by-hand").toString("base64");
    }),
  "RoleBinding shop/readers: subjects[1] was added": (cluster) =>
    edit(cluster, ["RoleBinding", "shop", "readers"], "kubectl-edit", (object) => {
      object.subjects?.push({ kind: "Group", name: "everybody" });
    }),
  "Pod shop/debug: is not in the stack": (cluster) => {
    cluster.put({ apiVersion: "v1", kind: "Pod", metadata: { name: "debug", namespace: "shop" } });
  },
  "ConfigMap shop/by-hand: is not in the stack": (cluster) => {
    cluster.put({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "by-hand", namespace: "shop" },
      data: {},
    });
    edit(cluster, ["ConfigMap", "shop", "by-hand"], "kubectl-create", ({ data }) => {
      data.by = "hand";
    });
  },
  "CustomResourceDefinition widgets.example.com: spec.versions[0].served is false, not true": (cluster) =>
    edit(cluster, ["CustomResourceDefinition", "", "widgets.example.com"], "kubectl-edit", ({ spec }) => {
      spec.versions = [{ name: "v1", served: false, storage: true }];
    }),
  'ValidatingAdmissionPolicy images: spec.failurePolicy is "Ignore", not "Fail"': (cluster) =>
    edit(cluster, ["ValidatingAdmissionPolicy", "", "images"], "kubectl-edit", ({ spec }) => {
      spec.failurePolicy = "Ignore";
    }),
  'ValidatingAdmissionPolicyBinding images: spec.validationActions[0] is "Audit", not "Deny"': (cluster) =>
    edit(cluster, ["ValidatingAdmissionPolicyBinding", "", "images"], "kubectl-edit", ({ spec }) => {
      spec.validationActions = ["Audit"];
    }),
  'Namespace shop: metadata.labels["pod-security.kubernetes.io/enforce"] is "privileged", not "restricted"': (
    cluster,
  ) =>
    edit(cluster, ["Namespace", "", "shop"], "kubectl-label", ({ metadata }) => {
      metadata.labels = { "pod-security.kubernetes.io/enforce": "privileged" };
    }),
  "ConfigMap shop/fixed: was deleted and made anew": (cluster) => remake(cluster, "fixed"),
};

/** What happens to objects in every cluster, and is no drift. */
export function ordinaryLife(cluster: FakeCluster): void {
  const metadata = (name: string, more: PropertyMap = {}) => ({ name, namespace: "shop", ...more });
  const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web-1", uid: "1" };
  cluster.put({ apiVersion: "v1", kind: "ConfigMap", metadata: metadata("kube-root-ca.crt") });
  cluster.put({ apiVersion: "v1", kind: "ServiceAccount", metadata: metadata("default") });
  cluster.put({ apiVersion: "v1", kind: "Pod", metadata: metadata("web-1-2", { ownerReferences: [owner] }) });
  cluster.put({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: metadata("owned", { ownerReferences: [owner] }),
  });
  cluster.put({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "elsewhere", namespace: "default" } });
  edit(cluster, ["Deployment", "shop", "scaled"], "kubectl-scale", ({ spec }) => {
    spec.replicas = 7;
  });
  edit(cluster, ["Deployment", "shop", "web"], "kube-controller-manager", ({ metadata: own }) => {
    own.annotations = { "deployment.kubernetes.io/revision": "1" };
  });
}

/** Puts another ConfigMap in the place of one that cannot be changed. */
export function remake(cluster: FakeCluster, name: string): void {
  const current = cluster.live("ConfigMap", "shop", name);
  cluster.put({ ...current, immutable: null, metadata: { name, namespace: "shop" }, data: {} });
  edit(cluster, ["ConfigMap", "shop", name], "kubectl-create", (object) => {
    object.data = { level: "debug" };
    Object.assign(object, { immutable: true });
  });
}

function edit(
  cluster: FakeCluster,
  key: [kind: string, namespace: string, name: string],
  manager: string,
  change: (object: Editable) => void,
): void {
  cluster.edit(key, manager, (object) => change(object as unknown as Editable));
  const current = cluster.live(...key);
  if (current.kind === "Deployment") {
    // The controllers see it.
    const generation = Number((current.metadata as PropertyMap).generation ?? 1) + 1;
    cluster.put(available(withField(current, ["metadata", "generation"], generation)));
  }
}
