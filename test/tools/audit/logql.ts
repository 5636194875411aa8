/** A line as Loki keeps it. */
export interface Stored {
  readonly time: bigint;
  readonly labels: Readonly<Record<string, string>>;
  readonly text: string;
  readonly metadata: Readonly<Record<string, string>>;
}

const string = '"(?:[^"\\\\]|\\\\.)*"';
const lineFilter = new RegExp(`^\\s*(\\|=|!=|\\|~|!~)\\s*(${string})`);
const labelFilter = new RegExp(`^\\s*\\|\\s*((?:[^|"]|${string})+)`);
const comparison = new RegExp(`(\\w+)\\s*(=~|!~|!=|=)\\s*(${string})`, "g");

/** Whether a query finds a line: the part of LogQL that is used here, and an error for all that is not. */
export function matches(query: string, line: Stored): boolean {
  const [whole, selector = ""] = /^\{([^}]*)\}/.exec(query) ?? [];
  if (whole === undefined) throw new Error(`no selector in ${query}`);
  if (!evaluated(selector.replaceAll(",", " and "), line.labels)) return false;
  for (let rest = query.slice(whole.length); rest.trim() !== "";) {
    const filter = lineFilter.exec(rest);
    const labels = filter === null ? labelFilter.exec(rest) : null;
    const stage = filter ?? labels;
    if (stage === null) throw new Error(`not understood: ${rest}`);
    const [all, first = "", second = ""] = stage;
    const passes =
      filter === null
        ? evaluated(first, { ...line.labels, ...line.metadata })
        : filtered(first, second, line.text);
    if (!passes) return false;
    rest = rest.slice(all.length);
  }
  return true;
}

function filtered(operator: string, literal: string, text: string): boolean {
  const value = JSON.parse(literal) as string;
  const found = operator.endsWith("~") ? expression(value, false).test(text) : text.includes(value);
  return operator.startsWith("|") ? found : !found;
}

/** `and` binds before `or`; parentheses before both. */
function evaluated(condition: string, labels: Readonly<Record<string, string>>): boolean {
  let text = condition.replace(comparison, (_all, name: string, operator: string, literal: string) => {
    const value = JSON.parse(literal) as string;
    const actual = labels[name] ?? "";
    const holds = operator.includes("~") ? expression(value, true).test(actual) : actual === value;
    return String(operator.startsWith("!") ? !holds : holds);
  });
  const steps: readonly (readonly [RegExp, (a: string, b: string) => string])[] = [
    [/\(\s*(true|false)\s*\)/, (a) => a],
    [/(true|false)\s+and\s+(true|false)/, (a, b) => String(a === "true" && b === "true")],
    [/(true|false)\s+or\s+(true|false)(?!\s+and)/, (a, b) => String(a === "true" || b === "true")],
  ];
  for (;;) {
    const step = steps.find(([pattern]) => pattern.test(text));
    if (step === undefined) break;
    text = text.replace(step[0], (_all, a: string, b: string) => step[1](a, b));
  }
  if (!/^\s*(true|false)\s*$/.test(text)) throw new Error(`not understood: ${condition}`);
  return text.trim() === "true";
}

function expression(source: string, whole: boolean): RegExp {
  const ignoresCase = source.startsWith("(?i)");
  const pattern = ignoresCase ? source.slice("(?i)".length) : source;
  return new RegExp(whole ? `^(?:${pattern})$` : pattern, ignoresCase ? "is" : "s");
}
