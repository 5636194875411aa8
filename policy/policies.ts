import { deliveryCheckPolicies } from "./deliveryChecks";
import { deliveryPolicies } from "./delivery";
import { githubActionsPolicies } from "./githubActions";
import { githubBranchPolicies } from "./githubBranches";
import { githubPolicies } from "./github";
import { imagePolicies } from "./images";
import { namespacePolicies } from "./namespaces";
import { networkPolicies } from "./network";
import { podPolicies } from "./pods";
import { podSecurityPolicies } from "./podSecurity";
import { rbacPolicies } from "./rbac";
import { reliabilityPolicies } from "./reliability";
import { resourcePolicies } from "./resources";
import { secretPolicies } from "./secrets";
import { stackPolicies } from "./stack";
import { supplyChainPolicies } from "./supplyChain";
import type { Policy } from "./frame/policy";

/** Every policy of the pack, area by area, in the order of `policy/README.md`. */
export const policies: readonly Policy[] = [
  ...podSecurityPolicies,
  ...podPolicies,
  ...imagePolicies,
  ...resourcePolicies,
  ...reliabilityPolicies,
  ...networkPolicies,
  ...rbacPolicies,
  ...namespacePolicies,
  ...secretPolicies,
  ...githubPolicies,
  ...githubBranchPolicies,
  ...githubActionsPolicies,
  ...supplyChainPolicies,
  ...deliveryPolicies,
  ...deliveryCheckPolicies,
  ...stackPolicies,
];
