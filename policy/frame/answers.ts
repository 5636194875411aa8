import type { Judge } from "./policy";
import type { Field } from "./field";
import type { Target } from "./objects";

/** Whether something is so: yes, no, or the unknown field that would tell. */
export type Answer = boolean | Field;

/** Whether the field's value is accepted. */
export function answerOf(field: Field, accepts: (value: unknown) => boolean): Answer {
  return field.firstUnknown() ?? accepts(field.value);
}

/** Yes if all are; one no decides, whatever is unknown beside it. */
export function all(...answers: readonly Answer[]): Answer {
  if (answers.includes(false)) return false;
  return answers.find((answer) => answer !== true) ?? true;
}

/** Yes if one is; one yes decides, whatever is unknown beside it. */
export function any(...answers: readonly Answer[]): Answer {
  if (answers.includes(true)) return true;
  return answers.find((answer) => answer !== false) ?? false;
}

export function not(answer: Answer): Answer {
  return typeof answer === "boolean" ? !answer : answer;
}

/** An object that may be what a policy asks for, and whether it is. */
export type Candidate = readonly [object: Target, answer: Answer];

/**
 * Expects that one of the objects is what is asked for. If none is, but may be, that is noted as undecided on those;
 * otherwise `refuse` reports it.
 */
export function expectOne(
  judgeOf: (object: Target) => Judge,
  candidates: readonly Candidate[],
  refuse: () => void,
): void {
  if (candidates.some(([, answer]) => answer === true)) return;
  const open = candidates.filter(([, answer]) => answer !== false);
  for (const [object, answer] of open) if (typeof answer !== "boolean") judgeOf(object).knows(answer);
  if (open.length === 0) refuse();
}

/** Whether the text fits one of the patterns: `*` stands for anything but a slash, `**` for anything, `?` for one. */
export function fits(text: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => globExpression(pattern).test(text));
}

function globExpression(pattern: string): RegExp {
  const parts: Readonly<Record<string, string>> = { "**/": "(.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]" };
  const source = pattern
    .split(/(\*\*\/|\*\*|\*|\?)/)
    .map((part) => parts[part] ?? part.replace(/[.+^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${source.join("")}$`);
}
