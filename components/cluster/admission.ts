import { existsSync } from "node:fs";
import {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "@pulumi/kubernetes/admissionregistration/v1";
import * as pulumi from "@pulumi/pulumi";
import { admissionPolicies, secretAdmission } from "../../policy/admission";
import exceptions from "../../policy/exceptions.json";
import { type Exception, inForce } from "../../policy/frame/exceptions";
import type { Policy } from "../../policy/frame/policy";
import { policies } from "../../policy/policies";
import { configurationFile, readConfiguration } from "../../tools/policy/configuration";
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
 * The policy pack's rules about Pods, and the one about tokens in Secrets, enforced by the API server: an object that
 * does not come through Pulumi is held to the same. The rules come from the pack's own definitions.
 */
export class Admission extends pulumi.ComponentResource {
  constructor(name: string, args: AdmissionArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:cluster:Admission", name, {}, opts);
    const parent = { parent: this };
    const given = [settingsOf(args), exceptionsOf(args.stack)] as const;
    for (const policy of [...admissionPolicies(...given), ...secretAdmission(...given)]) {
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
              resourceRules: policy.resources.map(({ group, resources }) => ({
                apiGroups: [group],
                apiVersions: ["*"],
                operations: ["CREATE", "UPDATE"],
                resources: [...resources],
              })),
            },
            // No empty list: the API server leaves it out, and every later preview would want to add it.
            ...(policy.matchConditions.length === 0
              ? {}
              : { matchConditions: policy.matchConditions.map((condition) => ({ ...condition })) }),
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

/** As the stack has the pack's policies set; one that stops no update stops nobody here either. */
function settingsOf({ stack, registries, appArmor }: AdmissionArgs): Record<string, object | "disabled"> {
  const isConfigured = existsSync(configurationFile(process.cwd(), stack));
  const { levelOf, settingsOf: given } = readConfiguration(process.cwd(), isConfigured ? stack : undefined);
  const stops = (policy: Policy) => ["mandatory", "remediate"].includes(levelOf(policy));
  const configured = policies.map((policy) => [policy.name, stops(policy) ? given(policy) : "disabled"]);
  return {
    // What the program itself knows.
    "allowed-registries": { registries },
    "apparmor-required": { required: appArmor },
    ...Object.fromEntries(configured.filter(([, settings]) => !isEmpty(settings))),
  };
}

const isEmpty = (settings: unknown) =>
  typeof settings === "object" && Object.keys(settings ?? {}).length === 0;

function exceptionsOf(stack: string): readonly Exception[] {
  const today = new Date().toISOString().slice(0, 10);
  return inForce(exceptions, today).filter(({ stacks }) => stacks.includes(stack));
}

const actions = { deny: ["Deny"], audit: ["Audit", "Warn"] } as const;

/** Namespaces by their names, which nobody can change as they could a label. */
function guarded({ settings, namespaces }: AdmissionArgs) {
  const key = "kubernetes.io/metadata.name";
  return settings.scope === "platform"
    ? { matchExpressions: [{ key, operator: "In", values: [...namespaces] }] }
    : { matchExpressions: [{ key, operator: "NotIn", values: [...settings.exemptNamespaces] }] };
}
