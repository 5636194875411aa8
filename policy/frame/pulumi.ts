import type {
  PolicyConfigSchema,
  ReportViolation,
  ResourceValidationPolicy,
  StackValidationPolicy,
} from "@pulumi/policy";
import type { Judge, Policy } from "./policy";
import { judgeResource, judgeStack, rulesOf } from "./evaluate";
import { reported, type Run } from "./run";
import { undecidedMessage, violationMessage } from "./message";
import type { Resource } from "./objects";
import { remediate } from "./remediate";

type PulumiPolicy = ResourceValidationPolicy | StackValidationPolicy;

/** A policy as the engine's policy server takes it. */
export function toPulumi(policy: Policy, run: Run): PulumiPolicy {
  const facts = {
    name: policy.name,
    description: policy.description,
    severity: policy.severity,
    url: policy.link,
    remediationSteps: policy.remedy.join("\n"),
    ...(policy.enforcement === undefined ? {} : { enforcementLevel: policy.enforcement }),
    ...(policy.parameters === undefined
      ? {}
      : { configSchema: { properties: properties(policy.parameters) } }),
  };
  if ("checkStack" in policy) {
    return {
      ...facts,
      validateStack: ({ resources, getConfig }, report) =>
        conclude(policy, judgeStack(policy, resources, getConfig()), report, run),
    };
  }
  return {
    ...facts,
    validateResource: ({ type, urn, props, getConfig }, report) => {
      const resource = { type, urn, props };
      conclude(policy, new Map([[resource, judgeResource(policy, resource, getConfig())]]), report, run);
    },
    ...("rules" in policy && rulesOf(policy).some(({ fix }) => fix !== undefined)
      ? { remediateResource: ({ type, urn, props }) => remediate(policy, { type, urn, props }) }
      : {}),
  };
}

/** The server's type wants mutable lists; it does not change them. */
function properties(parameters: object): PolicyConfigSchema["properties"] {
  return structuredClone(parameters) as PolicyConfigSchema["properties"];
}

/**
 * Reports violations one by one. What is undecided is told by the engine's own error: the server turns it into an
 * advisory finding, so that a preview goes on, while everything that is known is still mandatory. Where the stack
 * wants it, it is a violation already in the preview. An update leaves nothing undecided: there an unknown is a
 * violation.
 */
function conclude(
  policy: Policy,
  judges: ReadonlyMap<Resource, Judge>,
  report: ReportViolation,
  run: Run,
): void {
  const undecided: (readonly [Resource, Judge])[] = [];
  for (const [resource, judge] of judges) {
    const open = judge.undecided.map((field) => ({
      field,
      found: run.updating ? "is still unknown in the update" : "is not known yet",
    }));
    if (judge.violations.length + open.length === 0) continue;
    const exception = run.exceptions.use(policy.name, resource);
    if (exception !== undefined) {
      for (const finding of [...judge.violations, ...open])
        run.record(reported(policy, resource, "excepted", finding, exception));
      continue;
    }
    for (const finding of judge.violations) run.record(reported(policy, resource, "violation", finding));
    for (const finding of open)
      run.record(reported(policy, resource, run.updating ? "violation" : "undecided", finding));
    const findings = run.updating || run.undecidedBlocks ? [...judge.violations, ...open] : judge.violations;
    if (findings.length > 0) report(violationMessage(policy, resource, findings), resource.urn);
    if (findings.length === judge.violations.length && open.length > 0) undecided.push([resource, judge]);
  }
  const error = undecided[0]?.[1].undecided[0]?.unknownBecause;
  if (error === undefined) return;
  const places = undecided.map(([resource, judge]) => undecidedMessage(resource, judge.undecided));
  error.message = ["undecided", policy.description, ...places, decidedLater(policy)].join("\n");
  throw error;
}

function decidedLater(policy: Policy): string {
  return "checkStack" in policy
    ? "It is decided at the end of the update, when the values are known."
    : "It is decided during the update, before the resource is created or changed.";
}
