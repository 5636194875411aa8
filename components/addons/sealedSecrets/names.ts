import type { Pods } from "../../cluster/flows";
import { selectorLabels, type Identity } from "../../labels";

/** Namespace of the controller and of its keys. */
export const sealingNamespace = "sealing";
/** Name of the controller's Deployment and of its Service. */
export const controllerName = "sealed-secrets";
export const controllerIdentity: Identity = { name: "sealed-secrets", component: "secret-controller" };
export const controllerPods: Pods = {
  namespace: sealingNamespace,
  labels: selectorLabels(controllerIdentity),
};
export const controllerPorts = { http: 8080, metrics: 8081 } as const;

/** Label of the Secrets with the controller's keys; only those that say `active` are used. */
export const keyLabel = "sealedsecrets.bitnami.com/sealed-secrets-key";

export const sealedApiVersion = "bitnami.com/v1alpha1";
/** Annotations that let a sealed Secret be opened under another name, or in another namespace. */
export const wideScopes = [
  "sealedsecrets.bitnami.com/namespace-wide",
  "sealedsecrets.bitnami.com/cluster-wide",
] as const;

/** Folder of a stack's sealed Secrets, relative to the checkout. */
export const sealedFolder = (stack: string): string => `secrets/${stack}`;
