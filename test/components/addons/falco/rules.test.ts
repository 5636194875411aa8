import { expect } from "chai";
import { entriesOf, flowTable } from "../../../../components/cluster/flowTable";
import { ruleNames, rules } from "../../../../components/addons/falco/rules";
import { profiles } from "../../../../components/addons/falco/rules/profiles";
import { priorities } from "../../../../components/addons/falco/rules/rule";
import { rulesFile, type RulesEntry } from "../../../../components/addons/falco/rules/rulesFile";
import type { Condition } from "../../../support/falco/condition";
import { applies, judge, type Event } from "../../../support/falco/evaluate";
import { recorded, whole } from "../../../support/falco/recorded";
import { parseRulesFile, problemsOf, type ParsedFile } from "../../../support/falco/rulesFile";
import { load } from "../../../support/settings";
import { stackConfig, stacks, type StackName } from "../../../support/stacks";

/** Rules about all programs, whosever they are. */
const everywhere = new Set(["CryptoMining", "LogAltered"]);

/** Events that differ from recorded ones in the one thing that makes them no events. */
function noEvents(): { readonly what: string; readonly event: Event }[] {
  return recorded
    .filter(({ rule }) => rule !== undefined)
    .flatMap((each) => [
      { what: `${each.what}, and then closes a file`, event: { ...whole(each), "evt.type": "close" } },
      ...(everywhere.has(each.rule ?? "")
        ? []
        : [{ what: `${each.what}, elsewhere`, event: { ...whole(each), "k8s.ns.name": "kube-system" } }]),
    ]);
}

async function entries(
  stack: StackName,
  disabledRules: readonly string[] = [],
): Promise<readonly RulesEntry[]> {
  const flows = entriesOf(flowTable(await load(stackConfig(stack), [])));
  const namespaces = [...new Set(profiles.map(({ namespace }) => namespace))];
  return rulesFile({ flows, namespaces, disabledRules });
}

describe("the rules of runtime detection", () => {
  let file: ParsedFile;
  before(async () => {
    file = parseRulesFile(await entries("staging"));
  });

  for (const stack of stacks) {
    it(`of ${stack} can be read, and have nothing that is not there or of no use`, async () => {
      expect(problemsOf(parseRulesFile(await entries(stack)))).to.deep.equal([]);
    });
  }

  for (const each of recorded) {
    it(each.rule === undefined ? `are silent: ${each.what}` : `${each.rule}: ${each.what}`, () => {
      expect(judge(file, whole(each))).to.equal(each.rule);
    });
  }

  it("each have an event that they notice", () => {
    const noticed = new Set(recorded.flatMap(({ rule }) => rule ?? []));
    expect(ruleNames.filter((rule) => !noticed.has(rule))).to.deep.equal([]);
  });

  it("have no part without which they would say the same of every event", () => {
    const events = [...recorded.map(whole), ...noEvents().map(({ event }) => event)];
    const idle = file.rules.flatMap((rule) => {
      const usual = events.map((event) => applies(file, rule, event));
      return weakened(rule.condition)
        .filter(({ condition }) =>
          events.every((event, index) => applies(file, { ...rule, condition }, event) === usual[index]),
        )
        .map(({ without }) => `${rule.rule} without ${without}`);
    });
    expect(idle).to.deep.equal([]);
  });

  it("are silent about the same in other containers, and about what the same programs do next", () => {
    for (const { what, event } of noEvents()) expect(judge(file, event), what).to.equal(undefined);
  });

  it("each leave a normal event alone that differs little from one they notice", () => {
    for (const parsed of file.rules) {
      const own = recorded.filter(({ rule }) => rule === parsed.rule);
      const types = new Set(own.map(({ event }) => kindOf(event)));
      const near = recorded.filter(({ rule, event }) => rule === undefined && types.has(kindOf(event)));
      expect(near, parsed.rule).not.to.be.empty;
      for (const event of near) expect(applies(file, parsed, whole(event)), event.what).to.equal(false);
    }
  });

  it("say what happened, what to do, how grave it is, and which technique it is", () => {
    expect(new Set(ruleNames).size).to.equal(rules.length);
    for (const { rule, description, action, priority, techniques } of rules) {
      expect(rule).to.match(/^[A-Z][A-Za-z]+$/);
      expect(description, rule).to.match(/^[A-Z].*\.$/);
      expect(action, rule).to.match(/^[A-Z].{20,}\.$/);
      expect(priorities, rule).to.include(priority);
      expect(techniques, rule).not.to.be.empty;
      for (const technique of techniques) expect(technique, rule).to.match(/^T\d{4}(\.\d{3})?$/);
    }
  });

  it("show no environment, and where an event was", async () => {
    for (const entry of await entries("production")) {
      if (!("output" in entry)) continue;
      expect(entry.output)
        .to.include("%k8s.ns.name")
        .and.include("%k8s.pod.name")
        .and.include("%proc.exepath");
      expect(entry.output).not.to.match(/%proc\.env|%proc\.aenv|%evt\.buffer|%fd\.name\[/);
    }
  });

  it("are asked in the order of their gravity, so that the gravest of several names an event", () => {
    const order = rules.map(({ priority }) => priorities.indexOf(priority));
    expect(order).to.deep.equal([...order].sort((a, b) => a - b));
  });

  it("are not asked where the stack says so", async () => {
    const without = parseRulesFile(await entries("staging", ["ShellInContainer"]));
    const shell = recorded.find(({ rule }) => rule === "ShellInContainer");
    if (shell === undefined) throw new Error("there is no such event");
    expect(judge(without, whole(shell))).to.equal("UnexpectedProgram");
  });
});

/** A condition with one part taken out of it, for each part. */
function weakened(condition: Condition): { readonly without: string; readonly condition: Condition }[] {
  if (condition.kind === "not") {
    return weakened(condition.operand).map((each) => ({
      without: each.without,
      condition: { kind: "not", operand: each.condition },
    }));
  }
  if (condition.kind !== "and" && condition.kind !== "or") return [];
  const { kind, operands } = condition;
  return operands.flatMap((operand, index) => [
    {
      without: JSON.stringify(operand),
      condition: { kind, operands: operands.filter((_, other) => other !== index) },
    },
    ...weakened(operand).map((each) => ({
      without: each.without,
      condition: {
        kind,
        operands: operands.map((other, position) => (position === index ? each.condition : other)),
      },
    })),
  ]);
}

/** Events of a kind are asked by the same rules. */
function kindOf(event: Event): string {
  const type = String(event["evt.type"]);
  const kinds = [
    /^exec/,
    /^open/,
    /^(unlink|rename|link|symlink)/,
    /chmod/,
    /^(un)?(mount|umount|fs|newf)/,
    /module$|^bpf/,
  ];
  const found = kinds.findIndex((kind) => kind.test(type));
  return found === -1 ? type.replace(/^(unshare|setns|clone3?)$/, "namespace") : String(found);
}
