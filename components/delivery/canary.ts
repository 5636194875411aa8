import * as pulumi from "@pulumi/pulumi";
import type { CanarySettings } from "../config/strategy";
import { labels } from "../labels";
import { askingSeconds, manualSeconds, measuredVersions, releaseAnalysis } from "./analysis";
import type { Backend, Strategy, StrategyArgs } from "./strategy";
import { WeightedService } from "./traefik";

export interface CanaryArgs extends StrategyArgs {
  readonly settings: CanarySettings;
}

/** Gives a new version a growing share of the traffic while it is measured, and takes it away when it does badly. */
export class Canary extends pulumi.ComponentResource implements Strategy {
  readonly backends: readonly Backend[];
  readonly testBackends: readonly Backend[];
  readonly spec: object;
  readonly timeoutSeconds: number;

  constructor(name: string, args: CanaryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:delivery:Canary", name, {}, opts);
    const parent = { parent: this };
    const { identity, namespace, settings } = args;
    const { stable: stableService, preview: canaryService } = args.services;
    const weighted = new WeightedService(
      `${name}-weighted`,
      { namespace, labels: labels(identity), name: identity.name, services: [stableService, canaryService] },
      parent,
    );
    const template = releaseAnalysis(name, { ...args, settings: settings.analysis }, parent);
    const question = {
      analysis: { templates: [{ templateName: template("deciding") }], args: measuredVersions },
    };
    const step = (
      { setWeightPercent, pauseSeconds }: CanarySettings["steps"][number],
      index: number,
    ): object[] => {
      if (setWeightPercent === undefined) {
        return [{ pause: pauseSeconds === undefined ? {} : { duration: `${pauseSeconds}s` } }];
      }
      // No more traffic without an answer: the watching alone would let a release grow that nothing measures.
      return [...(index === 0 ? [] : [question]), { setWeight: setWeightPercent }];
    };
    this.spec = {
      canary: {
        stableService,
        canaryService,
        trafficRouting: { traefik: { weightedTraefikServiceName: weighted.name } },
        // One of its Pods may go away without the others' share of the requests failing.
        minPodsPerReplicaSet: 2,
        steps: [...settings.steps.flatMap(step), question],
        // From the first weight on.
        analysis: {
          startingStep: 1,
          templates: [{ templateName: template("watching") }],
          args: measuredVersions,
        },
      },
    };
    this.backends = [weighted.backend];
    this.testBackends = [{ name: canaryService, port: 80 }];
    this.timeoutSeconds = longest(settings);
    this.registerOutputs();
  }
}

/** How long a release may take at most, in seconds. */
export function longest({ steps, analysis, progressDeadlineSeconds }: CanarySettings): number {
  const pauses = steps.map(({ pause, pauseSeconds = 0 }) =>
    pause === "manual" ? manualSeconds : pauseSeconds,
  );
  const questions = steps.filter(({ setWeightPercent }) => setWeightPercent !== undefined).length;
  const asking = questions * askingSeconds(analysis);
  return pauses.reduce((sum, each) => sum + each, 0) + asking + 2 * progressDeadlineSeconds;
}
