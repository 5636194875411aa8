import type { input } from "@pulumi/kubernetes/types";
import type * as pulumi from "@pulumi/pulumi";
import type { StrategySettings } from "../config/strategy";
import type { Identity } from "../labels";
import { CanaryWorkload } from "./canary";
import type { Releases } from "./outcome";
import { RollingWorkload } from "./rolling";

/** What a strategy is given, whichever it is. */
export interface WorkloadArgs {
  readonly identity: Identity;
  readonly namespace: pulumi.Input<string>;
  readonly version: string;
  readonly template: input.core.v1.PodTemplateSpec;
  /** Left out where an autoscaler decides. */
  readonly replicas?: number;
  /** What drives and judges releases; left out where the stack has none. */
  readonly releases?: Releases;
}

/** What a strategy makes, for the autoscaler and the route. */
export interface Workload {
  /** The object that is scaled. */
  readonly scaleTarget: input.autoscaling.v2.CrossVersionObjectReference;
  /** Where the route sends requests. */
  readonly backends: readonly Backend[];
  /** Where it sends those that ask for the version that is being released. */
  readonly testBackends?: readonly Backend[];
}

/** What a route refers to: a Service and its port, or something of the gateway's own. */
export interface Backend {
  readonly name: pulumi.Input<string>;
  readonly port?: number;
  readonly group?: string;
  readonly kind?: string;
}

/** Makes the workload that the strategy asks for. */
export function deployWorkload(
  name: string,
  strategy: StrategySettings,
  args: WorkloadArgs,
  opts: pulumi.ComponentResourceOptions,
): Workload & pulumi.Resource {
  switch (strategy.type) {
    case "rolling":
      return new RollingWorkload(name, { ...args, strategy }, opts);
    case "canary":
      return new CanaryWorkload(name, { ...args, strategy }, opts);
  }
}
