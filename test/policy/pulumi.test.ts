import type { ResourceValidationArgs, ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { changed, goodPod, podTypes, runOf, unknown } from "../support/policy";
import { expect } from "chai";
import { namespaceDefaultDeny } from "../../policy/network";
import { noLoadBalancerServices } from "../../policy/network";
import { noPlainSecretsInEnv } from "../../policy/secrets";
import { appArmorRequired } from "../../policy/pods";
import { noPrivilegeEscalation, noRootContainers } from "../../policy/podSecurityRestricted";
import type { Policy } from "../../policy/frame/policy";
import { packOf } from "../../policy/policies";
import { toPulumi } from "../../policy/frame/pulumi";
import { unknownCheckingProxy } from "@pulumi/policy";
import { whatMustStayIsProtected } from "../../policy/stack";

const urn = "urn:pulumi:dev::shop::kubernetes:core/v1:Pod::web";

/** Runs a policy as the policy server does; answers what it reports and what it throws. */
function run<S>(
  policy: Policy<S>,
  type: string,
  props: object,
  config: object = {},
  updating = false,
  as = runOf({ updating }),
) {
  const messages: string[] = [];
  let thrown: unknown;
  const args = { type, urn, props: unknownCheckingProxy(props), opts: {}, getConfig: () => config };
  const { validateResource } = toPulumi(policy as Policy, as) as ResourceValidationPolicy;
  if (typeof validateResource !== "function") throw new Error("not a resource policy");
  try {
    void validateResource(args as unknown as ResourceValidationArgs, (message) => messages.push(message));
  } catch (error) {
    thrown = error;
  }
  return { messages, thrown };
}

describe("policy/pulumi", () => {
  const container = ["spec", "containers", 0];
  const asRoot = changed(goodPod(), [...container, "securityContext", "runAsNonRoot"], false);

  it("names the resource, the field, what was found, the remedy and the source", () => {
    const { messages, thrown } = run(noRootContainers, podTypes.Pod, asRoot);
    expect(thrown).to.equal(undefined);
    expect(messages).to.deep.equal([
      [
        "  spec.containers[0].securityContext.runAsNonRoot (app) is false, must be true",
        `Resource: Pod inventory/inventory (${urn})`,
        `Why: ${noRootContainers.why}`,
        "Remedy:",
        ...noRootContainers.remedy.map((step, index) => `  ${index + 1}. ${step}`),
        `See: ${noRootContainers.link}`,
      ].join("\n"),
    ]);
  });

  it("reports all that is wrong on a resource together", () => {
    const both = changed(asRoot, ["spec", "securityContext", "runAsNonRoot"], false);
    const { messages } = run(noRootContainers, podTypes.Pod, both);
    expect(messages).to.have.length(1);
    expect(messages[0]).to.contain("  spec.securityContext.runAsNonRoot is false");
    expect(messages[0]).to.contain("  spec.containers[0].securityContext.runAsNonRoot (app) is false");
  });

  it("reports what is wrong and, through the engine's error, what is unknown", () => {
    const props = changed(asRoot, ["spec", "securityContext", "runAsNonRoot"], unknown);
    const { messages, thrown } = run(noRootContainers, podTypes.Pod, props);
    expect(messages).to.have.length(1);
    expect(thrown).to.be.an("error").with.property("unknownTypeSentinel");
    expect((thrown as Error).message)
      .to.contain("undecided")
      .and.to.contain("spec.securityContext.runAsNonRoot is not known yet")
      .and.to.contain(urn);
  });

  it("takes what an update leaves unknown for a violation", () => {
    const props = changed(goodPod(), ["spec", "securityContext", "runAsNonRoot"], unknown);
    const { messages, thrown } = run(noRootContainers, podTypes.Pod, props, {}, true);
    expect(thrown).to.equal(undefined);
    expect(messages).to.have.length(1);
    expect(messages[0]).to.contain("runAsNonRoot is still unknown in the update");
  });

  it("blocks by what is unknown where the stack wants that, with the policy's own enforcement", () => {
    const props = changed(asRoot, ["spec", "securityContext", "runAsNonRoot"], unknown);
    const strict = { ...runOf(), undecidedBlocks: true };
    const { messages, thrown } = run(noRootContainers, podTypes.Pod, props, {}, false, strict);
    expect(thrown).to.equal(undefined);
    expect(messages).to.have.length(1);
    expect(messages[0]).to.contain("spec.securityContext.runAsNonRoot is not known yet");
    expect(messages[0]).to.contain("spec.containers[0].securityContext.runAsNonRoot (app) is false");
    expect(strict.found.map(({ status }) => status)).to.deep.equal(["violation", "violation"]);
  });

  it("is told by the stack's settings whether it blocks, before any other policy is asked", () => {
    const as = runOf();
    const [first] = packOf(as);
    run(first as Policy, podTypes.Pod, goodPod(), { block: true }, false, as);
    expect(as.undecidedBlocks).to.equal(true);
  });

  it("records what is violated, undecided and excepted", () => {
    const exception = {
      policy: noRootContainers.name,
      stacks: ["dev"],
      resource: "Pod inventory/*",
      reason: "The vendor's image runs as root.",
      owner: "team-platform",
      expires: "2026-11-25",
    };
    const props = changed(asRoot, ["spec", "securityContext", "runAsNonRoot"], unknown);
    const plain = runOf();
    run(noRootContainers, podTypes.Pod, props, {}, false, plain);
    const place = { policy: noRootContainers.name, urn, resource: "Pod inventory/inventory" };
    const own = "spec.containers[0].securityContext.runAsNonRoot";
    expect(plain.found[0]).to.include({ ...place, status: "violation", path: own });
    expect(plain.found[1]).to.include({
      ...place,
      status: "undecided",
      path: "spec.securityContext.runAsNonRoot",
    });
    const excused = runOf({ exceptions: [exception] });
    const { messages, thrown } = run(noRootContainers, podTypes.Pod, props, {}, false, excused);
    expect(messages).to.be.empty;
    expect(thrown).to.equal(undefined);
    expect(excused.found.map(({ status }) => status)).to.deep.equal(["excepted", "excepted"]);
    expect(excused.found[0]?.exception).to.equal(exception);
  });

  it("lets the one object of a list be that an exception names, and says what else is wrong in the list", () => {
    const named = (name: string, pod: object) => changed(pod, ["metadata", "name"], name);
    const isUnclear = changed(goodPod(), ["spec", "securityContext", "runAsNonRoot"], unknown);
    const list = { items: [named("old", asRoot), named("new", asRoot), named("old", isUnclear)] };
    const as = runOf({
      exceptions: [
        {
          policy: noRootContainers.name,
          stacks: ["dev"],
          resource: "Pod inventory/old",
          reason: "The vendor's image runs as root.",
          owner: "team-platform",
          expires: "2026-11-25",
        },
      ],
    });
    const { messages, thrown } = run(noRootContainers, "kubernetes:core/v1:PodList", list, {}, false, as);
    expect(thrown).to.equal(undefined);
    expect(messages).to.have.length(1);
    expect(messages[0])
      .to.contain("items[1].spec.containers[0].securityContext.runAsNonRoot")
      .and.not.to.contain("items[0]");
    expect(as.found.map(({ status, resource }) => [status, resource])).to.deep.equal([
      ["excepted", "Pod inventory/old"],
      ["violation", "Pod inventory/new"],
      ["excepted", "Pod inventory/old"],
    ]);
  });

  describe("mends", () => {
    const mended = (policy: Policy, props: object, config: object = {}, as = runOf()) => {
      const { remediateResource } = toPulumi(policy, as) as ResourceValidationPolicy;
      const args = { type: podTypes.Pod, urn, props: structuredClone(props), getConfig: () => config };
      return remediateResource?.(args as unknown as ResourceValidationArgs);
    };
    const escalates = changed(goodPod(), [...container, "securityContext", "allowPrivilegeEscalation"], true);
    const profile = ["securityContext", "appArmorProfile", "type"];

    it("what the stack's settings ask for", () => {
      expect(mended(appArmorRequired as Policy, goodPod())).to.equal(undefined);
      expect(mended(appArmorRequired as Policy, goodPod(), { required: true })).to.deep.equal(
        changed(goodPod(), [...container, ...profile], "RuntimeDefault"),
      );
    });

    it("nothing that an exception lets be, whose use the policy then notes", () => {
      expect(mended(noPrivilegeEscalation, escalates)).to.deep.equal(goodPod());
      const as = runOf({
        exceptions: [
          {
            policy: noPrivilegeEscalation.name,
            stacks: ["dev"],
            resource: "Pod inventory/inventory",
            reason: "The vendor's image needs sudo.",
            owner: "team-platform",
            expires: "2026-11-25",
          },
        ],
      });
      expect(mended(noPrivilegeEscalation, escalates, {}, as)).to.equal(undefined);
      const { messages } = run(noPrivilegeEscalation, podTypes.Pod, escalates, {}, false, as);
      expect(messages).to.be.empty;
      expect(as.found.map(({ status }) => status)).to.deep.equal(["excepted"]);
    });
  });

  it("never shows a secret", () => {
    const props = changed(goodPod(), [...container, "env", 0], { name: "PASSWORD", value: "correct-horse" });
    const { messages } = run(noPlainSecretsInEnv, podTypes.Pod, props);
    expect(messages[0]).to.contain("spec.containers[0].env[0].value (app, PASSWORD)");
    expect(messages[0]).not.to.contain("correct-horse");
  });

  it("takes its settings from the configuration and refuses those it does not have", () => {
    const props = { spec: { type: "LoadBalancer" } };
    const type = "kubernetes:core/v1:Service";
    expect(run(noLoadBalancerServices, type, props).messages).to.have.length(1);
    expect(run(noLoadBalancerServices, type, props, { loadBalancerAllowed: true }).messages).to.be.empty;
    expect(String(run(noLoadBalancerServices, type, props, { loadBalancersAllowed: true }).thrown))
      .to.contain('policy "no-load-balancer-services" has no setting loadBalancersAllowed')
      .and.to.contain("it takes loadBalancerAllowed");
  });

  it("knows which resources the engine keeps from being deleted", () => {
    const { validateResource } = toPulumi(
      whatMustStayIsProtected as Policy,
      runOf(),
    ) as ResourceValidationPolicy;
    if (typeof validateResource !== "function") throw new Error("not a resource policy");
    const type = "kubernetes:core/v1:PersistentVolumeClaim";
    const reports = (protect: boolean) => {
      const messages: string[] = [];
      const args = { type, urn, props: {}, opts: { protect }, getConfig: () => ({ required: true }) };
      void validateResource(args as unknown as ResourceValidationArgs, (message) => messages.push(message));
      return messages.length;
    };
    expect([reports(true), reports(false)]).to.deep.equal([0, 1]);
  });

  it("reports a stack policy's findings on the resources they are about", () => {
    const { validateStack } = toPulumi(namespaceDefaultDeny, runOf()) as StackValidationPolicy;
    const resources = ["a", "b"].map((name) => ({
      type: "kubernetes:core/v1:Namespace",
      urn: name,
      props: { metadata: { name } },
      opts: {},
    }));
    const found: (string | undefined)[] = [];
    const args = { resources, getConfig: () => ({}) } as unknown as Parameters<typeof validateStack>[0];
    void validateStack(args, (_, on) => found.push(on));
    expect(found).to.deep.equal(["a", "b"]);
  });
});
