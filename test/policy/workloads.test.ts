import {
  changed,
  goodContainer,
  goodPod,
  holding,
  outcome,
  type Path,
  podTypes,
  unknown,
  written,
} from "../support/policy";
import { expect } from "chai";
import fc from "fast-check";
import { objectsOf } from "../../policy/frame/objects";
import { podKinds } from "../../policy/frame/workloads";
import { policies } from "../../policy/policies";
import { templatePath } from "../support/policy";

const kinds = Object.keys(podTypes) as (keyof typeof podTypes)[];
const lists = ["containers", "initContainers"] as const;
const podPolicies = policies.filter(
  (policy) => "rules" in policy || "checkPod" in policy || "checkContainer" in policy,
);

/** Ways to spoil a container, and the policies that must notice: in any kind, in any of its lists. */
const containerFaults: readonly (readonly [policy: string, path: Path, value: unknown])[] = [
  ["no-privileged-containers", ["securityContext", "privileged"], true],
  ["no-root-containers", ["securityContext", "runAsNonRoot"], undefined],
  ["no-privilege-escalation", ["securityContext", "allowPrivilegeEscalation"], true],
  ["drop-all-capabilities", ["securityContext", "capabilities"], undefined],
  ["read-only-root-file-system", ["securityContext", "readOnlyRootFilesystem"], false],
  ["seccomp-profile", ["securityContext", "seccompProfile", "type"], "Unconfined"],
  ["no-host-ports", ["ports", 0, "hostPort"], 443],
  ["no-mutable-image-tags", ["image"], "nginx:latest"],
  ["application-image-by-digest", ["image"], "registry.example/inventory:1.0.0"],
  ["no-unpullable-images", ["imagePullPolicy"], "Never"],
  ["requests-and-limits", ["resources", "limits", "memory"], undefined],
  ["memory-limit-near-request", ["resources", "limits", "memory"], "1Gi"],
  ["maximum-container-size", ["resources", "limits", "cpu"], "80"],
  ["no-plain-secrets-in-env", ["env", 0], { name: "DB_PASSWORD", value: "correct-horse" }],
  ["no-plain-secrets-in-arguments", ["args", 0], "--password=correct-horse"],
];
const podFaults: typeof containerFaults = [
  ["no-host-namespaces", ["hostNetwork"], true],
  ["no-host-paths", ["volumes", 0, "hostPath"], { path: "/" }],
  ["own-service-account", ["automountServiceAccountToken"], true],
  ["bounded-scratch-space", ["volumes", 0, "emptyDir"], { medium: "Memory" }],
  ["priority-class", ["priorityClassName"], undefined],
  ["graceful-shutdown", ["terminationGracePeriodSeconds"], 0],
];

function policyNamed(name: string) {
  const policy = policies.find((candidate) => candidate.name === name);
  if (policy === undefined) throw new Error(`no policy ${name}`);
  return policy;
}

