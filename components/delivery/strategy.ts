import type { input } from "@pulumi/kubernetes/types";
import type * as pulumi from "@pulumi/pulumi";
import type { StrategySettings } from "../config/application";
import type { Identity } from "../labels";
import { RollingWorkload } from "./rolling";

/** What a strategy is given, whichever it is. */
export interface WorkloadArgs {
  readonly identity: Identity;
  readonly namespace: pulumi.Input<string>;
  readonly version: string;
  readonly template: input.core.v1.PodTemplateSpec;
  /** Left out where an autoscaler decides. */
  readonly replicas?: number;
}

/** What a strategy makes, for the autoscaler and the route. */
export interface Workload {
  /** The object that is scaled. */
  readonly scaleTarget: input.autoscaling.v2.CrossVersionObjectReference;
  /** Services among which the route divides the traffic. */
  readonly backends: readonly Backend[];
}

export interface Backend {
  readonly name: pulumi.Input<string>;
  readonly port: number;
}

/** Makes the workload that the strategy asks for. */
export function deployWorkload(
  name: string,
  strategy: StrategySettings,
  args: WorkloadArgs,
  opts: pulumi.ComponentResourceOptions,
): Workload {
  switch (strategy.type) {
    case "rolling":
      return new RollingWorkload(name, { ...args, strategy }, opts);
  }
}
