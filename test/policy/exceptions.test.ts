import { expect } from "chai";
import { Exceptions, type Exception } from "../../policy/frame/exceptions";
import { Field } from "../../policy/frame/field";
import { exceptionPolicies } from "../../policy/exceptions";
import { judgeStack } from "../../policy/frame/evaluate";
import type { Policy } from "../../policy/frame/policy";

const today = "2026-11-25";
const good: Exception = {
  policy: "no-host-paths",
  stacks: ["staging", "production"],
  resource: "DaemonSet monitoring/node-exporter",
  reason: "It reads the node's own files.",
  owner: "team-platform",
  expires: "2027-03-31",
};
const resource = (stack = "staging", kind = "DaemonSet", name = "node-exporter") => ({
  type: `kubernetes:apps/v1:${kind}`,
  urn: `urn:pulumi:${stack}::platform::technova:x:Y$kubernetes:apps/v1:${kind}::${name}-daemonset`,
  props: { metadata: { name, namespace: "monitoring" } },
});

describe("exceptions", () => {
  const used = (changes: Partial<Exception>, policy = "no-host-paths", on = resource()) =>
    new Exceptions([{ ...good, ...changes }], today).use(policy, on, Field.root(on.props)) !== undefined;

  it("let a resource of their stacks violate their policy", () => {
    expect(used({})).to.be.true;
    expect(used({}, "no-host-ports")).to.be.false;
    expect(used({}, "no-host-paths", resource("local"))).to.be.false;
    expect(used({}, "no-host-paths", resource("staging", "DaemonSet", "other"))).to.be.false;
    expect(used({}, "no-host-paths", resource("staging", "Deployment"))).to.be.false;
  });

  it("name their resource by its kind and name, by its URN, or by a pattern of either", () => {
    for (const pattern of [
      "DaemonSet monitoring/*",
      "*monitoring/node-exporter",
      "urn:pulumi:*::node-exporter-daemonset",
      resource().urn,
    ]) {
      expect(used({ resource: pattern }), pattern).to.be.true;
    }
    for (const pattern of [
      "DaemonSet monitoring/node",
      "monitoring/node-exporter",
      "DaemonSet.monitoring/.*",
    ]) {
      expect(used({ resource: pattern }), pattern).to.be.false;
    }
  });

  it("excuse the one object of a list that they name, and by its URN the whole list", () => {
    const items = ["node-exporter", "other"].map((name) => ({ metadata: { name, namespace: "monitoring" } }));
    const list = {
      type: "kubernetes:apps/v1:DaemonSetList",
      urn: "urn:pulumi:staging::platform::kubernetes:apps/v1:DaemonSetList::all",
      props: { items },
    };
    const at = (entry: Exception, ...keys: (string | number)[]) =>
      new Exceptions([entry], today).use(good.policy, list, Field.root(list.props).at(...keys)) !== undefined;
    expect(at(good, "items", 0, "spec", "template")).to.be.true;
    expect(at(good, "items", 1, "spec", "template")).to.be.false;
    expect(at(good, "items")).to.be.false;
    expect(at({ ...good, resource: list.urn }, "items", 1, "spec")).to.be.true;
  });

  it("hold to the end of their last day", () => {
    expect(used({ expires: today })).to.be.true;
    expect(used({ expires: "2026-11-24" })).to.be.false;
  });

  const broken: readonly (readonly [keyof Exception, unknown])[] = [
    ["policy", ""],
    ["policy", undefined],
    ["policy", "whole-exceptions"],
    ["stacks", []],
    ["stacks", undefined],
    ["stacks", "staging"],
    ["resource", "*"],
    ["resource", " "],
    ["resource", undefined],
    ["reason", "because"],
    ["reason", undefined],
    ["owner", ""],
    ["owner", "  "],
    ["owner", undefined],
    ["expires", undefined],
    ["expires", "never"],
    ["expires", "2027-02-30"],
    ["expires", "31.03.2027"],
    ["expires", "2026-11-24"],
    ["expires", "2027-05-25"],
  ];
  const findings = (entry: object, index = 0, on = resource()) => {
    const exceptions = new Exceptions([entry as Exception], today);
    exceptions.use(good.policy, on, Field.root(on.props));
    const policy = exceptionPolicies(exceptions, ["no-host-paths"])[index] as Policy;
    return [...judgeStack(policy, [on]).values()].flatMap(({ violations }) =>
      violations.map(({ field, found }) => `${field.path} ${found}`),
    );
  };

  for (const [key, value] of broken) {
    it(`count for nothing, and fail, with ${key} ${JSON.stringify(value) ?? "missing"}`, () => {
      expect(used({ [key]: value })).to.be.false;
      const found = findings({ ...good, [key]: value });
      expect(found).to.have.length.at.least(1);
      expect(found[0]).to.match(new RegExp(`^exceptions\\[0\\] ${key} (is|was) `));
    });
  }

  it("excuse to the latest day that there is, and not a day more", () => {
    expect(used({ expires: "2027-05-24" })).to.be.true;
    expect(used({ expires: "2027-05-25" })).to.be.false;
    expect(used({ expires: "9999-12-31" })).to.be.false;
  });

  it("fail when their policy does not exist, or when they end too far away", () => {
    expect(findings(good)).to.be.empty;
    expect(findings({ ...good, policy: "no-host-path" })[0]).to.contain(
      'policy is "no-host-path": there is none',
    );
    expect(findings({ ...good, expires: "2027-05-24" })).to.be.empty;
    expect(findings({ ...good, expires: "2027-05-25" })[0]).to.contain("must be 2027-05-24 at the latest");
  });

  it("are no concern of stacks that they are not for", () => {
    expect(findings({ ...good, owner: "" }, 0, resource("local"))).to.be.empty;
    expect(findings(good, 1, resource("local"))).to.be.empty;
  });

  it("are listed: with what needs them, or that nothing does", () => {
    expect(findings(good, 1)).to.deep.equal([
      "exceptions[0] lets DaemonSet monitoring/node-exporter be; no-host-paths, until 2027-03-31, team-platform: " +
        "It reads the node's own files.",
    ]);
    expect(findings({ ...good, resource: "DaemonSet monitoring/gone" }, 1)[0]).to.contain("is not needed");
    const elsewhere = { ...good, resource: "Pod backup/volume-*", madeBy: "Velero" };
    expect(findings(elsewhere, 1)[0]).to.contain("lets be what Velero makes in the cluster");
  });
});
