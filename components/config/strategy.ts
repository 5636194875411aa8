import { z } from "zod";
import { choice, field, listOf, section } from "./field";
import { wholeNumber, word } from "./values";

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

/** The most that a measured value may be: absolutely, and as a multiple of the stable version's in the same time. */
const limit = (unit: { min: number; max: number; limit: number }) =>
  section({
    limit: wholeNumber(unit.min, unit.max).default(unit.limit),
    timesStable: field("a number from 1 to 100", z.number().min(1).max(100)).default(3),
  }).prefault({});

/** What a release is judged by. Units are in the names; requests of probes and of the monitoring do not count. */
export const analysisSchema = section({
  /** How often each value is asked for. */
  intervalSeconds: wholeNumber(5, 600).default(30),
  /** How far back each answer looks. */
  windowSeconds: wholeNumber(10, 3600).default(60),
  /** Requests to the new version in the window below which nothing is known. */
  minimumRequests: wholeNumber(1, 1_000_000).default(20),
  /** How many answers above a limit are borne. */
  toleratedFailures: wholeNumber(0, 10).default(1),
  /** How many answers may say that too little is known before the release pauses. */
  toleratedUnknowns: wholeNumber(0, 100).default(5),
  /** How many questions in a row may stay without an answer before the release is aborted. */
  toleratedErrors: wholeNumber(0, 100).default(4),
  /** Requests that the server could not answer. */
  errorPercent: limit({ min: 0, max: 100, limit: 5 }),
  /** Time within which 95 of 100 requests are answered. */
  p95Milliseconds: limit({ min: 1, max: 600_000, limit: 1_000 }),
  /** Stock movements that the service refuses, of all that it is asked to record. */
  rejectedMovementsPercent: limit({ min: 0, max: 100, limit: 20 }),
  /** Database connections in use, of those that the new version's Pods may open. */
  connectionsPercent: section({ limit: wholeNumber(1, 100).default(95) }).prefault({}),
  /** Restarts of the new version's containers. */
  restarts: section({ limit: wholeNumber(0, 100).default(0) }).prefault({}),
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
    if (steps[0] !== undefined && steps[0].setWeightPercent === undefined) {
      context.addIssue({
        code: "custom",
        path: ["steps", 0],
        message: "setWeightPercent in the first step: before it nothing can be measured",
      });
    }
  });

/** How a release reaches the users. */
export const strategySchema = choice("type", [rolling, canary]);

export type StrategySettings = z.infer<typeof strategySchema>;
export type CanarySettings = Extract<StrategySettings, { type: "canary" }>;
export type RollingSettings = Extract<StrategySettings, { type: "rolling" }>;
export type AnalysisSettings = z.infer<typeof analysisSchema>;
