import {
  changed,
  goodContainer,
  goodPod,
  holding,
  outcome,
  podTypes,
  stackOutcome,
  unknown,
} from "../support/policy";
import {
  disruptionBudget,
  disruptionBudgetLetsDrain,
  gracefulShutdown,
  priorityClass,
  probes,
} from "../../policy/reliability";
import { describePodPolicy } from "./cases";
import { expect } from "chai";

describe("policy/reliability", () => {
  for (const probe of ["readinessProbe", "livenessProbe"]) {
    describePodPolicy(probes, {
      container: [probe],
      right: [{ exec: { command: ["true"] } }],
      wrong: [undefined],
    });
  }

  describe(probes.name, () => {
    const bare = changed(
      changed(goodContainer(), ["readinessProbe"], undefined),
      ["livenessProbe"],
      undefined,
    );
    const withBare = (list: string, extra: object = {}) =>
      changed(goodPod(), ["spec", list], [{ ...bare, ...extra }]);
    const count = (kind: keyof typeof podTypes, pod: object) =>
      outcome(probes, podTypes[kind], holding(kind, pod)).violations.length;

    it("asks none of containers that end", () => {
      for (const kind of ["Job", "CronJob", "ScaledJob"] as const)
        expect(count(kind, withBare("containers"))).to.equal(0);
      expect(count("Deployment", withBare("initContainers"))).to.equal(0);
      expect(count("Deployment", withBare("ephemeralContainers"))).to.equal(0);
      const once = changed(withBare("containers"), ["spec", "restartPolicy"], "Never");
      expect(count("Pod", once)).to.equal(0);
    });
    it("asks for both of sidecars", () => {
      expect(count("Deployment", withBare("initContainers", { restartPolicy: "Always" }))).to.equal(2);
    });
  });

  describe(disruptionBudget.name, () => {
    const deployment = (replicas?: unknown) =>
      [
        podTypes.Deployment,
        changed(holding("Deployment", goodPod()), ["spec", "replicas"], replicas),
      ] as const;
    const budget = {
      metadata: { name: "inventory", namespace: "inventory" },
      spec: { maxUnavailable: 1, selector: { matchLabels: { app: "inventory" } } },
    };
    const budgetType = "kubernetes:policy/v1:PodDisruptionBudget";
    const autoscaler = [
      "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
      {
        metadata: { name: "inventory", namespace: "inventory" },
        spec: { scaleTargetRef: { kind: "Deployment", name: "inventory" } },
      },
    ] as const;
    const violation = { web: { violations: ["spec.replicas"], undecided: [] } };

    it("accepts several replicas with a budget", () => {
      expect(stackOutcome(disruptionBudget, { web: deployment(3), budget: [budgetType, budget] })).to.be
        .empty;
    });
    it("accepts one replica without", () => {
      for (const replicas of [undefined, 0, 1]) {
        expect(stackOutcome(disruptionBudget, { web: deployment(replicas) })).to.be.empty;
      }
    });
    it("refuses several without", () => {
      expect(stackOutcome(disruptionBudget, { web: deployment(2) })).to.deep.equal(violation);
    });
    it("refuses autoscaled ones without", () => {
      for (const replicas of [undefined, 1, unknown]) {
        const found = stackOutcome(disruptionBudget, { web: deployment(replicas), autoscaler });
        expect(found).to.deep.equal(violation);
      }
    });
    it("refuses a budget for other pods, of another namespace, or without a selector", () => {
      for (const other of [
        changed(budget, ["spec", "selector", "matchLabels"], { app: "other" }),
        changed(budget, ["metadata", "namespace"], "other"),
        changed(budget, ["spec", "selector"], undefined),
      ]) {
        const found = stackOutcome(disruptionBudget, { web: deployment(2), budget: [budgetType, other] });
        expect(found).to.deep.equal(violation);
      }
    });
    it("says so when the replicas are unknown", () => {
      expect(stackOutcome(disruptionBudget, { web: deployment(unknown) })).to.deep.equal({
        web: { violations: [], undecided: ["spec.replicas"] },
      });
    });
    it("says so when it is unknown which pods the budget is for", () => {
      const unclear = changed(budget, ["spec", "selector", "matchLabels", "app"], unknown);
      expect(
        stackOutcome(disruptionBudget, { web: deployment(2), budget: [budgetType, unclear] }),
      ).to.deep.equal({
        budget: { violations: [], undecided: ["spec.selector.matchLabels.app"] },
      });
    });
  });

  describePodPolicy(priorityClass, {
    pod: ["priorityClassName"],
    right: ["application", "system-cluster-critical"],
    wrong: [undefined, ""],
  });
  describePodPolicy(gracefulShutdown, {
    pod: ["terminationGracePeriodSeconds"],
    right: [undefined, 1, 60],
    wrong: [0],
  });

  describe(disruptionBudgetLetsDrain.name, () => {
    const judged = (
      key: string,
      value: unknown,
      replicas: unknown = 3,
      others: Parameters<typeof stackOutcome>[1] = {},
    ) => {
      const metadata = { name: "inventory", namespace: "inventory" };
      const spec = { [key]: value, selector: { matchLabels: { app: "inventory" } } };
      return stackOutcome(disruptionBudgetLetsDrain, {
        budget: ["kubernetes:policy/v1:PodDisruptionBudget", { metadata, spec }],
        web: [podTypes.Deployment, changed(holding("Deployment", goodPod()), ["spec", "replicas"], replicas)],
        ...others,
      });
    };
    const violation = (key: string) => ({ budget: { violations: [`spec.${key}`], undecided: [] } });

    it("accepts what leaves room", () => {
      for (const value of [undefined, 1, "1", "1%", "50%"])
        expect(judged("maxUnavailable", value)).to.be.empty;
      for (const value of [undefined, 0, 2, "50%", "60%"]) expect(judged("minAvailable", value)).to.be.empty;
    });
    it("refuses what leaves none", () => {
      for (const value of [0, "0", "0%"]) {
        expect(judged("maxUnavailable", value)).to.deep.equal(violation("maxUnavailable"));
      }
      for (const value of ["100%", 3, 4, "67%"]) {
        expect(judged("minAvailable", value), String(value)).to.deep.equal(violation("minAvailable"));
      }
    });
    it("takes replicas that are not said for the one that they are", () => {
      for (const value of [1, "50%"])
        expect(judged("minAvailable", value, null)).to.deep.equal(violation("minAvailable"));
    });
    it("counts an autoscaler's minimum more than what the workload says", () => {
      const hpa = (minReplicas?: number) => {
        const scaleTargetRef = { kind: "Deployment", name: "inventory" };
        const props = { metadata: { namespace: "inventory" }, spec: { scaleTargetRef, minReplicas } };
        return { hpa: ["kubernetes:autoscaling/v2:HorizontalPodAutoscaler", props] as const };
      };
      for (const replicas of [null, 1]) expect(judged("minAvailable", 1, replicas, hpa(2))).to.be.empty;
      for (const fewest of [undefined, 1])
        expect(judged("minAvailable", 1, 3, hpa(fewest))).to.deep.equal(violation("minAvailable"));
    });
    it("says so when a value is unknown", () => {
      for (const key of ["maxUnavailable", "minAvailable"]) {
        expect(judged(key, unknown)).to.deep.equal({
          budget: { violations: [], undecided: [`spec.${key}`] },
        });
      }
      expect(judged("minAvailable", 2, unknown)).to.deep.equal({
        web: { violations: [], undecided: ["spec.replicas"] },
      });
    });
  });
});
