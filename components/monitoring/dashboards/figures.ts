import { PercentUnit, Seconds } from "@grafana/grafana-foundation-sdk/units";
import { deliveryFigures, windowsDays, type WindowDays } from "../rules/delivery";
import { chosen, stat, type Query } from "./panels";

const hour = 3600;
const day = 24 * hour;

const inWindows = (figure: (days: WindowDays) => string): Query[] =>
  windowsDays.map((days) => ({ expr: `${figure(days)}${chosen()}`, legend: `${days} days` }));

/**
 * The four figures of delivery. Their limits are those between elite, high, medium and low performers in DORA's report
 * of 2023 (https://dora.dev/research/2023/dora-report/).
 */
export const figures = () => [
  stat(
    {
      title: "Deployment frequency",
      description: "Successful releases per day. Elite: daily or more often; high: weekly; medium: monthly.",
      unit: "suffix: per day",
      lowest: "red",
      steps: [
        [1 / 30, "orange"],
        [1 / 7, "yellow"],
        [1, "green"],
      ],
    },
    inWindows(deliveryFigures.releasesPerDay),
  ),
  stat(
    {
      title: "Lead time for changes",
      description: "From the commit to the users, median. Elite: under a day; high: a week; medium: a month.",
      unit: Seconds,
      lowest: "green",
      steps: [
        [day, "yellow"],
        [7 * day, "orange"],
        [30 * day, "red"],
      ],
    },
    inWindows(deliveryFigures.leadTimeSeconds),
  ),
  stat(
    {
      title: "Change failure rate",
      description: "Releases that failed or were undone. Elite: under 5 %; high: 10 %; medium: 15 %.",
      unit: PercentUnit,
      lowest: "green",
      steps: [
        [0.05, "yellow"],
        [0.1, "orange"],
        [0.15, "red"],
      ],
    },
    inWindows(deliveryFigures.failureRatio),
  ),
  stat(
    {
      title: "Time to restore service",
      description:
        "From a failed release to the next good one, median. Elite: under an hour; high: a day; medium: a week.",
      unit: Seconds,
      lowest: "green",
      steps: [
        [hour, "yellow"],
        [day, "orange"],
        [7 * day, "red"],
      ],
    },
    inWindows(deliveryFigures.recoverySeconds),
  ),
];
