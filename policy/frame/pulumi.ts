import type {
  PolicyConfigSchema,
  ReportViolation,
  ResourceValidationPolicy,
  StackValidationPolicy,
} from "@pulumi/policy";
import type { Judge, Policy } from "./policy";
import { judgeResource, judgeStack } from "./evaluate";
import { undecidedMessage, violationMessage } from "./message";
import type { Resource } from "./objects";

/**
 * A policy as the engine's policy server takes it.
 * @param updating whether values that are unknown now stay unknown: in an update, as opposed to a preview.
 */
export function toPulumi(
  policy: Policy,
  updating = isUpdate(process.env),
): ResourceValidationPolicy | StackValidationPolicy {
  const facts = {
    name: policy.name,
    description: policy.description,
    severity: policy.severity,
    url: policy.link,
    remediationSteps: policy.remedy.join("\n"),
    ...(policy.parameters === undefined
      ? {}
      : { configSchema: { properties: properties(policy.parameters) } }),
  };
  if ("checkStack" in policy) {
    return {
      ...facts,
      validateStack: ({ resources, getConfig }, report) =>
        conclude(policy, judgeStack(policy, resources, getConfig()), report, updating),
    };
  }
  return {
    ...facts,
    validateResource: ({ type, urn, props, getConfig }, report) => {
      const resource = { type, urn, props };
      conclude(policy, new Map([[resource, judgeResource(policy, resource, getConfig())]]), report, updating);
    },
  };
}

/** The server's type wants mutable lists; it does not change them. */
function properties(parameters: object): PolicyConfigSchema["properties"] {
  return structuredClone(parameters) as PolicyConfigSchema["properties"];
}

/**
 * Reports violations one by one. What is undecided is told by the engine's own error: the server turns it into an
 * advisory finding, so that a preview goes on, while everything that is known is still mandatory. An update leaves
 * nothing undecided: there an unknown is a violation.
 */
function conclude(
  policy: Policy,
  judges: ReadonlyMap<Resource, Judge>,
  report: ReportViolation,
  updating: boolean,
): void {
  for (const [resource, { violations, undecided }] of judges) {
    const unresolved = undecided.map((field) => ({ field, found: "is still unknown in the update" }));
    const findings = updating ? [...violations, ...unresolved] : violations;
    if (findings.length > 0) report(violationMessage(policy, resource, findings), resource.urn);
  }
  if (updating) return;
  const undecided = [...judges].filter(([, judge]) => judge.undecided.length > 0);
  const error = undecided[0]?.[1].undecided[0]?.unknownBecause;
  if (error === undefined) return;
  const places = undecided.map(([resource, judge]) => undecidedMessage(resource, judge.undecided));
  error.message = ["undecided", policy.description, ...places, decidedLater(policy)].join("\n");
  throw error;
}

/** The engine says so to every pack that it starts; a language host passes it on under its own name. */
function isUpdate(env: NodeJS.ProcessEnv): boolean {
  return (env.PULUMI_DRY_RUN ?? env.PULUMI_NODEJS_DRY_RUN) === "false";
}

function decidedLater(policy: Policy): string {
  return "checkStack" in policy
    ? "It is decided at the end of the update, when the values are known."
    : "It is decided during the update, before the resource is created or changed.";
}