describe("policy/workloads", () => {
  it("tests every kind that can hold a pod", () => expect(kinds).to.have.members(podKinds));

  it("judges every pod of an analysis, whatever else is measured", () => {
    const job = (pod: object) => ({ name: "test", provider: { job: { spec: { template: pod } } } });
    const prometheus = { name: "errors", provider: { prometheus: { query: "up" } } };
    const bad = changed(goodPod(), ["spec", "hostNetwork"], true);
    const template = {
      metadata: { name: "inventory", namespace: "inventory" },
      spec: { metrics: [prometheus, job(goodPod()), job(bad)] },
    };
    const found = outcome(policyNamed("no-host-namespaces"), podTypes.AnalysisTemplate, template);
    expect(found.violations).to.have.length(1);
    expect(found.violations[0]).to.contain("spec.metrics[2].provider.job.spec.template.spec.hostNetwork");
  });

  it("judges every template of an experiment", () => {
    const privileged = changed(goodContainer(), ["securityContext", "privileged"], true);
    const bad = changed(goodPod(), ["spec", "containers", 0], privileged);
    const experiment = {
      metadata: { name: "inventory", namespace: "inventory" },
      spec: {
        templates: [
          { name: "baseline", template: goodPod() },
          { name: "canary", template: bad },
        ],
      },
    };
    const found = outcome(policyNamed("no-privileged-containers"), podTypes.Experiment, experiment);
    expect(found.violations).to.deep.equal([
      "spec.templates[1].template.spec.containers[0].securityContext.privileged",
    ]);
  });

  it("finds nothing in a good pod, whatever holds it", () => {
    for (const kind of kinds) {
      for (const policy of podPolicies) {
        const found = outcome(policy, podTypes[kind], holding(kind, goodPod()));
        expect(found, `${policy.name} on ${kind}`).to.deep.equal({ violations: [], undecided: [] });
      }
    }
  });

  it("finds what is wrong with any container in every kind, at its path", () => {
    const faults = fc.constantFrom(...containerFaults);
    fc.assert(
      fc.property(
        faults,
        fc.constantFrom(...kinds),
        fc.constantFrom(...lists),
        fc.nat(3),
        (fault, kind, list, index) => {
          const [name, path, value] = fault;
          const containers = Array.from({ length: index + 1 }, goodContainer);
          const pod = changed(
            changed(goodPod(), ["spec", list], containers),
            ["spec", list, index, ...path],
            value,
          );
          const { violations } = outcome(policyNamed(name), podTypes[kind], holding(kind, pod));
          expect(violations, `${name} on ${kind}`).to.have.length(1);
          expect(violations[0]).to.match(prefix([...templatePath(kind), "spec", list, index]));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("finds what is wrong with the pod in every kind, at its path", () => {
    fc.assert(
      fc.property(fc.constantFrom(...podFaults), fc.constantFrom(...kinds), ([name, path, value], kind) => {
        const pod = changed(goodPod(), ["spec", ...path], value);
        const { violations } = outcome(policyNamed(name), podTypes[kind], holding(kind, pod));
        expect(violations).to.deep.equal([written([...templatePath(kind), "spec", ...path])]);
      }),
    );
  });

  it("looks into ephemeral containers, patches, lists and custom resources with a pod template", () => {
    const privileged = changed(goodContainer(), ["securityContext", "privileged"], true);
    const pod = changed(goodPod(), ["spec", "containers"], [privileged]);
    const deployment = holding("Deployment", pod);
    const found = (type: string, props: object) =>
      outcome(policyNamed("no-privileged-containers"), type, props).violations;
    const path = "spec.template.spec.containers[0].securityContext.privileged";
    expect(
      found(podTypes.Pod, changed(goodPod(), ["spec", "ephemeralContainers"], [privileged])),
    ).to.deep.equal(["spec.ephemeralContainers[0].securityContext.privileged"]);
    expect(found("kubernetes:apps/v1:DeploymentPatch", deployment)).to.deep.equal([path]);
    expect(found("kubernetes:apps/v1:DeploymentList", { items: [deployment] })).to.deep.equal([
      `items[0].${path}`,
    ]);
    expect(
      found("kubernetes:core/v1:List", { items: [{ kind: "Deployment", ...deployment }] }),
    ).to.deep.equal([`items[0].${path}`]);
    expect(found("kubernetes:apps.kruise.io/v1alpha1:CloneSet", deployment)).to.deep.equal([path]);
    expect(found("kubernetes:v1:Pod", pod)).to.have.length(1);
  });

  it("judges the patch of a custom resource as what it changes", () => {
    const sealed = { template: { data: { password: "correct-horse" } } };
    const hostNetwork = changed(goodPod(), ["spec", "hostNetwork"], true);
    const run = (holding("AnalysisRun", hostNetwork) as { spec: object }).spec;
    for (const [name, apiVersion, kind, spec] of [
      ["strict-sealed-secrets", "bitnami.com/v1alpha1", "SealedSecret", sealed],
      ["no-plaintext-routes", "traefik.io/v1alpha1", "IngressRoute", {}],
      ["release-strategy-set", "argoproj.io/v1alpha1", "Rollout", { strategy: {} }],
      ["no-host-namespaces", "argoproj.io/v1alpha1", "AnalysisRun", run],
    ] as const) {
      const type = `kubernetes:${apiVersion}:${kind}Patch`;
      const metadata = { name: "inventory", namespace: "inventory" };
      const judged = outcome(policyNamed(name), type, { apiVersion, kind, metadata, spec });
      expect(judged.violations, name).to.have.length(1);
    }
  });

  it("leaves a custom resource its kind that ends in Patch", () => {
    const props = { apiVersion: "technova.io/v1", kind: "ClusterPatch", spec: {} };
    const [object] = objectsOf({ type: "kubernetes:technova.io/v1:ClusterPatch", urn: "urn", props });
    expect(object?.kind).to.equal("ClusterPatch");
  });

  it("leaves alone a Rollout that refers to a Deployment, and what is not Kubernetes'", () => {
    for (const policy of podPolicies) {
      const reference = { spec: { workloadRef: { kind: "Deployment", name: "inventory" } } };
      expect(outcome(policy, podTypes.Rollout, reference).violations, policy.name).to.be.empty;
      expect(outcome(policy, "github:index/repository:Repository", {}).violations, policy.name).to.be.empty;
    }
  });

  it("never passes in silence: any part of a pod that is unknown is undecided or does not matter", () => {
    const paths = leaves(goodPod());
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.constantFrom(...paths), (kind, path) => {
        const pod = changed(goodPod(), path, unknown);
        for (const policy of podPolicies) {
          expect(outcome(policy, podTypes[kind], holding(kind, pod)).violations, policy.name).to.be.empty;
        }
      }),
    );
    for (const policy of podPolicies) {
      const { undecided } = outcome(policy, podTypes.Deployment, { spec: unknown });
      expect(undecided, policy.name).to.deep.equal(["spec"]);
    }
  });
});

function prefix(path: Path): RegExp {
  return new RegExp(`^${written(path).replaceAll(/[[\].]/g, "\\$&")}\\.`);
}

/** Every path in an object, of values and of the objects that hold them. */
function leaves(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  const children = Object.entries(value).flatMap(([key, child]) =>
    leaves(child, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return path.length === 0 ? children : [path, ...children];
}
