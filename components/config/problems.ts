import type { z } from "zod";

/** One thing that is wrong with a stack's settings. */
export interface Problem {
  /** Full path of the key, such as `technova:application.replicas`. */
  readonly key: string;
  /** What is wrong with it and what would be right. */
  readonly told: string;
}

/** Turns zod's issues into problems; values below `secretKeys` are never shown. */
export function problemsOf(
  issues: readonly z.core.$ZodIssue[],
  raw: unknown,
  project: string,
  secretKeys: readonly string[],
): Problem[] {
  return issues.flatMap((issue): Problem[] => {
    if (issue.code === "unrecognized_keys") {
      const answers = issue.message.split("\n");
      return issue.keys.map((key, index) => ({
        key: keyPath(project, [...issue.path, key]),
        told: answers[index] ?? "",
      }));
    }
    const hidden = secretKeys.includes(String(issue.path[0]));
    const got = shown(valueAt(raw, issue.path), hidden);
    return [{ key: keyPath(project, issue.path), told: `got ${got}; it takes ${issue.message}` }];
  });
}

/** All problems as one message for the person at the terminal. */
export function problemMessage(stack: string, problems: readonly Problem[]): string {
  const count = problems.length === 1 ? "a setting that has" : `${problems.length} settings that have`;
  const lines = problems.map(({ key, told }) => `  ${key}: ${told}`);
  return [
    `Stack "${stack}" has ${count} to be put right in Pulumi.${stack}.yaml; nothing was changed:`,
    ...lines,
  ].join("\n");
}

/** `technova:application.replicas` from its parts; list positions as `[0]`. */
export function keyPath(project: string, path: readonly PropertyKey[]): string {
  const [key = "", ...rest] = path;
  return rest.reduce<string>(
    (full, part) => (typeof part === "number" ? `${full}[${part}]` : `${full}.${String(part)}`),
    `${project}:${String(key)}`,
  );
}

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[part] : undefined,
    raw,
  );
}

const longestShown = 60;

function shown(value: unknown, hidden: boolean): string {
  if (value === undefined) return "nothing";
  if (hidden) return "a value that is not shown";
  const json = JSON.stringify(value);
  return json.length > longestShown ? `${json.slice(0, longestShown)}...` : json;
}
