import { type ContainerPolicy, type ObjectPolicy, type Policy, shown } from "./frame/policy";
import { type Answer, answerOf, any } from "./frame/answers";
import { isAbsent, oneOf } from "./frame/tests";
import type { Field } from "./frame/field";
import { parseImage } from "./images";
import type { Target } from "./frame/objects";

const specification = "https://argo-rollouts.readthedocs.io/en/stable/features/specification/";
const analysisDocs = "https://argo-rollouts.readthedocs.io/en/stable/features/analysis/";

const isRollout = ({ group, kind }: Target) => group === "argoproj.io" && kind === "Rollout";
const isFilled = (value: unknown) => Array.isArray(value) && value.length > 0;

export const releaseStrategySet: ObjectPolicy = {
  name: "release-strategy-set",
  area: "delivery",
  severity: "high",
  description: "A Rollout says how a version gets to the users: blue-green, or canary with steps.",
  why: "A canary without steps exchanges all pods at once, and nothing stops a version that does not work.",
  remedy: [
    "Set spec.strategy.blueGreen with its activeService, or spec.strategy.canary with at least one step.",
  ],
  link: specification,
  kinds: ["Rollout"],
  checkObject(object, judge) {
    if (!isRollout(object)) return;
    const strategy = object.root.at("spec", "strategy");
    const [blueGreen, canary] = [strategy.at("blueGreen"), strategy.at("canary")];
    if (!judge.knows(strategy) || !judge.knows(blueGreen) || !judge.knows(canary)) return;
    if (!blueGreen.absent) {
      const named = (value: unknown) => typeof value === "string" && value !== "";
      judge.expect(blueGreen.at("activeService"), { accepts: named, wanted: "the name of a Service" });
    } else if (canary.absent) judge.report(strategy, "has neither blueGreen nor canary");
    else {
      // What the steps are is for other policies.
      const steps = canary.at("steps");
      if (judge.knows(steps) && !isFilled(steps.value)) judge.report(steps, "has no step");
    }
  },
};

export const releaseIsAnalysed: ObjectPolicy<{ measured: boolean }> = {
  name: "release-is-analysed",
  area: "delivery",
  severity: "high",
  description: "A release is asked whether it works, and goes back if it does not.",
  why: "Without an analysis a version that starts but fails its users is released to all of them.",
  remedy: [
    "Set prePromotionAnalysis or postPromotionAnalysis for blueGreen; for canary an analysis, of the whole or as a step.",
    "Where measured is set, measure what users get: postPromotionAnalysis, or an analysis of the canary.",
  ],
  link: analysisDocs,
  parameters: {
    measured: {
      type: "boolean",
      description:
        "Whether the users' own requests have to be measured; a trial before them is not enough then.",
      default: false,
    },
  },
  kinds: ["Rollout"],
  checkObject(object, judge, { measured }) {
    if (!isRollout(object)) return;
    const strategy = object.root.at("spec", "strategy");
    const steps = strategy.at("canary", "steps").items();
    const asks = (analysis: Field) =>
      analysis.unknown ? analysis : answerOf(analysis.at("templates"), isFilled);
    const answers: Answer[] = [
      asks(strategy.at("blueGreen", "postPromotionAnalysis")),
      asks(strategy.at("canary", "analysis")),
      ...steps.map((step) => asks(step.at("analysis"))),
    ];
    if (!measured) {
      answers.push(
        asks(strategy.at("blueGreen", "prePromotionAnalysis")),
        ...steps.map((step) => answerOf(step.at("experiment", "analyses"), isFilled)),
      );
    }
    const answer = any(...answers);
    if (typeof answer !== "boolean") judge.knows(answer);
    else if (!answer) judge.report(strategy, `has no analysis${measured ? " of what users get" : ""}`);
  },
};

export const releaseAbortsItself: ObjectPolicy = {
  name: "release-aborts-itself",
  area: "delivery",
  severity: "medium",
  description: "A release that does not get on is taken back by itself.",
  why: "Without it a release that hangs stays half done, with some users on a version that does not work.",
  remedy: [
    "Set progressDeadlineSeconds to the longest that a pod may take, and progressDeadlineAbort to true.",
  ],
  link: specification,
  kinds: ["Rollout"],
  checkObject(object, judge) {
    if (!isRollout(object)) return;
    const spec = object.root.at("spec");
    judge.expect(spec.at("progressDeadlineAbort"), oneOf(true));
    const accepts = (value: unknown) => typeof value === "number" && value > 0;
    judge.expect(spec.at("progressDeadlineSeconds"), { accepts, wanted: "a number of seconds" });
  },
};

