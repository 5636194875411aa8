import * as pulumi from "@pulumi/pulumi";
import type { RollingSettings } from "../config/strategy";
import { askingSeconds, measuredVersions, releaseAnalysis } from "./analysis";
import { liveService, trafficLabel } from "./service";
import type { Backend, Strategy, StrategyArgs } from "./strategy";
import { applicationPort } from "./workload";

export interface RollingArgs extends StrategyArgs {
  readonly settings: RollingSettings;
}

/** Exchanges Pods one after the other, once a Pod of the new version that no user reaches has been tried out. */
export class Rolling extends pulumi.ComponentResource implements Strategy {
  readonly backends: readonly Backend[];
  readonly spec: object;
  readonly timeoutSeconds: number;

  constructor(name: string, args: RollingArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:delivery:Rolling", name, {}, opts);
    const { settings, mostPods } = args;
    const { analysis, smokeTest } = settings;
    const parent = { parent: this };
    const service = liveService(`${name}-service`, args.identity.name, args, parent);
    const trial = {
      experiment: {
        templates: [
          {
            name: "trial",
            specRef: "canary",
            replicas: 1,
            metadata: { labels: { [trafficLabel]: "trial" } },
            service: {},
          },
        ],
        scaleDownDelaySeconds: 0,
        // The controller would add it, own all steps from then on, and leave them behind when the strategy changes.
        analysisRunMetadata: {},
        analyses: [
          {
            name: "smoke-test",
            templateName: args.smokeTest.template(`${name}-smoke-test`, smokeTest, parent),
            requiredForCompletion: true,
            args: [{ name: "url", value: `http://{{templates.trial.replicaset.name}}:${applicationPort}` }],
          },
        ],
      },
    };
    const { maxSurge, maxUnavailable } = settings;
    this.spec = {
      canary: {
        // Users' requests go to both versions meanwhile; this one is for the strategy that may come next.
        stableService: args.services.stable,
        maxSurge,
        maxUnavailable,
        ...(analysis === undefined ? { steps: [trial] } : this.measured(name, args, analysis, trial)),
      },
    };
    this.backends = [{ name: service, port: 80 }];
    this.timeoutSeconds =
      2 * settings.progressDeadlineSeconds +
      smokeTest.timeoutSeconds +
      mostPods * (settings.minReadySeconds + 90) +
      (analysis === undefined ? 0 : analysis.windowSeconds + askingSeconds(analysis));
    this.registerOutputs();
  }

  /** One Pod serves for a window and is judged; the rest follows, watched. */
  private measured(
    name: string,
    args: RollingArgs,
    settings: NonNullable<RollingSettings["analysis"]>,
    trial: object,
  ): object {
    const template = releaseAnalysis(name, { ...args, settings }, { parent: this });
    return {
      steps: [
        trial,
        // The least there is: one Pod.
        { setWeight: 1 },
        { pause: { duration: `${settings.windowSeconds}s` } },
        { analysis: { templates: [{ templateName: template("deciding") }], args: measuredVersions } },
      ],
      analysis: {
        startingStep: 2,
        templates: [{ templateName: template("watching") }],
        args: measuredVersions,
      },
    };
  }
}
