import { gatewayPolicies } from "./gateways";
import { deliveryCheckPolicies } from "./deliveryChecks";
import { deliveryPolicies } from "./delivery";
import { githubActionsPolicies } from "./githubActions";
import { githubBranchPolicies } from "./githubBranches";
import { githubPolicies } from "./github";
import { imagePolicies } from "./images";
import { namespacePolicies } from "./namespaces";
import { networkPolicies } from "./network";
import { observabilityPolicies } from "./observability";
import { podPolicies } from "./pods";
import { baselinePolicies } from "./podSecurityBaseline";
import { restrictedPolicies } from "./podSecurityRestricted";
import { rbacPolicies } from "./rbac";
import { reliabilityPolicies } from "./reliability";
import { replicaPolicies } from "./replicas";
import { resourcePolicies } from "./resources";
import { rightsPolicies } from "./rights";
import { secretPolicies } from "./secrets";
import { stackPolicies } from "./stack";
import { storagePolicies } from "./storage";
import { worldTrafficPolicies } from "./worldTraffic";
import { supplyChainPolicies } from "./supplyChain";
import type { Policy } from "./frame/policy";
import type { Run } from "./frame/run";
import { Exceptions } from "./frame/exceptions";
import { exceptionPolicies } from "./exceptions";
import { undecidedPolicies } from "./undecided";

/** The policies of all areas, in the order of `policy/README.md`. */
export const policies: readonly Policy[] = [
  ...baselinePolicies,
  ...restrictedPolicies,
  ...podPolicies,
  ...imagePolicies,
  ...resourcePolicies,
  ...reliabilityPolicies,
  ...replicaPolicies,
  ...networkPolicies,
  ...worldTrafficPolicies,
  ...gatewayPolicies,
  ...rbacPolicies,
  ...rightsPolicies,
  ...namespacePolicies,
  ...secretPolicies,
  ...storagePolicies,
  ...observabilityPolicies,
  ...githubPolicies,
  ...githubBranchPolicies,
  ...githubActionsPolicies,
  ...supplyChainPolicies,
  ...deliveryPolicies,
  ...deliveryCheckPolicies,
  ...stackPolicies,
];

/** Every policy of the pack: those of the areas, and those that are about a run of the pack itself. */
export function packOf(run: Run): readonly Policy[] {
  const names = policies.map(({ name }) => name);
  return [undecidedPolicies(run), ...policies, ...exceptionPolicies(run.exceptions, names)];
}

/** The same for those who only want to know what there is. */
export const everyPolicy: readonly Policy[] = packOf({
  updating: false,
  exceptions: new Exceptions([], ""),
  undecidedBlocks: false,
  record: () => undefined,
});
