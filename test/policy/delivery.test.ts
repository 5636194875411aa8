import { changed, goodPod, holding, outcome, type Path, podTypes, unknown, written } from "../support/policy";
import {
  noPlainDeployment,
  releaseAbortsItself,
  releaseIsAnalysed,
  releaseStrategySet,
  versionsToGoBackTo,
  weightsGrow,
} from "../../policy/delivery";
import { describeObjectPolicy } from "./fieldCases";
import { expect } from "chai";

const asked = { templates: [{ templateName: "questions" }] };
const trial = { experiment: { analyses: [{ name: "smoke-test", templateName: "smoke-test" }] } };

/** What the stacks' own strategies are, in short. */
const strategies = {
  rolling: { canary: { stableService: "stable", maxSurge: 1, steps: [trial] } },
  canary: {
    canary: {
      steps: [
        { setWeight: 10 },
        { pause: { duration: "60s" } },
        { analysis: asked },
        { setWeight: 50 },
        { analysis: asked },
      ],
      analysis: { startingStep: 1, ...asked },
    },
  },
  blueGreen: {
    blueGreen: { activeService: "stable", prePromotionAnalysis: asked, postPromotionAnalysis: asked },
  },
};
const rollout = (strategy: unknown = strategies.canary) => ({
  metadata: { name: "inventory", namespace: "inventory" },
  spec: {
    progressDeadlineSeconds: 300,
    progressDeadlineAbort: true,
    revisionHistoryLimit: 5,
    strategy,
  },
});
const type = podTypes.Rollout;
const strategyPath = ["spec", "strategy"];
const canaryPath = [...strategyPath, "canary"];
const inStrategy = (path: Path): Path => [...strategyPath, ...path];

