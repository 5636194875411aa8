import { z } from "zod";
import { field, section } from "./field";
import { flag, wholeNumber } from "./values";

/** The most that a measured value may be: absolutely, and as a multiple of the stable version's in the same time. */
const limit = (unit: { min: number; max: number; limit: number; timesStable?: number }) =>
  section({
    limit: wholeNumber(unit.min, unit.max).default(unit.limit),
    timesStable: field("a number from 1 to 100", z.number().min(1).max(100)).default(unit.timesStable ?? 3),
  }).prefault({});

/** What a release is judged by. Units are in the names; requests of probes and of the monitoring do not count. */
export const analysisSchema = section({
  /** How often each value is asked for. */
  intervalSeconds: wholeNumber(5, 600).default(30),
  /** How far back each answer looks: no less far than the one before. */
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
  /** Time within which 95 of 100 requests are answered. The service's histogram ends at 10 s. */
  p95Milliseconds: limit({ min: 1, max: 9_999, limit: 1_000 }),
  /** Stock movements that the service refuses, of all that it is asked to record. */
  rejectedMovementsPercent: limit({ min: 0, max: 100, limit: 20 }),
  /** Database connections in use, of those that the new version's Pods may open. */
  connectionsPercent: limit({ min: 1, max: 100, limit: 95 }),
  /** Restarts of the new version's containers; few of them are to be borne where `limit` says so. */
  restarts: limit({ min: 0, max: 100, limit: 0, timesStable: 10 }),
}).superRefine(({ intervalSeconds, windowSeconds }, context) => {
  if (windowSeconds >= intervalSeconds) return;
  context.addIssue({
    code: "custom",
    path: ["windowSeconds"],
    message: `at least intervalSeconds, which is ${intervalSeconds}: else nobody looks at what is between`,
  });
});

/** What a new version has to do well before any user meets it: the service's own smoke test, in a Job. */
export const smokeTestSchema = section({
  /** Whether movements are recorded and taken back; without it the test only reads. */
  write: flag().default(true),
  /** How often the whole test is run. */
  rounds: wholeNumber(1, 100).default(3),
  /** How long all rounds may take together. */
  timeoutSeconds: wholeNumber(10, 3600).default(120),
});

/** How often the questions are asked once users have a new version: often enough that not all may stay unknown. */
export function promotedCount({ toleratedFailures, toleratedUnknowns }: AnalysisSettings): number {
  return toleratedUnknowns + toleratedFailures + 2;
}

export type AnalysisSettings = z.infer<typeof analysisSchema>;
export type SmokeTestSettings = z.infer<typeof smokeTestSchema>;
