import { describe, objectAt, type Resource, type Target } from "./objects";
import type { Field } from "./field";

/** What a stack may violate although the policy is right: until when, why, and who answers for it. */
export interface Exception {
  /** Name of the policy. */
  readonly policy: string;
  /** The stacks that it is for. */
  readonly stacks: readonly string[];
  /** `Kind namespace/name` as a finding shows it, or the URN; `*` stands for any characters. */
  readonly resource: string;
  /** What makes the resource in the cluster, where no stack does: admission meets it there, and no preview. */
  readonly madeBy?: string;
  readonly reason: string;
  /** Who is asked about it: a team or a mail address. */
  readonly owner: string;
  /** The last day on which it holds, as `2027-03-31`; no further away than `longestDays`. */
  readonly expires: string;
}

/** How far away the end of an exception may be, in days: what ends later is not looked at again in time. */
export const longestDays = 180;

/** The exceptions as far as they are whole and not over, and which of them were needed. */
export class Exceptions {
  private readonly needed = new Map<Exception, Set<string>>();
  private readonly whole: readonly Exception[];

  /** @param today as `2027-03-31` */
  constructor(
    readonly entries: readonly Exception[],
    readonly today: string,
  ) {
    this.whole = inForce(entries, today);
  }

  /** The exception that lets what is found at a field of a resource be; noted as needed. */
  use(policy: string, resource: Resource, at: Field): Exception | undefined {
    const found = this.for(policy, resource, objectAt(resource, at));
    if (found !== undefined) this.needed.set(found, this.resourcesOf(found).add(nameOf(resource, at)));
    return found;
  }

  /** The exception that lets an object of a resource violate a policy; that of the whole resource without one. */
  for(policy: string, resource: Resource, object: Target | undefined): Exception | undefined {
    return this.whole.find(
      (entry) =>
        entry.policy === policy &&
        entry.stacks.includes(stackOf(resource.urn)) &&
        matches(entry.resource, resource, object),
    );
  }

  /** The names of the resources that needed the exception. */
  resourcesOf(entry: Exception): Set<string> {
    return this.needed.get(entry) ?? new Set();
  }
}

/** Those that are whole and not over. @param today as `2027-03-31` */
export function inForce(entries: readonly Exception[], today: string): readonly Exception[] {
  return entries.filter((entry) => problemsOf(entry, today).length === 0);
}

/** What nothing can be an exception from: it keeps the exceptions in order. */
export const withoutExceptions = ["whole-exceptions", "exceptions-in-use", "undecided-policies"];

/** What keeps an exception from being one, each as "owner is not set, must be ...". */
export function problemsOf(entry: Partial<Exception>, today: string): string[] {
  const problems: string[] = [];
  const expect = (key: keyof Exception, accepts: boolean, wanted: string) => {
    const value = entry[key];
    const is = value === undefined || value === "" ? "is not set" : `is ${JSON.stringify(value)}`;
    if (!accepts) problems.push(`${key} ${is}, must be ${wanted}`);
  };
  const text = (key: keyof Exception) =>
    typeof entry[key] === "string" ? (entry[key] as string).trim() : "";
  expect(
    "policy",
    text("policy") !== "" && !withoutExceptions.includes(text("policy")),
    "the name of a policy that can have exceptions",
  );
  expect("stacks", Array.isArray(entry.stacks) && entry.stacks.length > 0, "a list of stacks");
  expect("resource", /[^*\s]/.test(text("resource")), "Kind namespace/name, * for any characters in it");
  expect("reason", text("reason").length >= 10, "why the policy cannot be kept yet, in a sentence");
  expect("owner", text("owner") !== "", "the team or mail address that answers for it");
  const expires = text("expires");
  expect("expires", isDay(expires), "a day such as 2027-03-31");
  if (!isDay(expires)) return problems;
  if (expires < today) problems.push(`expires was ${expires}: the exception is over`);
  const latest = dayAfter(today, longestDays);
  if (expires > latest)
    problems.push(`expires is ${expires}, must be ${latest} at the latest: ${longestDays} days from now`);
  return problems;
}

function dayAfter(day: string, days: number): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
}

function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && new Date(`${text}T00:00:00Z`).toJSON()?.slice(0, 10) === text;
}

function matches(pattern: string, resource: Resource, object: Target | undefined): boolean {
  const whole = patternOf(pattern);
  return whole.test(resource.urn) || (object !== undefined && whole.test(describe(object)));
}

/** The pattern of a resource as a regular expression that JavaScript and RE2 read the same way. */
export function patternOf(resource: string): RegExp {
  const parts = resource.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`);
}

/** As a finding at the field shows it. */
export function nameOf(resource: Resource, at: Field): string {
  const object = objectAt(resource, at);
  return object === undefined ? resource.urn : describe(object);
}

/** `urn:pulumi:<stack>::...` */
export function stackOf(urn: string): string {
  return /^urn:pulumi:([^:]+)::/.exec(urn)?.[1] ?? "";
}
