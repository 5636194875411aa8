import { Environment } from "@marcbachmann/cel-js";
import { expect } from "chai";
import fc from "fast-check";
import { rulesOf } from "../../policy/frame/evaluate";
import {
  admissionPolicies,
  type AdmissionPolicy,
  guardedResources,
  secretAdmission,
} from "../../policy/admission";
import { parseQuantity } from "../../policy/frame/quantity";
import { podKinds } from "../../policy/frame/workloads";
import { policies } from "../../policy/policies";
import { changed, goodPod, holding, outcome, podTypes } from "../support/policy";
import { mutatedPod } from "../support/mutants";

/** Quantities as Kubernetes has them in its own library of CEL. */
class CelQuantity {
  constructor(readonly value: bigint) {}
}

const environment = new Environment({ enableOptionalTypes: true, unlistedVariablesAreDyn: true })
  .registerType("Quantity", CelQuantity)
  .registerFunction(
    "string.find(string): string",
    (text: string, pattern: string) => new RegExp(pattern).exec(text)?.[0] ?? "",
  )
  .registerFunction("isQuantity(string): bool", (text: string) => parseQuantity(text) !== undefined)
  .registerFunction(
    "quantity(string): Quantity",
    (text: string) => new CelQuantity(parseQuantity(text) ?? 0n),
  )
  .registerFunction("Quantity.compareTo(Quantity): int", (one: CelQuantity, other: CelQuantity) =>
    one.value < other.value ? -1n : one.value > other.value ? 1n : 0n,
  )
  .registerFunction(
    "Quantity.isGreaterThan(Quantity): bool",
    (one: CelQuantity, other: CelQuantity) => one.value > other.value,
  );

/** Messages of the validations that an object does not keep, as the API server would find them. */
function refused({ variables, validations }: AdmissionPolicy, object: object): string[] {
  const evaluated: Record<string, unknown> = {};
  for (const { name, expression } of variables) {
    evaluated[name] = environment.evaluate(expression, { object, variables: evaluated });
  }
  return validations
    .filter(({ expression }) => environment.evaluate(expression, { object, variables: evaluated }) !== true)
    .map(({ message }) => message);
}

/** Whether the API server would ask a policy about a request at all. */
function concerns({ matchConditions }: AdmissionPolicy, object: object, oldObject?: object): boolean {
  const request = { operation: oldObject === undefined ? "CREATE" : "UPDATE" };
  return matchConditions.every(
    ({ expression }) =>
      environment.evaluate(expression, { request, object, oldObject: oldObject ?? null }) === true,
  );
}

/** Kinds of which admission sees the pods only when they are made. */
const later = new Set(["AnalysisTemplate", "ClusterAnalysisTemplate", "AnalysisRun", "Experiment"]);

