import {
  dropAllCapabilities,
  noHostNamespaces,
  noHostPaths,
  noHostPorts,
  noPrivilegedContainers,
  noPrivilegeEscalation,
  noRootContainers,
  ownServiceAccount,
  readOnlyRootFileSystem,
  seccompProfile,
} from "./pods";
import { applicationImageByDigest, noMutableImageTags } from "./images";
import { disruptionBudget, probes } from "./reliability";
import { ingressWithTls, namespaceDefaultDeny, noExternalIps, noLoadBalancerServices } from "./network";
import { namespacePodSecurity, noDefaultNamespace } from "./namespaces";
import { noClusterAdmin, noRbacEscalation, noRightsForEverybody, noWildcardRbac } from "./rbac";
import { noPlainSecretsInArguments, noPlainSecretsInEnv, noSecretsInConfigMaps } from "./secrets";
import { noHiddenObjects } from "./visibility";
import type { Policy } from "./frame";
import { requestsAndLimits } from "./resources";

/** Every policy of the pack, in the order of `policy/README.md`. */
export const policies: readonly Policy[] = [
  noPrivilegedContainers,
  noRootContainers,
  noPrivilegeEscalation,
  dropAllCapabilities,
  readOnlyRootFileSystem,
  seccompProfile,
  noHostNamespaces,
  noHostPaths,
  noHostPorts,
  ownServiceAccount,
  noMutableImageTags,
  applicationImageByDigest,
  requestsAndLimits,
  probes,
  disruptionBudget,
  namespaceDefaultDeny,
  noLoadBalancerServices,
  noExternalIps,
  ingressWithTls,
  namespacePodSecurity,
  noDefaultNamespace,
  noWildcardRbac,
  noRbacEscalation,
  noClusterAdmin,
  noRightsForEverybody,
  noPlainSecretsInEnv,
  noPlainSecretsInArguments,
  noSecretsInConfigMaps,
  noHiddenObjects,
];
