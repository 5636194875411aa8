import { changed, goodPod, holding, outcome, podTypes, stackOutcome, unknown } from "../support/policy";
import { minimumReplicas, spreadOverNodes, updateStrategy } from "../../policy/replicas";
import { expect } from "chai";

type Kind = "Deployment" | "Rollout" | "StatefulSet" | "DaemonSet";

const workload = (kind: Kind, path: readonly string[], value: unknown) =>
  [podTypes[kind], changed(holding(kind, goodPod()), path, value)] as const;
const replicas = (kind: Kind, value: unknown) => workload(kind, ["spec", "replicas"], value);

const scaler = (kind: "HorizontalPodAutoscaler" | "ScaledObject", key: string, minimum: unknown) =>
  [
    kind === "ScaledObject"
      ? "kubernetes:keda.sh/v1alpha1:ScaledObject"
      : "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
    {
      metadata: { namespace: "inventory" },
      spec: { scaleTargetRef: { kind: "Deployment", name: "inventory" }, [key]: minimum },
    },
  ] as const;

describe("policy/replicas", () => {
  describe(minimumReplicas.name, () => {
    const two = { minimum: 2 };
    const violation = (path: string, on = "web") => ({ [on]: { violations: [path], undecided: [] } });

    for (const kind of ["Deployment", "Rollout", "StatefulSet"] as const) {
      it(`wants one of a ${kind}, or what the stack says`, () => {
        for (const value of [undefined, 1, 2]) {
          expect(stackOutcome(minimumReplicas, { web: replicas(kind, value) })).to.be.empty;
        }
        expect(stackOutcome(minimumReplicas, { web: replicas(kind, 0) })).to.deep.equal(
          violation("spec.replicas"),
        );
        expect(stackOutcome(minimumReplicas, { web: replicas(kind, 2) }, two)).to.be.empty;
        for (const value of [undefined, 1]) {
          const found = stackOutcome(minimumReplicas, { web: replicas(kind, value) }, two);
          expect(found).to.deep.equal(violation("spec.replicas"));
        }
      });
    }
    it("takes an autoscaler's minimum for the fewest", () => {
      const web = replicas("Deployment", undefined);
      const judged = (...[kind, key, minimum]: Parameters<typeof scaler>) =>
        stackOutcome(minimumReplicas, { web, scaler: scaler(kind, key, minimum) }, two);
      expect(judged("HorizontalPodAutoscaler", "minReplicas", 2)).to.be.empty;
      expect(judged("ScaledObject", "minReplicaCount", 2)).to.be.empty;
      for (const value of [undefined, 1]) {
        expect(judged("HorizontalPodAutoscaler", "minReplicas", value)).to.deep.equal(
          violation("spec.minReplicas", "scaler"),
        );
        expect(judged("ScaledObject", "minReplicaCount", value)).to.deep.equal(
          violation("spec.minReplicaCount", "scaler"),
        );
      }
      expect(judged("HorizontalPodAutoscaler", "minReplicas", unknown)).to.deep.equal({
        scaler: { violations: [], undecided: ["spec.minReplicas"] },
      });
    });
    it("knows that an autoscaler of KEDA takes all away unless it is told otherwise", () => {
      const web = replicas("Deployment", undefined);
      const found = stackOutcome(minimumReplicas, {
        web,
        scaler: scaler("ScaledObject", "minReplicaCount", undefined),
      });
      expect(found).to.deep.equal(violation("spec.minReplicaCount", "scaler"));
    });
    it("says so when the replicas are unknown", () => {
      expect(stackOutcome(minimumReplicas, { web: replicas("Deployment", unknown) })).to.deep.equal({
        web: { violations: [], undecided: ["spec.replicas"] },
      });
    });
  });

  describe(spreadOverNodes.name, () => {
    const pod = ["spec", "template", "spec"];
    const judged = (count: unknown, key: string, value: unknown) => {
      const [type, props] = replicas("Deployment", count);
      return stackOutcome(spreadOverNodes, { web: [type, changed(props, [...pod, key], value)] });
    };
    const constraint = { topologyKey: "kubernetes.io/hostname" };
    const path = `${pod.join(".")}.topologySpreadConstraints`;

    it("accepts constraints and anti-affinity", () => {
      expect(judged(2, "topologySpreadConstraints", [constraint])).to.be.empty;
      expect(judged(2, "affinity", { podAntiAffinity: {} })).to.be.empty;
    });
    it("asks nothing of a single pod", () => {
      for (const count of [undefined, 0, 1]) expect(judged(count, "hostNetwork", undefined)).to.be.empty;
    });
    it("refuses several without", () => {
      for (const value of [undefined, []]) {
        const found = judged(2, "topologySpreadConstraints", value);
        expect(found).to.deep.equal({ web: { violations: [path], undecided: [] } });
      }
    });
    it("refuses several of an autoscaler, whatever the workload says", () => {
      for (const count of [undefined, 1, unknown]) {
        for (const hpa of [
          scaler("HorizontalPodAutoscaler", "minReplicas", 3),
          scaler("ScaledObject", "minReplicaCount", 0),
        ]) {
          const found = stackOutcome(spreadOverNodes, { web: replicas("Deployment", count), hpa });
          expect(found).to.deep.equal({ web: { violations: [path], undecided: [] } });
        }
      }
    });
    it("asks nothing where an autoscaler makes no second pod", () => {
      for (const hpa of [
        scaler("HorizontalPodAutoscaler", "maxReplicas", 1),
        scaler("ScaledObject", "maxReplicaCount", 1),
      ]) {
        expect(stackOutcome(spreadOverNodes, { web: replicas("Deployment", 1), hpa })).to.be.empty;
      }
    });
    it("says so when it is unknown what an autoscaler scales, or how far", () => {
      const [type, props] = scaler("HorizontalPodAutoscaler", "minReplicas", 3);
      for (const field of ["spec.scaleTargetRef.name", "metadata.namespace", "spec.maxReplicas"]) {
        const hpa = [type, changed(props, field.split("."), unknown)] as const;
        expect(stackOutcome(spreadOverNodes, { web: replicas("Deployment", 1), hpa })).to.deep.equal({
          hpa: { violations: [], undecided: [field] },
        });
      }
    });
    it("says so when constraints, anti-affinity or replicas are unknown", () => {
      for (const [found, undecided] of [
        [judged(2, "topologySpreadConstraints", unknown), path],
        [judged(2, "affinity", unknown), `${pod.join(".")}.affinity`],
        [judged(unknown, "affinity", undefined), "spec.replicas"],
      ]) {
        expect(found).to.deep.equal({ web: { violations: [], undecided: [undecided] } });
      }
    });
  });

  describe(updateStrategy.name, () => {
    const judged = (kind: Kind, path: readonly string[], value: unknown, count: unknown = 3) => {
      const [type, props] = workload(kind, ["spec", ...path], value);
      return outcome(updateStrategy, type, changed(props, ["spec", "replicas"], count));
    };
    const type = ["strategy", "type"];
    const rolling = ["strategy", "rollingUpdate", "maxUnavailable"];

    it("accepts rolling updates", () => {
      expect(judged("Deployment", type, "RollingUpdate").violations).to.be.empty;
      for (const value of [undefined, 0, 1, 2, "25%"]) {
        expect(judged("Deployment", rolling, value).violations).to.be.empty;
        expect(judged("DaemonSet", ["update", ...rolling], value).violations).to.be.empty;
      }
      expect(judged("Rollout", ["strategy", "blueGreen"], {}).violations).to.be.empty;
    });
    it("refuses Recreate of more than one pod", () => {
      for (const count of [undefined, 2]) {
        const found = outcome(
          updateStrategy,
          podTypes.Deployment,
          changed(workload("Deployment", ["spec", ...type], "Recreate")[1], ["spec", "replicas"], count),
        );
        expect(found.violations).to.deep.equal(["spec.strategy.type"]);
      }
      expect(judged("Deployment", type, "Recreate", 1).violations).to.be.empty;
    });
    it("refuses OnDelete", () => {
      for (const kind of ["StatefulSet", "DaemonSet"] as const) {
        expect(judged(kind, ["updateStrategy", "type"], "OnDelete", 1).violations).to.deep.equal([
          "spec.updateStrategy.type",
        ]);
      }
    });
    it("refuses that all pods are unavailable", () => {
      for (const value of [3, 4, "100%"]) {
        for (const [kind, path] of [
          ["Deployment", rolling],
          ["StatefulSet", ["updateStrategy", "rollingUpdate", "maxUnavailable"]],
          ["Rollout", ["strategy", "canary", "maxUnavailable"]],
        ] as const) {
          expect(judged(kind, path, value).violations).to.deep.equal([`spec.${path.join(".")}`]);
        }
      }
      expect(judged("Deployment", rolling, "100%", 1).violations).to.be.empty;
    });
    it("says so when something that matters is unknown", () => {
      expect(judged("Deployment", type, unknown).undecided).to.deep.equal(["spec.strategy.type"]);
      expect(judged("Deployment", rolling, unknown).undecided).to.deep.equal([`spec.${rolling.join(".")}`]);
      for (const [path, value] of [
        [type, "Recreate"],
        [rolling, "100%"],
        [rolling, 3],
      ] as const) {
        expect(judged("Deployment", path, value, unknown)).to.deep.equal({
          violations: [],
          undecided: ["spec.replicas"],
        });
      }
    });
  });
});
