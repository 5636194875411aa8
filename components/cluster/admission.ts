import {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "@pulumi/kubernetes/admissionregistration/v1";
import * as pulumi from "@pulumi/pulumi";
import { admissionPolicies, guardedResources } from "../../policy/admission";
import exceptions from "../../policy/exceptions.json";
import type { ClusterSettings } from "../config/platform";
import { platformLabels } from "../labels";

export interface AdmissionArgs {
  readonly settings: ClusterSettings["admission"];
  /** Name of the stack, whose exceptions the cluster makes too. */
  readonly stack: string;
  /** Registries and repositories that images may come from. */
  readonly registries: readonly string[];
  /** The platform's own namespaces. */
  readonly namespaces: readonly string[];
  /** Whether a Pod has to name an AppArmor profile. */
  readonly appArmor: boolean;
}

/**
 * The policy pack's rules about Pods, enforced by the API server: an object that does not come through Pulumi is held
 * to the same. The rules come from the pack's own definitions.
 */
export class Admission extends pulumi.ComponentResource {
  constructor(name: string, args: AdmissionArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:cluster:Admission", name, {}, opts);
    const parent = { parent: this };
    const own = exceptions.filter(({ stacks }: { stacks: readonly string[] }) => stacks.includes(args.stack));
    const stated = {
      "allowed-registries": { registries: args.registries },
      "apparmor-required": { required: args.appArmor },
    };
    for (const policy of admissionPolicies(stated, own)) {
      // The name is told to whoever is refused.
      const metadata = { name: `technova-${policy.name}`, labels: platformLabels };
      const { metadata: created } = new ValidatingAdmissionPolicy(
        `${name}-${policy.name}`,
        {
          metadata,
          spec: {
            failurePolicy: "Fail",
            matchConstraints: {
              namespaceSelector: guarded(args),
              resourceRules: guardedResources.map(({ group, resources }) => ({
                apiGroups: [group],
                apiVersions: ["*"],
                operations: ["CREATE", "UPDATE"],
                resources: [...resources],
              })),
            },
            matchConditions: policy.matchConditions.map((condition) => ({ ...condition })),
            variables: policy.variables.map((variable) => ({ ...variable })),
            validations: policy.validations.map((validation) => ({ ...validation, reason: "Forbidden" })),
          },
        },
        parent,
      );
      new ValidatingAdmissionPolicyBinding(
        `${name}-${policy.name}-binding`,
        {
          metadata,
          spec: { policyName: created.name, validationActions: [...actions[args.settings.action]] },
        },
        parent,
      );
    }
    this.registerOutputs();
  }
}

const actions = { deny: ["Deny"], audit: ["Audit", "Warn"] } as const;

/** Namespaces by their names, which nobody can change as they could a label. */
function guarded({ settings, namespaces }: AdmissionArgs) {
  const key = "kubernetes.io/metadata.name";
  return settings.scope === "platform"
    ? { matchExpressions: [{ key, operator: "In", values: [...namespaces] }] }
    : { matchExpressions: [{ key, operator: "NotIn", values: [...settings.exemptNamespaces] }] };
}
