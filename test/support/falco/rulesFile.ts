import type { RulesEntry } from "../../../components/addons/falco/rules/rulesFile";
import { parseCondition, partsOf, type Check, type Condition } from "./condition";
import { eventTypes, fields, operatorsOf, withArgument } from "./fields";

/** A rule whose condition is understood. */
export interface ParsedRule {
  readonly rule: string;
  readonly condition: Condition;
  readonly output: string;
  readonly priority: string;
  readonly enabled: boolean;
}

/** A rules file whose conditions are understood. */
export interface ParsedFile {
  readonly rules: readonly ParsedRule[];
  readonly macros: ReadonlyMap<string, Condition>;
  readonly lists: ReadonlyMap<string, readonly string[]>;
}

/** @throws Error that names the entry whose condition cannot be read */
export function parseRulesFile(entries: readonly RulesEntry[]): ParsedFile {
  const rules: ParsedRule[] = [];
  const macros = new Map<string, Condition>();
  const lists = new Map<string, readonly string[]>();
  for (const entry of entries) {
    if ("list" in entry) lists.set(entry.list, entry.items.map(String));
    else if ("macro" in entry) macros.set(entry.macro, understood(entry.macro, entry.condition));
    else if ("rule" in entry) rules.push({ ...entry, condition: understood(entry.rule, entry.condition) });
  }
  return { rules, macros, lists };
}

function understood(name: string, condition: string): Condition {
  try {
    return parseCondition(condition);
  } catch (error) {
    throw new Error(`${name}: ${String(error)}`);
  }
}

/** What Falco would refuse, and what nothing uses. */
export function problemsOf({ rules, macros, lists }: ParsedFile): string[] {
  const conditions = [
    ...[...macros].map(([name, condition]) => ({ name, ...partsOf(condition) })),
    ...rules.map(({ rule, condition }) => ({ name: rule, ...partsOf(condition) })),
  ];
  const used = new Set(conditions.flatMap(({ macros: names }) => names));
  const values = new Set(conditions.flatMap(({ checks }) => checks.flatMap((check) => check.values)));
  return [
    ...conditions.flatMap(({ name, macros: names }) =>
      names.filter((each) => !macros.has(each)).map((each) => `${name}: there is no macro ${each}`),
    ),
    ...conditions.flatMap(({ name, macros: names }, index) =>
      conditions
        .slice(index)
        .filter((later) => macros.has(later.name) && names.includes(later.name))
        .map((later) => `${name}: uses ${later.name}, which comes after it`),
    ),
    ...conditions.flatMap(({ name, checks }) =>
      checks.flatMap((check) => checkProblems(check, lists).map((problem) => `${name}: ${problem}`)),
    ),
    ...rules.flatMap(({ rule, output }) =>
      [...output.matchAll(/%([a-z0-9_.]*[a-z0-9_])/g)]
        .map(([, field = ""]) => field)
        .filter((field) => !(field in fields) || withArgument.has(field))
        .map((field) => `${rule}: its output has ${field}, which is no field`),
    ),
    ...[...macros.keys()].filter((each) => !used.has(each)).map((each) => `${each}: is a macro of no use`),
    ...[...lists.keys()].filter((each) => !values.has(each)).map((each) => `${each}: is a list of no use`),
  ];
}

function checkProblems({ field, operator, values }: Check, lists: ParsedFile["lists"]): string[] {
  const type = fields[field.name];
  if (type === undefined) return [`${field.name} is no field`];
  if (withArgument.has(field.name) !== (field.argument !== undefined)) {
    return [`${field.name} ${field.argument === undefined ? "needs an" : "takes no"} argument`];
  }
  if (operator !== "exists" && !operatorsOf[type].includes(operator)) {
    return [`${field.name} cannot be asked ${operator}`];
  }
  return values
    .flatMap((value) => lists.get(value) ?? [value])
    .filter((value) => (field.name === "evt.type" ? !eventTypes.has(value) : !fits(type, value)))
    .map((value) => `${field.name} is never "${value}"`);
}

function fits(type: string, value: string): boolean {
  switch (type) {
    case "number":
      return /^-?\d+$/.test(value);
    case "flag":
      return /^(true|false)$/.test(value);
    case "network":
      return /^[0-9a-f.:]+\/\d+$/.test(value);
    case "address":
      return /^[0-9a-f.:]+$/.test(value);
    default:
      // A name of a list that is not there would be compared as it stands.
      return !/_(ranges|folders|namespaces|starters|parents|ports)$|_of_/.test(value);
  }
}
