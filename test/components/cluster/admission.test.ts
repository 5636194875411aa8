import { join } from "node:path";
import { expect } from "chai";
import { Admission } from "../../../components/cluster/admission";
import { admissionPolicies, secretAdmission } from "../../../policy/admission";
import exceptions from "../../../policy/exceptions.json";
import { everyPolicy } from "../../../policy/policies";
import { readConfiguration } from "../../../tools/policy/configuration";
import { at, settingsWith } from "../../support/components";
import { register } from "../../support/mocks";
import { runProgram, stacks } from "../../support/stacks";

const api = "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy";

describe("admission", () => {
  const admission = async (given: Record<string, string | string[]> = {}) => {
    const { cluster } = await settingsWith({ cluster: { admission: given } });
    const { all } = await register(
      () =>
        new Admission("admission", {
          settings: cluster.admission,
          stack: "local",
          registries: ["registry.example"],
          namespaces: ["gateway"],
          appArmor: cluster.appArmor,
        }),
    );
    return { policies: all(api), bindings: all(`${api}Binding`) };
  };

  it("binds every policy to the platform's namespaces, and denies", async () => {
    const { policies, bindings } = await admission();
    const names = [...admissionPolicies(), ...secretAdmission()].map(({ name }) => `technova-${name}`);
    expect(policies.map(({ inputs }) => at(inputs, "metadata", "name"))).to.have.members(names);
    expect(bindings.map(({ inputs }) => at(inputs, "spec", "policyName"))).to.have.members(names);
    for (const { inputs } of bindings)
      expect(at(inputs, "spec", "validationActions")).to.deep.equal(["Deny"]);
    for (const { inputs } of policies) {
      expect(at(inputs, "spec", "failurePolicy")).to.equal("Fail");
      expect(at(inputs, "spec", "matchConstraints", "namespaceSelector", "matchExpressions")).to.deep.equal([
        { key: "kubernetes.io/metadata.name", operator: "In", values: ["gateway"] },
      ]);
    }
  });

  it("guards the whole cluster but what is exempt, and only warns, where the stack wants that", async () => {
    const { policies, bindings } = await admission({
      scope: "cluster",
      exemptNamespaces: ["kube-system"],
      action: "audit",
    });
    for (const { inputs } of bindings)
      expect(at(inputs, "spec", "validationActions")).to.deep.equal(["Audit", "Warn"]);
    for (const { inputs } of policies) {
      expect(at(inputs, "spec", "matchConstraints", "namespaceSelector", "matchExpressions")).to.deep.equal([
        { key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["kube-system"] },
      ]);
    }
  });

  it("refuses another build of the application than one that is named by its digest", async () => {
    const { policies } = await admission();
    const messages = policies.flatMap(
      ({ inputs }) => at(inputs, "spec", "validations") as { message: string }[],
    );
    const about = (policy: string) => messages.filter(({ message }) => message.startsWith(`${policy}:`));
    for (const policy of ["application-image-by-digest", "no-mutable-image-tags"])
      expect(about(policy), policy).not.to.be.empty;
  });

  for (const stack of stacks) {
    it(`holds objects to what the policy pack holds ${stack} to`, async () => {
      const root = join(__dirname, "../../..");
      const configuration = readConfiguration(root, stack);
      const settings = Object.fromEntries(
        everyPolicy.map((policy) => [policy.name, configuration.settingsOf(policy)]),
      );
      const own = exceptions.filter((exception) => exception.stacks.includes(stack));
      const { all } = await runProgram(stack);
      const validations = all(api).map(({ inputs }) => at(inputs, "spec", "validations"));
      const expected = [...admissionPolicies(settings, own), ...secretAdmission()].map((policy) =>
        policy.validations.map((validation) => ({ ...validation, reason: "Forbidden" })),
      );
      expect(validations).to.have.deep.members(expected);
    });
  }
});
