import { z } from "zod";
import { priorities, type Priority } from "../addons/falco/rules/rule";
import { ruleNames } from "../addons/falco/rules";
import { field, listOf, section } from "./field";
import { flag, resources, text, wholeNumber } from "./values";

const priorityNames = priorities.map((each) => each.toLowerCase() as Lowercase<Priority>);

/** `technova:falco`: what notices that a container does other things than its profile says. */
export const falcoSchema = section({
  enabled: flag().default(true),
  /** Falco itself, on every node; their kernel has to be 5.8 or newer, with type information (BTF). */
  sensor: section({
    /** `false` runs the receiver alone, for a Falco that the nodes bring themselves. */
    enabled: flag().default(true),
    /** Where the node's container runtime answers; containers get their names from it. */
    runtimeSocket: text(
      'the path of a socket such as "/run/containerd/containerd.sock"',
      /^\/(run|var\/run)\/[a-z0-9./-]+\.sock$/,
    ).default("/run/containerd/containerd.sock"),
    resources: resources().default({
      requests: { cpu: "100m", memory: "256Mi" },
      limits: { cpu: "1", memory: "1Gi" },
    }),
  }).prefault({}),
  /** Takes Falco's events to Alertmanager and Loki. */
  receiver: section({
    replicas: wholeNumber(1, 5).default(2),
    resources: resources().default({
      requests: { cpu: "20m", memory: "48Mi" },
      limits: { cpu: "500m", memory: "128Mi" },
    }),
  }).prefault({}),
  /** What is less grave is no event. */
  minimumPriority: field(
    `a priority: ${priorityNames.join(", ")}`,
    z.enum(priorityNames as [Lowercase<Priority>, ...Lowercase<Priority>[]]),
  ).default("notice"),
  /** Rules that are not asked, by their names. */
  disabledRules: listOf(
    "a list of rules",
    field(
      `a rule of components/addons/falco/rules.md: ${ruleNames.join(", ")}`,
      z.enum([...ruleNames] as [string]),
    ),
  ).default([]),
});

export type FalcoSettings = z.infer<typeof falcoSchema>;
