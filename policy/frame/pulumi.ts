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
import { judgeResource, judgeStack, rulesOf } from "./evaluate";
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
      validateStack: ({ resources, getConfig }, report) =>
        conclude(policy, judgeStack(policy, resources.map(asResource), getConfig()), report, run),
    };
  }
  return {
    ...facts,
    validateResource: ({ type, urn, props, opts, getConfig }, report) => {
      const resource = { type, urn, props, protect: opts.protect };
      const judge = judgeResource(policy, resource, getConfig());
      if (!isClean(judge)) conclude(policy, new Map([[resource, judge]]), report, run);
    },
    ...("rules" in policy && rulesOf(policy).some(({ fix }) => fix !== undefined)
      ? { remediateResource: ({ type, urn, props }) => remediate(policy, { type, urn, props }) }
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
  const open: (readonly [Resource, Judge])[] = [];
  for (const [resource, judge] of judges) {
    const found = sorted(judge, run);
    if (found.violations.length + found.undecided.length === 0) continue;
    const exception = run.exceptions.use(policy.name, resource);
    const record = (status: ReportedFinding["status"], findings: readonly Finding[]) => {
      for (const finding of findings) run.record(reported(policy, resource, status, finding, exception));
    };
    record(exception === undefined ? "violation" : "excepted", found.violations);
    record(exception === undefined ? "undecided" : "excepted", found.undecided);
    if (exception !== undefined) continue;
    const blocking = run.undecidedBlocks ? [...found.violations, ...found.undecided] : found.violations;
    if (blocking.length > 0) report(violationMessage(policy, resource, blocking), resource.urn);
    if (found.undecided.length > 0 && !run.undecidedBlocks) open.push([resource, judge]);
  }
  if (open.length > 0) throw undecidedError(policy, open, run);
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
function undecidedError(policy: Policy, open: readonly (readonly [Resource, Judge])[], run: Run): Error {
  const fields = run.updating ? [] : open.flatMap(([, judge]) => judge.undecided);
  const error = fields.map(({ unknownBecause }) => unknownBecause).find(Boolean) ?? errorOfUnknown();
  const reasons = open.flatMap(([resource, { missing }]) =>
    missing.length === 0 ? [] : [...missing.map((because) => `  ${because}`), `Resource: ${resource.urn}`],
  );
  const places = open
    .filter(([, { undecided }]) => undecided.length > 0 && !run.updating)
    .map(([resource, { undecided }]) => undecidedMessage(resource, undecided));
  const later = fields.length > 0 ? [decidedLater(policy)] : [];
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