describe("policy/admission", () => {
  const generated = admissionPolicies();
  const kinds = (Object.keys(podTypes) as (keyof typeof podTypes)[]).filter((kind) => !later.has(kind));
  const objectOf = (kind: keyof typeof podTypes, pod: object) => ({ kind, ...holding(kind, pod) });

  it("lets objects of before a rule be scaled and removed, as long as their pods stay as they are", () => {
    for (const kind of kinds) {
      const old = objectOf(kind, goodPod());
      const scaled = changed(old, ["metadata", "finalizers"], []);
      const image = objectOf(kind, changed(goodPod(), ["spec", "containers", 0, "image"], "other:1"));
      for (const policy of generated) {
        const asked = [concerns(policy, old), concerns(policy, scaled, old), concerns(policy, image, old)];
        expect(asked, `${kind} ${policy.name}`).to.deep.equal([true, false, true]);
      }
    }
  });

  it("has every rule of the pack once, without line breaks, and says whose it is", () => {
    const names = generated.flatMap(({ validations }) =>
      validations.map(({ message }) => message.split(":")[0]),
    );
    const own = policies.filter((policy) => "rules" in policy && rulesOf(policy).length > 0);
    expect([...new Set(names)]).to.have.members(own.map(({ name }) => name));
    for (const { validations } of generated) {
      for (const { message } of validations) expect(message).not.to.contain("\n");
      expect(new Set(validations.map(({ expression }) => expression)).size).to.equal(validations.length);
    }
  });

  it("guards every kind that holds pods", () => {
    const resources = guardedResources.flatMap((each) => each.resources);
    const plural = (kind: string) => `${kind.toLowerCase()}s`;
    expect(resources).to.include.members(podKinds.filter((kind) => !later.has(kind)).map(plural));
  });

  it("admits a good pod in every kind, and a Rollout that refers to a Deployment", () => {
    for (const policy of generated) {
      for (const kind of kinds) expect(refused(policy, objectOf(kind, goodPod())), kind).to.be.empty;
      const reference = { kind: "Rollout", spec: { workloadRef: { kind: "Deployment", name: "inventory" } } };
      expect(refused(policy, reference)).to.be.empty;
    }
  });

  it("leaves out what a stack has disabled", () => {
    const some = admissionPolicies({ "no-host-ports": "disabled" }).flatMap(({ validations }) => validations);
    expect(some.filter(({ message }) => message.startsWith("no-host-ports:"))).to.be.empty;
    expect(some).to.have.length(generated.flatMap(({ validations }) => validations).length - 1);
  });

  it("lets be what an exception is for: the object, and the pods that it makes", () => {
    const exception = {
      policy: "no-host-paths",
      stacks: ["local"],
      resource: "DaemonSet monitoring/node-exporter",
      reason: "It reads the node's own files.",
      owner: "team-platform",
      expires: "2027-03-31",
    };
    const [baseline] = admissionPolicies({}, [exception]);
    const volume = { name: "root", hostPath: { path: "/" } };
    const pod = changed(goodPod(), ["spec", "volumes", 0], volume);
    const named = (kind: keyof typeof podTypes, name: string, more: object = {}) => ({
      ...objectOf(kind, pod),
      metadata: { name, namespace: "monitoring", ...more },
    });
    const ownerReferences = [{ kind: "DaemonSet", name: "node-exporter" }];
    const judged = (object: object) => refused(baseline as AdmissionPolicy, object);
    expect(judged(named("DaemonSet", "node-exporter"))).to.be.empty;
    expect(judged(named("Pod", "node-exporter-abcde", { ownerReferences }))).to.be.empty;
    for (const other of [
      named("DaemonSet", "node-exporter-2"),
      named("Pod", "node-exporter"),
      named("DaemonSet", "node-exporter", { namespace: "inventory" }),
    ]) {
      expect(judged(other)).to.have.length(1);
    }
    const also = changed(named("DaemonSet", "node-exporter"), ["spec", "template", "spec", "hostPID"], true);
    expect(judged(also)).to.have.length(1);
  });

  it("asks for an AppArmor profile as the pack does, where the stack's nodes have AppArmor", () => {
    const settings = { "apparmor-required": { required: true } };
    const policy = admissionPolicies(settings).find(({ name }) => name === "pods") as AdmissionPolicy;
    const types = [undefined, "RuntimeDefault", "Localhost", "Unconfined"];
    const profile = ["securityContext", "appArmorProfile", "type"];
    for (const [ofPod, ofContainer] of types.flatMap((one) => types.map((other) => [one, other] as const))) {
      const pod = changed(
        changed(goodPod(), ["spec", ...profile], ofPod),
        ["spec", "containers", 0, ...profile],
        ofContainer,
      );
      const counts = ofContainer ?? ofPod;
      const wanted = counts === undefined || counts === "Unconfined" ? ["apparmor-required"] : [];
      const judged = refused(policy, objectOf("Deployment", pod)).map((message) => message.split(":")[0]);
      expect(judged, `${ofPod} ${ofContainer}`).to.deep.equal(wanted);
    }
  });

  it("refuses a Secret that asks for a token, as the pack does, and no other", () => {
    const [policy] = secretAdmission() as [AdmissionPolicy];
    const secret = (type?: string) => ({
      kind: "Secret",
      metadata: { name: "x", namespace: "inventory" },
      type,
    });
    const token = secret("kubernetes.io/service-account-token");
    expect(refused(policy, token)).to.have.length(1);
    expect(refused(policy, token)[0]).to.match(/^no-token-secrets: /);
    for (const type of [undefined, "Opaque", "kubernetes.io/tls"])
      expect(refused(policy, secret(type))).to.be.empty;
    const exception = {
      policy: "no-token-secrets",
      stacks: ["local"],
      resource: "Secret inventory/x",
      reason: "Another cluster signs in with it.",
      owner: "team-platform",
      expires: "2027-03-31",
    };
    expect(refused(secretAdmission({}, [exception])[0] as AdmissionPolicy, token)).to.be.empty;
    expect(secretAdmission({ "no-token-secrets": "disabled" })).to.be.empty;
  });

  it("agrees with the pack on whatever somebody makes of a good pod, in every kind", () => {
    fc.assert(
      fc.property(mutatedPod(), fc.constantFrom(...kinds), (pod, kind) => {
        const object = objectOf(kind, pod);
        const byAdmission = new Set(
          generated.flatMap((policy) => refused(policy, object)).map((message) => message.split(":")[0]),
        );
        const byPack = policies
          .filter((policy) => "rules" in policy)
          .filter((policy) => outcome(policy, podTypes[kind], object).violations.length > 0)
          .map(({ name }) => name);
        expect([...byAdmission]).to.have.members(byPack);
      }),
      { numRuns: 300 },
    );
  });
});
