import { expect } from "chai";
import { parseCondition, type Condition } from "../../../support/falco/condition";
import { applies, type Event } from "../../../support/falco/evaluate";
import { parseRulesFile, problemsOf } from "../../../support/falco/rulesFile";
import type { RulesEntry } from "../../../../components/addons/falco/rules/rulesFile";

const rule = (condition: string, output = "It happened."): RulesEntry => ({
  rule: "Tested",
  desc: "It happened.",
  condition,
  output,
  priority: "CRITICAL",
  source: "syscall",
  tags: [],
  enabled: true,
});

function holds(condition: string, event: Event, ...more: readonly RulesEntry[]): boolean {
  const file = parseRulesFile([...more, rule(condition)]);
  const [tested] = file.rules;
  if (tested === undefined) throw new Error("there is no rule");
  return applies(file, tested, event);
}

const check = (name: string, value: string): Condition => ({
  kind: "check",
  field: { name },
  operator: "=",
  values: [value],
});

describe("the parser of Falco's conditions", () => {
  const [a, b, c] = [check("proc.name", "a"), check("proc.name", "b"), check("proc.name", "c")];

  it("binds not before and, and before or", () => {
    expect(parseCondition("proc.name = a or not proc.name=b and proc.name = c")).to.deep.equal({
      kind: "or",
      operands: [a, { kind: "and", operands: [{ kind: "not", operand: b }, c] }],
    });
    expect(parseCondition("(proc.name=a or proc.name=b) and not(proc.name=c)")).to.deep.equal({
      kind: "and",
      operands: [
        { kind: "or", operands: [a, b] },
        { kind: "not", operand: c },
      ],
    });
  });

  it("reads names of macros that begin like an operator, lists, arguments and quotes", () => {
    expect(parseCondition("and_so_on")).to.deep.equal({ kind: "macro", name: "and_so_on" });
    expect(parseCondition("not notable")).to.deep.equal({
      kind: "not",
      operand: { kind: "macro", name: "notable" },
    });
    expect(parseCondition("proc.name in (runc:[1:CHILD], \"a b\", 'c,d')")).to.deep.include({
      operator: "in",
      values: ["runc:[1:CHILD]", "a b", "c,d"],
    });
    expect(parseCondition("k8s.pod.label[app.kubernetes.io/name] exists")).to.deep.equal({
      kind: "check",
      field: { name: "k8s.pod.label", argument: "app.kubernetes.io/name" },
      operator: "exists",
      values: [],
    });
    expect(parseCondition('proc.name="say \\"no\\""')).to.deep.include({ values: ['say "no"'] });
  });

  const mistakes: readonly (readonly [string, RegExp])[] = [
    ["", /character 0: expected a field or a macro, found ""/],
    ["proc.name", /expected one of exists = ==/],
    ["proc.name is a", /character 9: expected one of/],
    ["proc.name = ", /expected a value/],
    ["proc.name in a", /expected a list in parentheses, found "a"/],
    ["proc.name in ()", /expected a value, found "\)"/],
    ["proc.name in (a, b", /expected , or \)/],
    ["(proc.name = a", /expected \)/],
    ["proc.name = a)", /expected and, or, or the end, found "\)"/],
    ["proc.name = a and", /expected and, or, or the end, found "and"/],
    ["proc.name = a proc.name = b", /expected and, or, or the end/],
    ["tolower(proc.name) = a", /expected a field, no transformer/],
    ["k8s.pod.label[a = b", /an argument in brackets/],
  ];
  for (const [condition, told] of mistakes) {
    it(`refuses: ${condition || "nothing"}`, () => {
      expect(() => parseCondition(condition)).to.throw(told);
    });
  }
});

