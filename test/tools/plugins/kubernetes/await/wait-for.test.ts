import { expect } from "chai";
import { parseWaitFor } from "../../../../../tools/plugins/kubernetes/await/wait-for";

const live = {
  metadata: { generation: 1 },
  spec: {
    list: [
      { name: "a", ready: true },
      { name: "b", ready: false },
    ],
  },
  status: {
    phase: "Healthy",
    count: 3,
    conditions: [
      { type: "Ready", status: "True" },
      { type: "Failed", status: "False" },
    ],
  },
};

describe("pulumi.com/waitFor", () => {
  const holds: [expression: string, ready: boolean][] = [
    ["condition=Ready", true],
    ["condition=ready=true", true],
    ["condition=Failed", false],
    ["condition=Failed=False", true],
    ["condition=Missing", false],
    ["jsonpath={.status.phase}=Healthy", true],
    ["jsonpath={$.status.phase}=Degraded", false],
    ["jsonpath={ .status.count }=3", true],
    ["jsonpath={.status.missing}", false],
    ["jsonpath={.status.conditions}", true],
    ['jsonpath={.status.conditions[?(@.type=="Ready")].status}=True', true],
    ['jsonpath={.status.conditions[?(@.type=="Failed"||@.type=="Complete")].status}=True', false],
    ['jsonpath={.spec.list[?(@.name=="b")].ready}=false', true],
    ["jsonpath={.spec.list[0].name}=a", true],
    ['["jsonpath={.status.phase}=Healthy", "condition=Ready"]', true],
    ['["jsonpath={.status.phase}=Healthy", "condition=Failed"]', false],
  ];
  for (const [expression, ready] of holds) {
    it(`${expression} ${ready ? "holds" : "does not hold"}`, () => {
      expect(parseWaitFor(expression).judge(live, []).ready).to.equal(ready);
    });
  }

  it("does not take an old condition for the new one", () => {
    const changed = {
      ...live,
      metadata: { generation: 2 },
      status: { ...live.status, observedGeneration: 1 },
    };
    expect(parseWaitFor("condition=Ready").judge(changed, []).ready).to.equal(false);
  });

  const refused: [expression: string, message: string][] = [
    ["{.status.phase}=x", 'has to start with "jsonpath=" or "condition="'],
    ["condition=", "needs the type"],
    ["jsonpath=.status.phase=x", "{.path}"],
    ["jsonpath='{.status.phase}'=x", "without quotes"],
    ["jsonpath={.status.phase}=", "{.path}=value"],
    ["[]", "empty list"],
  ];
  for (const [expression, message] of refused) {
    it(`refuses ${expression}`, () => expect(() => parseWaitFor(expression)).to.throw(message));
  }

  it("does not compare a whole object with a value", () => {
    expect(() => parseWaitFor("jsonpath={.status}=x").judge(live, [])).to.throw("not a single value");
  });
});
