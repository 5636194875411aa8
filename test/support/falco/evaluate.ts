import { BlockList, isIPv6 } from "node:net";
import type { Check, Condition } from "./condition";
import { fields } from "./fields";
import type { ParsedFile, ParsedRule } from "./rulesFile";

/** An event as Falco sees it: its fields, those with an argument as `k8s.pod.label[app]`. */
export type Event = Readonly<Record<string, string | number | boolean>>;

/** The first rule that applies, as Falco takes it with `rule_matching: first`; undefined where none does. */
export function judge(file: ParsedFile, event: Event): string | undefined {
  return file.rules.find((rule) => rule.enabled && applies(file, rule, event))?.rule;
}

export function applies(file: ParsedFile, { condition }: ParsedRule, event: Event): boolean {
  return holds(file, condition, event);
}

function holds(file: ParsedFile, condition: Condition, event: Event): boolean {
  switch (condition.kind) {
    case "and":
      return condition.operands.every((operand) => holds(file, operand, event));
    case "or":
      return condition.operands.some((operand) => holds(file, operand, event));
    case "not":
      return !holds(file, condition.operand, event);
    case "macro": {
      const macro = file.macros.get(condition.name);
      if (macro === undefined) throw new Error(`there is no macro ${condition.name}`);
      return holds(file, macro, event);
    }
    case "check": {
      const values = condition.values.flatMap((value) => file.lists.get(value) ?? [value]);
      return compares({ ...condition, values }, event);
    }
  }
}

/** A field that the event does not have is like nothing: every comparison with it fails, `!=` as well. */
function compares({ field, operator, values }: Check, event: Event): boolean {
  const name = field.argument === undefined ? field.name : `${field.name}[${field.argument}]`;
  // The network of an address is asked for, the address is recorded.
  const found = event[name === "fd.snet" ? "fd.sip" : name];
  if (operator === "exists") return found !== undefined;
  if (found === undefined) return false;
  const type = fields[field.name];
  const text = String(found);
  const [value = ""] = values;
  switch (operator) {
    case "=":
    case "==":
    case "in":
      return values.some((each) => (type === "network" ? within(text, each) : text === each));
    case "!=":
      return !values.some((each) => (type === "network" ? within(text, each) : text === each));
    case "<":
      return Number(text) < Number(value);
    case "<=":
      return Number(text) <= Number(value);
    case ">":
      return Number(text) > Number(value);
    case ">=":
      return Number(text) >= Number(value);
    case "contains":
      return text.includes(value);
    case "icontains":
      return text.toLowerCase().includes(value.toLowerCase());
    case "startswith":
      return text.startsWith(value);
    case "endswith":
      return text.endsWith(value);
    case "glob":
      return globbed(value).test(text);
    case "pmatch":
      return values.some((each) => text === each || text.startsWith(each.endsWith("/") ? each : `${each}/`));
    case "intersects":
      throw new Error("none of the fields is a list");
  }
}

function within(address: string, range: string): boolean {
  const [base = "", bits = ""] = range.split("/");
  const kind = (each: string) => (isIPv6(each) ? "ipv6" : "ipv4");
  if (kind(base) !== kind(address)) return false;
  const list = new BlockList();
  list.addSubnet(base, Number(bits), kind(base));
  return list.check(address, kind(address));
}

/** As fnmatch without FNM_PATHNAME: a star stands for slashes too. */
function globbed(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replace(/\*/g, ".*").replace(/\?/g, ".")}$`, "s");
}
