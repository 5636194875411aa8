import { appendFileSync } from "node:fs";
import type { Exception, Exceptions } from "./exceptions";
import type { Area, Policy, Severity } from "./policy";
import { nameOf } from "./exceptions";
import type { Field } from "./field";
import type { Resource } from "./objects";

/** One finding as `npm run policy -- report` and `check --json` know it. */
export interface ReportedFinding {
  readonly policy: string;
  readonly area: Area;
  readonly severity: Severity;
  /** `undecided`: a value that the policy needs is not known yet, which stops nothing. `excepted`: an exception lets it be. */
  readonly status: "violation" | "undecided" | "excepted";
  readonly urn: string;
  /** `Kind namespace/name`, or the URN. */
  readonly resource: string;
  readonly path: string;
  /** What is there. Never a value that could be a secret. */
  readonly message: string;
  readonly exception?: Exception;
}

/** What one run of the pack knows besides the resources. */
export interface Run {
  /** Whether values that are unknown now stay unknown: in an update, as opposed to a preview. */
  readonly updating: boolean;
  readonly exceptions: Exceptions;
  /** Whether a policy that cannot be decided in a preview counts as violated. Set from the configuration. */
  undecidedBlocks: boolean;
  record(line: ReportedLine): void;
}

/** A finding; or that a policy about the whole stack was asked, which is so when the program has come to its end. */
export type ReportedLine = ReportedFinding | { readonly asked: string };

export function reported(
  policy: Policy,
  resource: Resource,
  status: ReportedFinding["status"],
  finding: { readonly field: Field; readonly found: string },
  exception?: Exception,
): ReportedFinding {
  return {
    policy: policy.name,
    area: policy.area,
    severity: policy.severity,
    status,
    urn: resource.urn,
    resource: nameOf(resource, finding.field),
    path: finding.field.path,
    message: finding.found,
    ...(exception === undefined ? {} : { exception }),
  };
}

/** Writes each into a file, a line of JSON each; nowhere without one. */
export function recorder(file: string | undefined): Run["record"] {
  if (file === undefined) return () => undefined;
  return (line) => appendFileSync(file, `${JSON.stringify(line)}\n`);
}
