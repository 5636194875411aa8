import { changed, outcome, unknown } from "../support/policy";
import { namespacePodSecurity, noDefaultNamespace } from "../../policy/namespaces";
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
    });
  });
});
