import { expect } from "chai";
import fc from "fast-check";
import { rulesOf } from "../../policy/frame/evaluate";
import { unknownCheckingProxy } from "@pulumi/policy";
import { secretsPreservingProxy } from "@pulumi/policy/secret";
import { policies } from "../../policy/policies";
import type { RulePolicy } from "../../policy/frame/policy";
import { remediate } from "../../policy/frame/remediate";
import {
  changed,
  goodPod,
  holding,
  outcome,
  podTypes,
  templatePath,
  unknown,
  written,
} from "../support/policy";

const mending = policies.filter(
  (policy): policy is RulePolicy => "rules" in policy && rulesOf(policy).some(({ fix }) => fix !== undefined),
);
const policyNamed = (name: string) => mending.find((policy) => policy.name === name) as RulePolicy;
/** Guarded as the policy server guards what may be changed: unknowns throw, and secrets stay secret. */
const guarded = (object: object) => unknownCheckingProxy(secretsPreservingProxy(object));
const resource = (kind: keyof typeof podTypes, pod: object) => ({
  type: podTypes[kind],
  urn: "urn",
  props: guarded(structuredClone(holding(kind, pod))) as Record<string, unknown>,
});

describe("policy/remediate", () => {
  it("mends what the policy then finds nothing in, in every kind", () => {
    const spoilt = changed(
      goodPod(),
      ["spec", "containers"],
      [
        { name: "one", tty: true, stdin: true, securityContext: { procMount: "Unmasked" } },
        { name: "two", securityContext: { seccompProfile: { type: "Unconfined" } } },
      ],
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...mending),
        fc.constantFrom(...(Object.keys(podTypes) as (keyof typeof podTypes)[])),
        (policy, kind) => {
          expect(outcome(policy, podTypes[kind], holding(kind, spoilt)).violations, policy.name).not.to.be
            .empty;
          const mended = remediate(policy, resource(kind, spoilt));
          expect(outcome(policy, podTypes[kind], mended ?? {}).violations, policy.name).to.be.empty;
          expect(remediate(policy, { type: podTypes[kind], urn: "urn", props: mended })).to.equal(undefined);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("changes nothing of a good pod, and nothing that it does not mend", () => {
    for (const policy of mending)
      expect(remediate(policy, resource("Pod", goodPod())), policy.name).to.equal(undefined);
    const privileged = changed(goodPod(), ["spec", "containers", 0, "securityContext", "privileged"], true);
    const bare = changed(
      privileged,
      ["spec", "containers", 0, "securityContext", "allowPrivilegeEscalation"],
      undefined,
    );
    const mended = remediate(policyNamed("no-privilege-escalation"), resource("Deployment", bare));
    const path = [...templatePath("Deployment"), "spec", "containers", 0, "securityContext"];
    const expected = changed(holding("Deployment", bare), [...path, "allowPrivilegeEscalation"], false);
    expect(JSON.parse(JSON.stringify(mended))).to.deep.equal(expected);
  });

  it("leaves what is unknown alone, and the policy says so", () => {
    const path = ["spec", "containers", 0, "securityContext", "allowPrivilegeEscalation"];
    const policy = policyNamed("no-privilege-escalation");
    const given = resource("Pod", changed(goodPod(), path, unknown));
    expect(remediate(policy, given)).to.equal(undefined);
    expect(outcome(policy, podTypes.Pod, changed(goodPod(), path, unknown)).undecided).to.deep.equal([
      written(path),
    ]);
  });
});
