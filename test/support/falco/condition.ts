/**
 * A parser of Falco's conditions, after the grammar in falcosecurity/libs 0.25.4, userspace/libsinsp/filter/parser.h.
 * Left out are transformers such as `tolower()` and the modifiers `oneof`, `anyof` and `allof`: it refuses them.
 */
export type Condition =
  | { readonly kind: "or" | "and"; readonly operands: readonly Condition[] }
  | { readonly kind: "not"; readonly operand: Condition }
  | { readonly kind: "macro"; readonly name: string }
  | Check;

/** A field, compared with something. */
export interface Check {
  readonly kind: "check";
  readonly field: Field;
  readonly operator: Operator;
  /** One value for operators that take one; none for `exists`. */
  readonly values: readonly string[];
}

export interface Field {
  /** As in `proc.name`. */
  readonly name: string;
  /** What stands in brackets after it. */
  readonly argument?: string;
}

const single = ["=", "==", "!=", "<", "<=", ">", ">=", "contains", "icontains"] as const;
const moreSingle = ["startswith", "endswith", "glob"] as const;
const several = ["in", "intersects", "pmatch"] as const;
export type Operator = (typeof single | typeof moreSingle | typeof several)[number] | "exists";

/** @throws Error that says at which character what was expected */
export function parseCondition(text: string): Condition {
  return new Parser(text).whole();
}

class Parser {
  private at = 0;

  constructor(private readonly text: string) {}

  whole(): Condition {
    const condition = this.either();
    this.space();
    if (this.at < this.text.length) this.fail("and, or, or the end");
    return condition;
  }

  private either(): Condition {
    return this.joined("or", () => this.joined("and", () => this.negated()));
  }

  private joined(kind: "or" | "and", operand: () => Condition): Condition {
    const operands = [operand()];
    while (this.word(kind)) operands.push(operand());
    const [first] = operands;
    return operands.length === 1 && first !== undefined ? first : { kind, operands };
  }

  private negated(): Condition {
    if (this.word("not")) return { kind: "not", operand: this.negated() };
    if (this.taken(/\(/y) === undefined) return this.check();
    const inner = this.either();
    if (this.taken(/\)/y) === undefined) this.fail(")");
    return inner;
  }

  private check(): Condition {
    const name = this.taken(/[a-zA-Z][a-zA-Z0-9_]*(\.[a-zA-Z][a-zA-Z0-9_]*)*/y);
    if (name === undefined) return this.fail("a field or a macro");
    if (this.text[this.at] === "(") this.fail("a field, no transformer");
    if (!name.includes(".")) return { kind: "macro", name };
    // A bracket belongs to the field only when it follows at once.
    const argument = this.text[this.at] === "[" ? this.argument() : undefined;
    const field: Field = argument === undefined ? { name } : { name, argument };
    const operator = this.operator();
    return { kind: "check", field, operator, values: this.values(operator) };
  }

  private argument(): string {
    const found = this.taken(/\[("[^"]*"|'[^']*'|[^\]\s"'[]+)\]/y);
    return found === undefined ? this.fail("an argument in brackets") : unquoted(found.slice(1, -1));
  }

  private operator(): Operator {
    const start = this.at;
    const found = this.taken(/(?:[<>!=]=|[<>=]|[a-z]+(?![\w.]))/y);
    const known: readonly string[] = ["exists", ...single, ...moreSingle, ...several];
    if (found !== undefined && known.includes(found)) return found as Operator;
    this.at = start;
    return this.fail(`one of ${known.join(" ")}`);
  }

  private values(operator: Operator): string[] {
    if (operator === "exists") return [];
    if (!(several as readonly string[]).includes(operator)) return [this.value()];
    if (this.taken(/\(/y) === undefined) return this.fail("a list in parentheses");
    const values = [this.value()];
    while (this.taken(/,/y) !== undefined) values.push(this.value());
    if (this.taken(/\)/y) === undefined) this.fail(", or )");
    return values;
  }

  private value(): string {
    const found = this.taken(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\s()"'=,]+/y);
    return found === undefined ? this.fail("a value") : unquoted(found);
  }

  /** Whether this word comes next; it is taken if it does. */
  private word(word: string): boolean {
    return this.taken(new RegExp(`${word}(?=[\\s(])`, "y")) !== undefined;
  }

  private taken(pattern: RegExp): string | undefined {
    this.space();
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }

  private space(): void {
    while (/\s/.test(this.text[this.at] ?? "")) this.at += 1;
  }

  private fail(expected: string): never {
    const rest = this.text.slice(this.at, this.at + 30);
    throw new Error(`character ${this.at}: expected ${expected}, found "${rest}" in: ${this.text}`);
  }
}

function unquoted(value: string): string {
  return /^["']/.test(value) ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value;
}

/** Every check in a condition, and every macro. */
export function partsOf(condition: Condition): { readonly checks: Check[]; readonly macros: string[] } {
  switch (condition.kind) {
    case "check":
      return { checks: [condition], macros: [] };
    case "macro":
      return { checks: [], macros: [condition.name] };
    case "not":
      return partsOf(condition.operand);
    default: {
      const parts = condition.operands.map(partsOf);
      return {
        checks: parts.flatMap(({ checks }) => checks),
        macros: parts.flatMap(({ macros }) => macros),
      };
    }
  }
}
