import type { Evidence } from "./evidence";

/** What is defended, from the sources to the running Pods and back to who may change them. */
export const layers = {
  code: "Code",
  container: "Containers",
  infrastructure: "Infrastructure",
  pipeline: "Pipeline",
} as const;
export type Layer = keyof typeof layers;

/**
 * `holds`: asked, and so. `fails`: asked, and not so. `excepted`: not so, by an exception with an owner and an end.
 * `unknown`: what would have to be asked does not answer. `off`: the stack's settings do not want it.
 */
export const verdicts = ["fails", "unknown", "excepted", "off", "holds"] as const;
export type Verdict = (typeof verdicts)[number];

export interface Answer {
  readonly verdict: Verdict;
  /** What was looked at, or why nothing was. */
  readonly evidence: string;
  /** What is not as it must be, and what is excepted, a line each. Never a value that could be a secret. */
  readonly details: readonly string[];
}

/** One thing that stands between an attacker and the platform. */
export interface Control {
  /** Kebab-case, unique; never renamed, for reports are compared by it. */
  readonly id: string;
  readonly title: string;
  readonly against: string;
  /** What enforces it: a file, a policy, an admission policy, a setting. */
  readonly where: string;
  /** Asks what is running. @throws Unanswered, or an error of the API server, when that cannot be asked */
  ask(evidence: Evidence): Answer | Promise<Answer>;
}

/** Something that a control has to know and that nothing here tells: the message says why. */
export class Unanswered extends Error {}

/** What was found. @throws Unanswered when that is nothing, of which everything holds */
export function atLeastOne<T>(found: readonly T[], noun: string): readonly T[] {
  if (found.length === 0) throw new Unanswered(`there is no ${noun}`);
  return found;
}

export const off = (because: string): Answer => ({ verdict: "off", evidence: because, details: [] });

/** @param looked what was looked at, for a reader who wants to do it himself */
export function answer(looked: string, wrong: readonly string[], excepted: readonly string[] = []): Answer {
  const verdict = wrong.length > 0 ? "fails" : excepted.length > 0 ? "excepted" : "holds";
  return { verdict, evidence: looked, details: [...wrong, ...excepted] };
}

/** `3 Pods`, `1 Pod`. */
export function counted(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}
