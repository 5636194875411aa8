import type * as pulumi from "@pulumi/pulumi";
import type { StrategySettings } from "../config/strategy";
import type { Identity } from "../labels";
import { BlueGreen } from "./blueGreen";
import { Canary } from "./canary";
import { Rolling } from "./rolling";
import type { VersionServices } from "./service";
import type { SmokeTestJob } from "./smokeTest";

/** What a strategy is given, whichever it is. */
export interface StrategyArgs {
  readonly identity: Identity;
  readonly namespace: pulumi.Input<string>;
  readonly services: VersionServices;
  /** The most Pods that one version may have. */
  readonly mostPods: number;
  /** What runs the application's own tests. */
  readonly smokeTest: SmokeTestJob;
  /** Address of Prometheus inside the cluster; left out where nothing measures. */
  readonly prometheus?: pulumi.Input<string>;
}

/** What a strategy makes: where requests go, and what the controller is told. */
export interface Strategy {
  /** Where the route sends requests. */
  readonly backends: readonly Backend[];
  /** Where it sends those that ask for the version that is being released. */
  readonly testBackends?: readonly Backend[];
  /** `spec.strategy` of the Rollout. */
  readonly spec: object;
  /** How long a release may take at most, in seconds. */
  readonly timeoutSeconds: number;
}

/** What a route refers to: a Service and its port, or something of the gateway's own. */
export interface Backend {
  readonly name: pulumi.Input<string>;
  readonly port?: number;
  readonly group?: string;
  readonly kind?: string;
}

/** Makes what the strategy needs; the Pods are there before and after it, whichever comes next. */
export function makeStrategy(
  name: string,
  settings: StrategySettings,
  args: StrategyArgs,
  opts: pulumi.ComponentResourceOptions,
): Strategy & pulumi.Resource {
  switch (settings.type) {
    case "rolling":
      return new Rolling(name, { ...args, settings }, opts);
    case "blueGreen":
      return new BlueGreen(name, { ...args, settings }, opts);
    case "canary":
      return new Canary(name, { ...args, settings }, opts);
  }
}
