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
import type { Policy } from "./frame/policy";
import type { Run } from "./frame/run";
import { exceptionPolicies } from "./exceptions";
import { undecidedPolicies } from "./undecided";

/** The policies of all areas, in the order of `policy/README.md`. */
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
  ...stackPolicies,
];

/** Every policy of the pack: those of the areas, and those that are about a run of the pack itself. */
export function packOf(run: Run): readonly Policy[] {
  const names = policies.map(({ name }) => name);
  return [undecidedPolicies(run), ...policies, ...exceptionPolicies(run.exceptions, names)];
}