/** What the controller keeps where nothing is said. */
const keptByDefault = 10;

export const versionsToGoBackTo: ObjectPolicy<{ minimum: number }> = {
  name: "versions-to-go-back-to",
  area: "delivery",
  severity: "medium",
  description: "The cluster keeps earlier versions to go back to.",
  why: "A version that is gone has to be built or found again while the users wait.",
  remedy: ["Set revisionHistoryLimit to at least the number that policy/config/<stack>.json asks for."],
  link: specification,
  parameters: {
    minimum: {
      type: "integer",
      description: "The least number of earlier versions.",
      minimum: 1,
      default: 3,
    },
  },
  kinds: ["Rollout"],
  checkObject(object, judge, { minimum }) {
    if (!isRollout(object)) return;
    const accepts = (value: unknown) => Number(isAbsent(value) ? keptByDefault : value) >= minimum;
    judge.expect(object.root.at("spec", "revisionHistoryLimit"), { accepts, wanted: `at least ${minimum}` });
  },
};

export const weightsGrow: ObjectPolicy<{ firstPercent: number }> = {
  name: "weights-grow",
  area: "delivery",
  severity: "medium",
  description: "A canary begins with few of the users and only ever gets more.",
  why: "A first step that is large gives a bad version to many before anything was measured.",
  remedy: ["Begin with a setWeight of at most firstPercent, and let every later one be larger."],
  link: "https://argo-rollouts.readthedocs.io/en/stable/features/canary/",
  parameters: {
    firstPercent: {
      type: "integer",
      description: "The most that the first step may give to the new version, in percent.",
      minimum: 1,
      default: 25,
    },
  },
  kinds: ["Rollout"],
  checkObject(object, judge, { firstPercent }) {
    if (!isRollout(object)) return;
    const steps = judge.items(object.root.at("spec", "strategy", "canary", "steps"));
    let before: number | undefined;
    for (const weight of steps.map((step) => step.at("setWeight"))) {
      // What follows an unknown weight is not the first any more.
      if (!judge.knows(weight)) before ??= 0;
      if (typeof weight.value !== "number") continue;
      if (before === undefined && weight.value > firstPercent) {
        judge.report(weight, `is ${weight.value}, must be at most ${firstPercent} in the first step`);
      } else if (before !== undefined && weight.value < before) {
        judge.report(weight, `is ${weight.value}, must be at least ${before} as in the step before`);
      }
      before = weight.value;
    }
  },
};

interface PlainDeployment {
  readonly repositories: readonly string[];
  readonly otherCommands: readonly string[];
}

export const noPlainDeployment: ContainerPolicy<PlainDeployment> = {
  name: "no-plain-deployment-of-the-application",
  area: "delivery",
  severity: "high",
  description: "The application serves from a Rollout only; its other commands are Jobs.",
  why: "A Deployment, or a pod by hand, gets a version to the users past trial, analysis and the way back.",
  remedy: ["Make the workload a Rollout with the strategy of the stack, or a Job if it is meant to end."],
  link: "https://argo-rollouts.readthedocs.io/en/stable/migrating/",
  parameters: {
    repositories: {
      type: "array",
      items: { type: "string" },
      description: "Regular expressions; an image whose repository matches one is the application's.",
      default: ["(^|/)inventory$"],
    },
    otherCommands: {
      type: "array",
      items: { type: "string" },
      description: "Regular expressions; a container whose command line matches one serves no requests.",
      default: ["^inventory backup "],
    },
  },
  checkContainer({ pod, field, role }, judge, { repositories, otherCommands }) {
    // What ends before the Pod's own containers start serves nothing.
    if (isRollout(pod.object) || !pod.runsForever || role === "init") return;
    const words = judge.items(field.at("command")).slice(0, 3);
    const line = words.map(({ value }) => String(value)).join(" ");
    if (otherCommands.some((pattern) => new RegExp(pattern).test(line))) return;
    const image = field.at("image");
    if (!judge.knows(image) || typeof image.value !== "string") return;
    const { repository } = parseImage(image.value);
    if (!repositories.some((pattern) => new RegExp(pattern).test(repository))) return;
    judge.report(image, `is ${shown(repository)} in a ${pod.object.kind}, must be in a Rollout or a Job`);
  },
};

export const deliveryPolicies: readonly Policy[] = [
  releaseStrategySet,
  releaseIsAnalysed,
  releaseAbortsItself,
  versionsToGoBackTo,
  weightsGrow,
  noPlainDeployment,
];