describe("the judge of recorded events", () => {
  it("takes a field that is not there for nothing, whatever it is compared with", () => {
    for (const condition of ["proc.tty != 0", "proc.tty = 0", "proc.tty < 5", "proc.tty exists"]) {
      expect(holds(condition, {}), condition).to.equal(false);
    }
    expect(holds("not proc.tty = 0", {})).to.equal(true);
    expect(holds("proc.tty exists", { "proc.tty": 0 })).to.equal(true);
  });

  const cases: readonly (readonly [string, string | number | boolean, boolean])[] = [
    ["proc.name = a", "a", true],
    ["proc.name = a", "ab", false],
    ["proc.name != a", "ab", true],
    ["proc.name in (a, b)", "b", true],
    ["proc.name in (a, b)", "c", false],
    ["proc.name contains b", "abc", true],
    ["proc.name icontains B", "abc", true],
    ["proc.name contains B", "abc", false],
    ["proc.name startswith ab", "abc", true],
    ["proc.name startswith b", "abc", false],
    ["proc.name endswith bc", "abc", true],
    ["proc.name endswith b", "abc", false],
    ["proc.name glob /proc/*/environ", "/proc/1/task/2/environ", true],
    ["proc.name glob /proc/?/environ", "/proc/12/environ", false],
    ["proc.name glob a.c", "abc", false],
    ["proc.name pmatch (/etc, /usr)", "/usr/bin/id", true],
    ["proc.name pmatch (/etc, /usr)", "/usr", true],
    ["proc.name pmatch (/etc, /usr)", "/usr2/bin", false],
    ["proc.pid > 9", 10, true],
    ["proc.pid >= 10", 9, false],
    ["proc.pid < 10", 9, true],
    ["proc.pid <= 9", 10, false],
    ["fd.snet in (10.0.0.0/8, fc00::/7)", "10.9.8.7", true],
    ["fd.snet in (10.0.0.0/8, fc00::/7)", "fd00::1", true],
    ["fd.snet in (10.0.0.0/8, fc00::/7)", "11.0.0.1", false],
    ["container.privileged = true", true, true],
    ["container.privileged = true", false, false],
  ];
  for (const [condition, value, expected] of cases) {
    it(`${condition}: ${String(value)} ${expected ? "does" : "does not"}`, () => {
      const [field = ""] = condition.split(" ");
      expect(holds(condition, { [field === "fd.snet" ? "fd.sip" : field]: value })).to.equal(expected);
    });
  }

  it("knows macros and lists by their names", () => {
    const more = [
      { list: "names", items: ["a", 7] },
      { macro: "named", condition: "proc.name in (names, c)" },
    ];
    expect(holds("named", { "proc.name": "7" }, ...more)).to.equal(true);
    expect(holds("named", { "proc.name": "c" }, ...more)).to.equal(true);
    expect(holds("not named", { "proc.name": "names" }, ...more)).to.equal(true);
    expect(() => holds("unnamed", {}, ...more)).to.throw("there is no macro unnamed");
  });
});

describe("the check of a rules file", () => {
  const cases: readonly (readonly [string, readonly RulesEntry[], string])[] = [
    ["a macro that is not there", [rule("shell")], "Tested: there is no macro shell"],
    [
      "a macro that comes too late",
      [{ macro: "a", condition: "b" }, { macro: "b", condition: "proc.pid = 1" }, rule("a")],
      "a: uses b, which comes after it",
    ],
    ["a field that is not there", [rule("proc.nam = a")], "Tested: proc.nam is no field"],
    [
      "an output's field",
      [rule("proc.name = a", "%proc.nam")],
      "Tested: its output has proc.nam, which is no field",
    ],
    ["a missing argument", [rule("k8s.pod.label = a")], "Tested: k8s.pod.label needs an argument"],
    ["an argument too many", [rule("proc.name[1] = a")], "Tested: proc.name takes no argument"],
    [
      "an operator of another type",
      [rule("proc.pid startswith 1")],
      "Tested: proc.pid cannot be asked startswith",
    ],
    ["a number that is none", [rule("proc.pid in (1, one)")], 'Tested: proc.pid is never "one"'],
    ["a flag that is none", [rule("container.privileged = 1")], 'Tested: container.privileged is never "1"'],
    ["a network that is none", [rule("fd.snet in (10.0.0.1)")], 'Tested: fd.snet is never "10.0.0.1"'],
    [
      "a list that is not there",
      [rule("proc.name in (programs_of_x)")],
      'Tested: proc.name is never "programs_of_x"',
    ],
    ["a list of no use", [{ list: "a", items: ["b"] }, rule("proc.name = c")], "a: is a list of no use"],
    [
      "a macro of no use",
      [{ macro: "a", condition: "proc.pid = 1" }, rule("proc.name = c")],
      "a: is a macro of no use",
    ],
  ];
  for (const [what, entries, told] of cases) {
    it(`finds ${what}`, () => {
      expect(problemsOf(parseRulesFile(entries))).to.deep.equal([told]);
    });
  }

  it("names the entry that cannot be read", () => {
    expect(() => parseRulesFile([rule("proc.name =")])).to.throw(/^Tested: .*expected a value/);
  });
});
