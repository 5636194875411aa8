import { Exceptions, nameOf } from "../../policy/frame/exceptions";
import exceptionEntries from "../../policy/exceptions.json";
import { judgeResource, judgeStack } from "../../policy/frame/evaluate";
import { explanation, findingLines } from "../../policy/frame/message";
import { describe, objectAt, type Resource } from "../../policy/frame/objects";
import type { Area, Finding, Judge, Policy, Profile } from "../../policy/frame/policy";
import { reported, type ReportedFinding } from "../../policy/frame/run";
import { policies } from "../../policy/policies";
import { readConfiguration, type Configuration, type Level } from "./configuration";
import { loadFiles, type FileResource } from "./files";

export interface CheckOptions {
  readonly area?: Area;
  /** The Pod Security Standards of this level, and nothing else. */
  readonly profile?: Profile;
  /** Takes the settings and exceptions of a stack. */
  readonly stack?: string;
  /** As `2027-03-31`; exceptions end. */
  readonly today: string;
}

/** One finding as `--json` prints it. */
export interface CheckFinding extends ReportedFinding {
  readonly file: string;
  readonly line?: number;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly level: Level;
}

export interface Checked {
  readonly findings: readonly CheckFinding[];
  readonly unreadable: readonly string[];
  readonly skipped: readonly string[];
  readonly objects: number;
  readonly policies: number;
  /** For each policy and resource with findings, all of them in words. */
  readonly messages: readonly {
    readonly file: string;
    readonly line?: number;
    readonly policy: Policy;
    readonly text: string;
  }[];
}

/** Judges files by the policies that a preview is judged by. */
export function check(root: string, paths: readonly string[], options: CheckOptions): Checked {
  const { resources, unreadable, skipped } = loadFiles(paths, options.stack ?? "");
  const configuration = readConfiguration(root, options.stack);
  const exceptions = new Exceptions(options.stack === undefined ? [] : exceptionEntries, options.today);
  const chosen = policies.filter((policy) => isChosen(policy, options, configuration));
  const findings: CheckFinding[] = [];
  const messages: Checked["messages"][number][] = [];
  for (const policy of chosen) {
    for (const [resource, judge] of judgesOf(policy, resources, configuration.settingsOf(policy))) {
      const found = findingsOf(judge);
      const left = found.filter((finding) => {
        const exception = exceptions.use(policy.name, resource, finding.field);
        const status = exception ? "excepted" : finding.undecided ? "undecided" : "violation";
        findings.push({
          ...reported(policy, resource, status, finding, exception),
          ...placeOf(resource, finding),
          level: configuration.levelOf(policy),
        });
        return exception === undefined;
      });
      const [first] = left;
      if (first === undefined) continue;
      const { file, line } = placeOf(resource, first);
      const object = `Object: ${nameOf(resource, first.field)}`;
      messages.push({
        file,
        line,
        policy,
        text: [...findingLines(left), object, ...explanation(policy)].join("\n"),
      });
    }
  }
  return { findings, unreadable, skipped, objects: resources.length, policies: chosen.length, messages };
}

function isChosen(policy: Policy, { area, profile }: CheckOptions, configuration: Configuration): boolean {
  if (configuration.levelOf(policy) === "disabled" || policy.onlyInUpdates === true) return false;
  if (area !== undefined && policy.area !== area) return false;
  if (profile === undefined) return true;
  return policy.profile === "baseline" || policy.profile === profile;
}

function judgesOf(policy: Policy, resources: readonly FileResource[], settings: object) {
  if ("checkStack" in policy) return [...judgeStack(policy, resources, settings)];
  return resources.map((resource) => [resource, judgeResource(policy, resource, settings)] as const);
}

type Found = Finding & { readonly undecided: boolean };

function findingsOf({ violations, undecided }: Judge): readonly Found[] {
  return [
    ...violations.map((finding) => ({ ...finding, undecided: false })),
    ...undecided.map((field) => ({
      field,
      found: "is a secret, which the state does not show",
      undecided: true,
    })),
  ];
}

function placeOf(
  resource: Resource,
  { field }: Finding,
): Omit<CheckFinding, keyof ReportedFinding | "level"> {
  const { file = "", lineOf } = resource as Partial<FileResource>;
  const object = objectAt(resource, field);
  const line = lineOf?.(field.keys);
  const [kind = "", name = ""] =
    object === undefined ? [resource.type.split(":").at(-1)] : describe(object).split(" ");
  const parts = name.split("/");
  return {
    file,
    ...(line === undefined ? {} : { line }),
    kind,
    ...(parts.length > 1 ? { namespace: parts[0] } : {}),
    name: parts.at(-1) ?? "",
  };
}