describe("policy/delivery", () => {
  for (const policy of [
    releaseStrategySet,
    releaseIsAnalysed,
    releaseAbortsItself,
    versionsToGoBackTo,
    weightsGrow,
  ]) {
    for (const [name, strategy] of Object.entries(strategies)) {
      it(`${policy.name} accepts ${name} as the program makes it`, () => {
        const found = outcome<never>(policy as never, type, rollout(strategy));
        expect(found).to.deep.equal({ violations: [], undecided: [] });
      });
    }
    it(`${policy.name} leaves another kind of that name alone`, () => {
      expect(outcome<never>(policy as never, "kubernetes:other.example/v1:Rollout", {}).violations).to.be
        .empty;
    });
  }

  describeObjectPolicy(releaseStrategySet, {
    type,
    good: rollout(),
    path: strategyPath,
    right: [strategies.blueGreen, strategies.rolling],
    wrong: [undefined, {}],
  });
  describeObjectPolicy(releaseStrategySet, {
    type,
    good: rollout(),
    path: [...canaryPath, "steps"],
    right: [[{ setWeight: 5 }]],
    wrong: [undefined, []],
  });
  describeObjectPolicy(releaseStrategySet, {
    type,
    good: rollout(strategies.blueGreen),
    path: inStrategy(["blueGreen", "activeService"]),
    right: ["live"],
    wrong: [undefined, ""],
  });

  describe(releaseIsAnalysed.name, () => {
    const judged = (strategy: unknown, measured = false) =>
      outcome(releaseIsAnalysed, type, rollout(strategy), { measured });
    const violation = { violations: ["spec.strategy"], undecided: [] };
    const ways: Record<string, { strategy: object; measured: boolean }> = {
      "before the promotion": { strategy: { blueGreen: { prePromotionAnalysis: asked } }, measured: false },
      "after the promotion": { strategy: { blueGreen: { postPromotionAnalysis: asked } }, measured: true },
      "all along": { strategy: { canary: { analysis: asked } }, measured: true },
      "as a step": {
        strategy: { canary: { steps: [{ setWeight: 5 }, { analysis: asked }] } },
        measured: true,
      },
      "of a trial": { strategy: strategies.rolling, measured: false },
    };

    for (const [when, { strategy, measured }] of Object.entries(ways)) {
      it(`accepts an analysis ${when}${measured ? ", which measures what users get" : ""}`, () => {
        expect(judged(strategy)).to.deep.equal({ violations: [], undecided: [] });
        expect(judged(strategy, true).violations).to.have.length(measured ? 0 : 1);
      });
    }
    it("refuses none, or one without questions", () => {
      for (const strategy of [
        null,
        {},
        { canary: { steps: [{ setWeight: 5 }] } },
        { canary: { analysis: { templates: [] } } },
        { canary: { steps: [{ experiment: { analyses: [] } }] } },
        { blueGreen: { activeService: "stable" } },
      ]) {
        expect(judged(strategy), JSON.stringify(strategy)).to.deep.equal(violation);
      }
    });
    it("says so when it is unknown, unless another is there", () => {
      for (const path of [["analysis"], ["steps"], ["steps", 0], ["steps", 0, "experiment", "analyses"]]) {
        const found = judged(changed({}, ["canary", ...path], unknown));
        expect(found).to.deep.equal({
          violations: [],
          undecided: [written(inStrategy(["canary", ...path]))],
        });
      }
      expect(judged(unknown).undecided).to.deep.equal(["spec.strategy"]);
      const clear = changed(strategies.canary, ["canary", "steps"], unknown);
      expect(judged(clear)).to.deep.equal({ violations: [], undecided: [] });
    });
  });

  describeObjectPolicy(releaseAbortsItself, {
    type,
    good: rollout(),
    path: ["spec", "progressDeadlineAbort"],
    right: [true],
    wrong: [false, undefined],
  });
  describeObjectPolicy(releaseAbortsItself, {
    type,
    good: rollout(),
    path: ["spec", "progressDeadlineSeconds"],
    right: [60],
    wrong: [0, undefined],
  });
  describeObjectPolicy(versionsToGoBackTo, {
    type,
    good: rollout(),
    path: ["spec", "revisionHistoryLimit"],
    // The controller keeps ten where nothing is said.
    right: [3, 10, undefined],
    wrong: [0, 2],
  });
  describeObjectPolicy(versionsToGoBackTo, {
    type,
    good: rollout(),
    path: ["spec", "revisionHistoryLimit"],
    right: [12],
    wrong: [10, undefined],
    settings: { minimum: 12 },
  });

  describeObjectPolicy(weightsGrow, {
    type,
    good: rollout(),
    path: [...canaryPath, "steps", 0, "setWeight"],
    right: [1, 25],
    wrong: [26, 50],
  });
  describeObjectPolicy(weightsGrow, {
    type,
    good: rollout(),
    path: [...canaryPath, "steps", 3, "setWeight"],
    right: [10, 100],
    wrong: [9, 0],
  });
  it("weights-grow takes the first step's limit from the settings, and says so when the steps are unknown", () => {
    const judged = (steps: unknown) =>
      outcome(weightsGrow, type, rollout({ canary: { steps } }), { firstPercent: 5 });
    expect(judged([{ setWeight: 5 }]).violations).to.be.empty;
    expect(judged([{ setWeight: 6 }]).violations).to.have.length(1);
    expect(judged(unknown).undecided).to.deep.equal(["spec.strategy.canary.steps"]);
  });

  describe(noPlainDeployment.name, () => {
    const image = ["spec", "containers", 0, "image"];
    const own = "registry.example/team/inventory:1.0.0";
    const judged = (kind: keyof typeof podTypes, value: unknown = own, settings?: object) =>
      outcome(noPlainDeployment, podTypes[kind], holding(kind, changed(goodPod(), image, value)), settings);

    it("accepts the application in a Rollout, or in what ends", () => {
      for (const kind of ["Rollout", "Job", "CronJob", "AnalysisTemplate", "AnalysisRun"] as const) {
        expect(judged(kind), kind).to.deep.equal({ violations: [], undecided: [] });
      }
    });
    it("refuses it in anything else", () => {
      for (const kind of [
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "ReplicaSet",
        "Experiment",
        "Pod",
      ] as const) {
        expect(judged(kind).violations, kind).to.have.length(1);
      }
    });
    it("accepts commands of it there that serve nothing", () => {
      const judgedWith = (list: string, container: object) =>
        outcome(
          noPlainDeployment,
          podTypes.StatefulSet,
          holding(
            "StatefulSet",
            changed(goodPod(), ["spec", list], [{ name: "other", image: own, ...container }]),
          ),
        );
      const command = (...words: string[]) => ({ command: ["inventory", ...words] });
      expect(judgedWith("containers", command("backup", "ship-wal", "--spool", "/x")).violations).to.be.empty;
      expect(judgedWith("containers", command("serve")).violations).to.have.length(1);
      expect(judgedWith("containers", command("backups", "x")).violations).to.have.length(1);
      expect(judgedWith("containers", {}).violations).to.have.length(1);
      expect(judgedWith("initContainers", command("serve")).violations).to.have.length(0);
      const sidecar = { ...command("serve"), restartPolicy: "Always" };
      expect(judgedWith("initContainers", sidecar).violations).to.have.length(1);
    });
    it("accepts other images there", () => {
      expect(judged("Deployment", "traefik:v3.5").violations).to.be.empty;
      expect(judged("Deployment", "registry.example/inventory-exporter:1.0").violations).to.be.empty;
      expect(judged("Deployment", undefined, { repositories: ["shop$"] }).violations).to.be.empty;
    });
    it("says so when the image is unknown", () => {
      expect(judged("Deployment", unknown).undecided).to.deep.equal([
        "spec.template.spec.containers[0].image",
      ]);
    });
  });
});
