import { describe, objectsOf, type Resource } from "./objects";
import type { Facts, Finding } from "./policy";
import type { Field } from "./field";

/** The text of a violation. The engine puts the policy's name, severity and description above it. */
export function violationMessage(
  policy: Facts<object>,
  resource: Resource,
  findings: readonly Finding[],
): string {
  return [...findingLines(findings), `Resource: ${subject(resource)}`, ...explanation(policy)].join("\n");
}

/** Where and what, a line each. */
export function findingLines(findings: readonly Finding[]): readonly string[] {
  return findings.map((finding) => `  ${place(finding.field)} ${finding.found}`);
}

/** Why the policy is there, and what to do. */
export function explanation(policy: Facts<object>): readonly string[] {
  return [`Why: ${policy.why}`, ...remedy(policy), `See: ${policy.link}`];
}

/** The text for fields of a resource that a policy needs and that only the update will tell. */
export function undecidedMessage(resource: Resource, fields: readonly Field[]): string {
  return [
    ...fields.map((field) => `  ${place(field)} is not known yet`),
    `Resource: ${subject(resource)}`,
  ].join("\n");
}

/** As people and as the engine call it. */
function subject(resource: Resource): string {
  const [object, ...others] = objectsOf(resource);
  return object === undefined || others.length > 0 ? resource.urn : `${describe(object)} (${resource.urn})`;
}

function place(field: Field): string {
  const owner = field.owner === undefined ? "" : ` (${field.owner})`;
  return `${field.path === "" ? "the whole object" : field.path}${owner}`;
}

function remedy({ remedy: [first, ...others] }: Facts<object>): readonly string[] {
  if (others.length === 0) return [`Remedy: ${first}`];
  return ["Remedy:", ...[first, ...others].map((step, index) => `  ${index + 1}. ${step}`)];
}
