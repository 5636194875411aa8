import type { Writer } from "./managedFields";

/** Clients that write what the cluster is made of, or what follows from it; what they change is no drift. */
const controllers = new Set([
  "Python-urllib", // the Job that follows a release and keeps its history
  "argocd-controller",
  "cluster-autoscaler",
  "cloud-controller-manager",
  "cnpg-controller-manager",
  "coredns",
  "external-secrets",
  "keda",
  "keda-operator",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kustomize-controller",
  "local-path-provisioner",
  "metrics-server",
  "rollouts-controller",
  "traefik",
  "velero-server",
  "vpa-admission-controller",
  "vpa-recommender",
  "vpa-updater",
]);

/** Names that begin so belong to controllers, too. */
const controllerFamilies = ["cert-manager-", "csi-", "policy-controller"];

export function isController({ manager }: Writer): boolean {
  return controllers.has(manager) || controllerFamilies.some((prefix) => manager.startsWith(prefix));
}

/** Whether Pulumi's Kubernetes provider wrote it, this stack's or another one's. */
export function isPulumi({ manager }: Writer): boolean {
  return /^pulumi-(kubernetes|resource-kubernetes)/.test(manager);
}

/** Tools whose label `app.kubernetes.io/managed-by` says that an object follows from another one. */
export const managingTools = new Set(["argo-rollouts", "cert-manager", "external-secrets", "keda-operator"]);
