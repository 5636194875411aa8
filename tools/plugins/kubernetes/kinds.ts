import { groupOf } from "./object";

// Groups that the API server itself serves; all others come from custom resource definitions.
const BUILT_IN_GROUPS = new Set([
  "",
  "admissionregistration.k8s.io",
  "apiextensions.k8s.io",
  "apiregistration.k8s.io",
  "apps",
  "auditregistration.k8s.io",
  "autoscaling",
  "batch",
  "certificates.k8s.io",
  "coordination.k8s.io",
  "discovery.k8s.io",
  "events.k8s.io",
  "extensions",
  "flowcontrol.apiserver.k8s.io",
  "meta",
  "networking.k8s.io",
  "node.k8s.io",
  "policy",
  "rbac.authorization.k8s.io",
  "resource.k8s.io",
  "scheduling.k8s.io",
  "settings.k8s.io",
  "storage.k8s.io",
  "storagemigration.k8s.io",
]);

const CLUSTER_WIDE = new Set([
  "APIService",
  "CSIDriver",
  "CSINode",
  "CertificateSigningRequest",
  "ClusterRole",
  "ClusterRoleBinding",
  "ClusterTrustBundle",
  "CustomResourceDefinition",
  "DeviceClass",
  "FlowSchema",
  "IPAddress",
  "IngressClass",
  "MutatingAdmissionPolicy",
  "MutatingAdmissionPolicyBinding",
  "MutatingWebhookConfiguration",
  "Namespace",
  "Node",
  "PersistentVolume",
  "PodSecurityPolicy",
  "PriorityClass",
  "PriorityLevelConfiguration",
  "ResourceSlice",
  "RuntimeClass",
  "ServiceCIDR",
  "StorageClass",
  "StorageVersionMigration",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
  "ValidatingWebhookConfiguration",
  "VolumeAttachment",
  "VolumeAttributesClass",
]);

export const isBuiltIn = (apiVersion: string) => BUILT_IN_GROUPS.has(groupOf(apiVersion));

/** Whether objects of a built-in kind lie in a namespace; `undefined` for kinds that others define. */
export function isNamespaced(apiVersion: string, kind: string): boolean | undefined {
  return isBuiltIn(apiVersion) ? !CLUSTER_WIDE.has(kind) : undefined;
}

export interface TypeToken {
  readonly apiVersion: string;
  readonly kind: string;
}

/** `kubernetes:apps/v1:Deployment` as the API names it. Throws for types that are not objects of the API. */
export function parseType(type: string): TypeToken {
  const [, version = "", kind = ""] = type.split(":");
  if (version.startsWith("helm.sh/") || version.startsWith("kustomize/") || version.startsWith("yaml/")) {
    throw new Error(
      `${type} needs the official plugin: run \`pulumi plugin install resource kubernetes v4.32.0\`, ` +
        "or declare the objects one by one",
    );
  }
  return { apiVersion: version.replace(/^core\//, ""), kind };
}

/** A patch resource manages some fields of an object that somebody else owns. */
export function isPatch(type: string, kind: string): boolean {
  return type.endsWith(`:${kind}Patch`);
}

export function isListType(type: string): boolean {
  const { apiVersion, kind } = parseType(type);
  return isBuiltIn(apiVersion) && kind.endsWith("List");
}
