import {
  type PolicyConfigSchema,
  type PolicyResource,
  type ReportViolation,
  type ResourceValidationPolicy,
  type StackValidationPolicy,
  unknownCheckingProxy,
} from "@pulumi/policy";
import { Field } from "./field";
import type { Finding, Judge, Policy } from "./policy";
import { judgeResource, judgeStack } from "./evaluate";
import { reported, type ReportedFinding, type Run } from "./run";
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
      validateStack: ({ resources, getConfig }, report) => {
        const judges = judgeStack(policy, resources.map(asResource), getConfig());
        run.record({ asked: policy.name });
        conclude(policy, judges, report, run);
      },
    };
  }
  return {
    ...facts,
    validateResource: ({ type, urn, props, opts, getConfig }, report) => {
      const resource = { type, urn, props, protect: opts.protect };
      const judge = judgeResource(policy, resource, getConfig());
      if (!isClean(judge)) conclude(policy, new Map([[resource, judge]]), report, run);
    },
    ...("rules" in policy
      ? {
          remediateResource: ({ type, urn, props, getConfig }) => {
            const resource = { type, urn, props };
            return remediate(
              policy,
              resource,
              getConfig(),
              (object) => run.exceptions.for(policy.name, resource, object) !== undefined,
            );
          },
        }
      : {}),
  };
}

/** Most policies find nothing on most resources. */
function isClean({ violations, undecided, missing }: Judge): boolean {
  return violations.length + undecided.length + missing.length === 0;
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
 * advisory finding, so that a preview goes on, while everything that is known is still mandatory. Where the stack
 * wants it, it is a violation already in the preview. An update leaves no value undecided: there an unknown is a
 * violation.
 */
function conclude(
  policy: Policy,
  judges: ReadonlyMap<Resource, Judge>,
  report: ReportViolation,
  run: Run,
): void {
  const open: (readonly [Resource, readonly Finding[]])[] = [];
  for (const [resource, judge] of judges) {
    const found = sorted(judge, run);
    const without = (status: ReportedFinding["status"], findings: readonly Finding[]) =>
      findings.filter((finding) => {
        const exception = run.exceptions.use(policy.name, resource, finding.field);
        const as = exception === undefined ? status : "excepted";
        run.record(reported(policy, resource, as, finding, exception));
        return exception === undefined;
      });
    const violations = without("violation", found.violations);
    const undecided = without(run.undecidedBlocks ? "violation" : "undecided", found.undecided);
    const blocking = run.undecidedBlocks ? [...violations, ...undecided] : violations;
    if (blocking.length > 0) report(violationMessage(policy, resource, blocking), resource.urn);
    if (undecided.length > 0 && !run.undecidedBlocks) open.push([resource, undecided]);
  }
  if (open.length > 0) throw undecidedError(policy, open);
}

interface Sorted {
  readonly violations: readonly Finding[];
  readonly undecided: readonly Finding[];
}

function sorted({ violations, undecided, missing }: Judge, { updating }: Run): Sorted {
  const unknown = undecided.map((field) => ({
    field,
    found: updating ? "is still unknown in the update" : "is not known yet",
  }));
  const without = missing.map((because) => ({ field: Field.root(undefined), found: because }));
  return updating
    ? { violations: [...violations, ...unknown], undecided: without }
    : { violations, undecided: [...unknown, ...without] };
}

/** The engine's error about an unknown, with what this policy has to say of it. */
function undecidedError(policy: Policy, open: readonly (readonly [Resource, readonly Finding[]])[]): Error {
  const reasons: string[] = [];
  const places: string[] = [];
  const unknown: Field[] = [];
  for (const [resource, findings] of open) {
    const missing = findings.filter(({ field }) => !field.unknown);
    if (missing.length > 0)
      reasons.push(...missing.map(({ found }) => `  ${found}`), `Resource: ${resource.urn}`);
    const fields = findings.map(({ field }) => field).filter((field) => field.unknown);
    if (fields.length > 0) places.push(undecidedMessage(resource, fields));
    unknown.push(...fields);
  }
  const error = unknown[0]?.unknownBecause ?? errorOfUnknown();
  const later = unknown.length > 0 ? [decidedLater(policy)] : [];
  error.message = ["undecided", policy.description, ...reasons, ...places, ...later].join("\n");
  return error;
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

function decidedLater(policy: Policy): string {
  return "checkStack" in policy
    ? "It is decided at the end of the update, when the values are known."
    : "It is decided during the update, before the resource is created or changed.";
}
