import { changed, outcome, type Path, podTypes, stackOutcome, unknown } from "../support/policy";
import {
  namespaceLimitRange,
  namespacePodSecurity,
  namespaceQuota,
  noDefaultNamespace,
  noSystemNamespaces,
} from "../../policy/namespaces";
import { expect } from "chai";

describe("policy/namespaces", () => {
  describe(namespacePodSecurity.name, () => {
    const label = "pod-security.kubernetes.io/enforce";
    const path = `metadata.labels["${label}"]`;
    const judged = (level: unknown, settings?: object) => {
      const namespace = changed({ metadata: { name: "inventory" } }, ["metadata", "labels", label], level);
      return outcome(namespacePodSecurity, "kubernetes:core/v1:Namespace", namespace, settings);
    };

    it("accepts restricted", () => expect(judged("restricted").violations).to.be.empty);
    it("refuses a missing, a weaker and an invented level", () => {
      for (const level of [undefined, "baseline", "privileged", "strict"]) {
        expect(judged(level).violations).to.deep.equal([path]);
      }
    });
    it("accepts the level that the stack lowers it to, and none below", () => {
      expect(judged("baseline", { minimumLevel: "baseline" }).violations).to.be.empty;
      expect(judged("restricted", { minimumLevel: "baseline" }).violations).to.be.empty;
      expect(judged("privileged", { minimumLevel: "baseline" }).violations).to.deep.equal([path]);
    });
    it("says so when it is unknown", () => {
      expect(judged(unknown)).to.deep.equal({ violations: [], undecided: [path] });
    });
  });

  describe(noDefaultNamespace.name, () => {
    const judged = (namespace: unknown, type = "kubernetes:apps/v1:Deployment") =>
      outcome(noDefaultNamespace, type, changed({}, ["metadata", "namespace"], namespace));

    it("accepts a namespace", () => expect(judged("inventory").violations).to.be.empty);
    it("refuses none, an empty one and the default one", () => {
      for (const namespace of [undefined, "", "default"]) {
        expect(judged(namespace).violations).to.deep.equal(["metadata.namespace"]);
      }
    });
    it("says so when it is unknown", () =>
      expect(judged(unknown).undecided).to.deep.equal(["metadata.namespace"]));
    it("leaves alone what has no namespace", () => {
      expect(judged(undefined, "kubernetes:core/v1:Namespace").violations).to.be.empty;
      expect(judged(undefined, podTypes.ClusterAnalysisTemplate).violations).to.be.empty;
      expect(judged(undefined, podTypes.AnalysisTemplate).violations).to.deep.equal(["metadata.namespace"]);
    });
  });

  describe(noSystemNamespaces.name, () => {
    const judged = (
      namespace: unknown,
      name: unknown = "metrics-server-1a2b3c4d",
      allowed: string[] = [],
    ) => {
      const metadata = { name, namespace };
      return outcome(noSystemNamespaces, "kubernetes:core/v1:Secret", { metadata }, { allowed });
    };
    const path = ["metadata.namespace"];

    it("accepts other namespaces, and none", () => {
      for (const namespace of [undefined, "inventory", "default", "kube-system-2"]) {
        expect(judged(namespace).violations).to.be.empty;
      }
    });
    it("refuses those of Kubernetes", () => {
      for (const namespace of ["kube-system", "kube-public", "kube-node-lease"]) {
        expect(judged(namespace).violations).to.deep.equal(path);
      }
    });
    it("accepts what the stack allows by name", () => {
      expect(judged("kube-system", undefined, ["^metrics-server"]).violations).to.be.empty;
      expect(judged("kube-system", "coredns", ["^metrics-server"]).violations).to.deep.equal(path);
    });
    it("says so when it is unknown", () => {
      expect(judged(unknown)).to.deep.equal({ violations: [], undecided: path });
      expect(judged("kube-system", unknown, ["^metrics-server"])).to.deep.equal({
        violations: [],
        undecided: ["metadata.name"],
      });
    });
  });

  for (const [policy, kind, key, content] of [
    [namespaceQuota, "ResourceQuota", "hard", { pods: "10" }],
    [namespaceLimitRange, "LimitRange", "limits", [{ type: "Container" }]],
  ] as const) {
    describe(policy.name, () => {
      const namespace = ["kubernetes:core/v1:Namespace", { metadata: { name: "inventory" } }] as const;
      const good = { metadata: { name: "all", namespace: "inventory" }, spec: { [key]: content } };
      const judged = (...guards: readonly object[]) =>
        stackOutcome(policy, {
          namespace,
          ...Object.fromEntries(
            guards.map((guard, index) => [`guard${index}`, [`kubernetes:core/v1:${kind}`, guard] as const]),
          ),
        });
      const violation = { namespace: { violations: ["metadata.name"], undecided: [] } };

      it("accepts a namespace that has one", () => expect(judged(good)).to.be.empty);
      it("refuses none, an empty one, and one of another namespace", () => {
        expect(judged()).to.deep.equal(violation);
        expect(judged(changed(good, ["spec", key], undefined))).to.deep.equal(violation);
        expect(judged(changed(good, ["metadata", "namespace"], "other"))).to.deep.equal(violation);
      });
      it("says so when the only one is unknown, or the namespace's name", () => {
        for (const path of [["metadata", "namespace"], ["spec"], ["spec", key]] as Path[]) {
          expect(judged(changed(good, path, unknown))).to.deep.equal({
            guard0: { violations: [], undecided: [path.join(".")] },
          });
          expect(judged(changed(good, path, unknown), good)).to.be.empty;
        }
        const unnamed = ["kubernetes:core/v1:Namespace", { metadata: { name: unknown } }] as const;
        expect(stackOutcome(policy, { unnamed })).to.deep.equal({
          unnamed: { violations: [], undecided: ["metadata.name"] },
        });
      });
    });
  }
});
