/** Falco's priorities, the gravest first. */
export const priorities = [
  "EMERGENCY",
  "ALERT",
  "CRITICAL",
  "ERROR",
  "WARNING",
  "NOTICE",
  "INFORMATIONAL",
  "DEBUG",
] as const;

export type Priority = (typeof priorities)[number];

/** What must not happen, in Falco's language. */
export interface Rule {
  /** Unique; the name of the alert. */
  readonly rule: string;
  /** What has happened, in one sentence. */
  readonly description: string;
  /** What to do first. */
  readonly action: string;
  readonly condition: string;
  /** Fields of the event that a responder needs, beyond those that every event has. */
  readonly evidence: readonly string[];
  readonly priority: Priority;
  /** Techniques of MITRE ATT&CK, such as `T1611`. */
  readonly techniques: readonly string[];
}

/** A named list of values. */
export interface List {
  readonly list: string;
  readonly items: readonly (string | number)[];
}

/** A named condition. */
export interface Macro {
  readonly macro: string;
  readonly condition: string;
}

/** `a or b`, each in parentheses. */
export function anyOf(conditions: readonly string[]): string {
  return conditions.map((condition) => `(${condition})`).join(" or ");
}

/** Items as they stand in a condition; what has a character of the language in it is quoted. */
export function valueList(items: readonly (string | number)[]): string {
  return `(${items.map((item) => (/^[\w./:-]+$/.test(String(item)) ? item : `"${item}"`)).join(", ")})`;
}
