import { z } from "zod";
import { analysisSchema, promotedCount, smokeTestSchema } from "./analysis";
import { choice, field, listOf, section } from "./field";
import { flag, wholeNumber, word } from "./values";

/** A number of Pods, or a share of them. */
export const podsOrPercent = () =>
  field(
    'a whole number from 0 to 100 or a percentage such as "25%"',
    z.union([z.int().min(0).max(100), z.string().regex(/^(100|[1-9]?\d)%$/)]),
  );

/** When a new Pod counts, and when a release has failed, whatever the strategy. */
const progress = {
  /** How long a new Pod has to stay ready before it counts. */
  minReadySeconds: wholeNumber(0, 600).default(5),
  /** A release that makes no progress for so long has failed. */
  progressDeadlineSeconds: wholeNumber(30, 3600).default(300),
};

interface Progress {
  readonly minReadySeconds: number;
  readonly progressDeadlineSeconds: number;
}

function checkProgress(strategy: Progress, context: z.core.$RefinementCtx): void {
  if (strategy.minReadySeconds < strategy.progressDeadlineSeconds) return;
  context.addIssue({
    code: "custom",
    path: ["minReadySeconds"],
    message: `less than progressDeadlineSeconds, which is ${strategy.progressDeadlineSeconds}`,
  });
}

const rolling = section({
  type: z.literal("rolling"),
  /** Pods above the wanted number while a release rolls out. */
  maxSurge: podsOrPercent().default(1),
  /** Pods that may be missing meanwhile. Anything above 0 needs at least two Pods to lose no request. */
  maxUnavailable: podsOrPercent().default(0),
  ...progress,
  /** A Pod of the new version is tried out before the first one that serves. */
  smokeTest: smokeTestSchema.prefault({}),
  /** With it, the first new Pod serves alone for a window and is measured before the others follow. */
  analysis: analysisSchema.optional(),
})
  .superRefine((strategy, context) => {
    const nothing = (value: number | string) => value === 0 || value === "0%";
    if (!nothing(strategy.maxSurge) || !nothing(strategy.maxUnavailable)) return;
    context.addIssue({
      code: "custom",
      path: ["maxUnavailable"],
      message: "more than 0 when maxSurge is 0: no Pod could ever be exchanged",
    });
  })
  .superRefine(checkProgress);

/** One thing to do on the way from no traffic to all of it. */
const step = section({
  /** Share of the traffic that the new version gets from here on, in percent. */
  setWeightPercent: wholeNumber(1, 99).optional(),
  /** How long to stay at it. */
  pauseSeconds: wholeNumber(1, 86_400).optional(),
  /** `manual` waits until somebody promotes. */
  pause: word("manual").optional(),
}).refine((fields) => Object.values(fields).filter((value) => value !== undefined).length === 1, {
  error: "one of setWeightPercent, pauseSeconds or pause in each step",
});

const canary = section({
  type: z.literal("canary"),
  ...progress,
  steps: listOf("a list of steps", step)
    .min(1, { error: "at least one step" })
    .default([
      { setWeightPercent: 10 },
      { pauseSeconds: 120 },
      { setWeightPercent: 30 },
      { pauseSeconds: 120 },
      { setWeightPercent: 60 },
      { pauseSeconds: 120 },
    ]),
  analysis: analysisSchema.prefault({}),
})
  .superRefine(checkProgress)
  .superRefine(({ steps }, context) => {
    const problem = (index: number, message: string) =>
      context.addIssue({ code: "custom", path: ["steps", index], message });
    const [first, second] = steps;
    if (first === undefined) return;
    if (first.setWeightPercent === undefined) {
      problem(0, "setWeightPercent in the first step: before it nothing can be measured");
    } else if (second === undefined || second.setWeightPercent !== undefined) {
      problem(1, "a pause in the second step: as long as nobody waits nothing can be measured");
    }
  });

const blueGreen = section({
  type: z.literal("blueGreen"),
  ...progress,
  /** The smoke test and the questions after the switch count, too. */
  progressDeadlineSeconds: wholeNumber(30, 3600).default(600),
  /** All Pods of the new version are there and have passed it before users get to them. */
  smokeTest: smokeTestSchema.prefault({}),
  /** Whether users get the new version as soon as it has passed, or when somebody promotes it. */
  autoPromotionEnabled: flag().default(true),
  /** How long the version before stays complete after a release, for a way back at once. */
  scaleDownDelaySeconds: wholeNumber(30, 86_400).default(300),
  /** What the new version is measured by once users have it; too bad, and they have the one before again. */
  analysis: analysisSchema.prefault({}),
})
  .superRefine(checkProgress)
  .superRefine(({ progressDeadlineSeconds, smokeTest, analysis }, context) => {
    const seconds = smokeTest.timeoutSeconds + (promotedCount(analysis) + 1) * analysis.intervalSeconds;
    if (progressDeadlineSeconds > seconds) return;
    context.addIssue({
      code: "custom",
      path: ["progressDeadlineSeconds"],
      message:
        `more than ${seconds}, which the smoke test and the questions afterwards may take together: ` +
        "the controller takes back what is not through by then",
    });
  });

/** How a release reaches the users. */
export const strategySchema = choice("type", [rolling, blueGreen, canary]);

export type StrategySettings = z.infer<typeof strategySchema>;
export type RollingSettings = Extract<StrategySettings, { type: "rolling" }>;
export type BlueGreenSettings = Extract<StrategySettings, { type: "blueGreen" }>;
export type CanarySettings = Extract<StrategySettings, { type: "canary" }>;
