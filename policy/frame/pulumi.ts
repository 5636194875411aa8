import {
  type PolicyConfigSchema,
  type PolicyResource,
  type ReportViolation,
  type ResourceValidationPolicy,
  type StackValidationPolicy,
  unknownCheckingProxy,
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
        conclude(policy, judgeStack(policy, resources.map(asResource), getConfig()), report, updating),
    };
  }
  return {
    ...facts,
    validateResource: ({ type, urn, props, opts, getConfig }, report) => {
      const resource = { type, urn, props, protect: opts.protect };
      conclude(policy, new Map([[resource, judgeResource(policy, resource, getConfig())]]), report, updating);
    },
  };
}

function asResource({ type, urn, props, opts }: PolicyResource): Resource {
  return { type, urn, props, protect: opts.protect, aliases: opts.aliases };
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
  const missing = [...judges].filter(([, judge]) => judge.missing.length > 0);
  const undecided = updating ? [] : [...judges].filter(([, judge]) => judge.undecided.length > 0);
  const [error] = undecided.flatMap(([, judge]) => judge.undecided.map((field) => field.unknownBecause));
  const thrown = error ?? (missing.length > 0 ? errorOfUnknown() : undefined);
  if (thrown === undefined) return;
  const reasons = missing.flatMap(([resource, judge]) => [
    ...judge.missing.map((reason) => `  ${reason}`),
    `Resource: ${resource.urn}`,
  ]);
  const places = undecided.map(([resource, judge]) => undecidedMessage(resource, judge.undecided));
  const later = undecided.length > 0 ? [decidedLater(policy)] : [];
  thrown.message = ["undecided", policy.description, ...reasons, ...places, ...later].join("\n");
  throw thrown;
}

/** The engine's error about an unknown, where it is not a field that is unknown. */
function errorOfUnknown(): Error {
  try {
    void (unknownCheckingProxy({ value: unknownString }) as { value: unknown }).value;
  } catch (error) {
    if (error instanceof Error && "unknownTypeSentinel" in error) return error;
  }
  throw new Error("@pulumi/policy no longer has the error that tells what is undecided");
}

/** What stands for an unknown string, in every language and version. */
const unknownString = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The engine says so to every pack that it starts; a language host passes it on under its own name. */
function isUpdate(env: NodeJS.ProcessEnv): boolean {
  return (env.PULUMI_DRY_RUN ?? env.PULUMI_NODEJS_DRY_RUN) === "false";
}

function decidedLater(policy: Policy): string {
  return "checkStack" in policy
    ? "It is decided at the end of the update, when the values are known."
    : "It is decided during the update, before the resource is created or changed.";
}
