import * as pulumi from "@pulumi/pulumi";
import { promotedCount } from "../config/analysis";
import type { BlueGreenSettings } from "../config/strategy";
import { askingSeconds, manualSeconds, measuredVersions, releaseAnalysis } from "./analysis";
import type { Backend, Strategy, StrategyArgs } from "./strategy";

export interface BlueGreenArgs extends StrategyArgs {
  readonly settings: BlueGreenSettings;
}

/** Brings the new version up complete, tests it, and gives it all requests at once; the one before stays for a while. */
export class BlueGreen extends pulumi.ComponentResource implements Strategy {
  readonly backends: readonly Backend[];
  readonly testBackends: readonly Backend[];
  readonly spec: object;
  readonly timeoutSeconds: number;

  constructor(name: string, args: BlueGreenArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:delivery:BlueGreen", name, {}, opts);
    const { settings } = args;
    const { smokeTest, analysis } = settings;
    const parent = { parent: this };
    const { stable: activeService, preview: previewService } = args.services;
    const template = releaseAnalysis(name, { ...args, settings: analysis }, parent);
    this.spec = {
      blueGreen: {
        activeService,
        previewService,
        autoPromotionEnabled: settings.autoPromotionEnabled,
        scaleDownDelaySeconds: settings.scaleDownDelaySeconds,
        // Only the newest of them: Pods are counted for three complete versions.
        scaleDownDelayRevisionLimit: 1,
        prePromotionAnalysis: {
          templates: [{ templateName: args.smokeTest.template(`${name}-smoke-test`, smokeTest, parent) }],
          args: [{ name: "url", value: pulumi.interpolate`http://${previewService}` }],
        },
        postPromotionAnalysis: {
          templates: [{ templateName: template("promoted") }],
          args: measuredVersions,
        },
      },
    };
    this.backends = [{ name: activeService, port: 80 }];
    this.testBackends = [{ name: previewService, port: 80 }];
    this.timeoutSeconds =
      2 * settings.progressDeadlineSeconds +
      smokeTest.timeoutSeconds +
      (settings.autoPromotionEnabled ? 0 : manualSeconds) +
      promotedCount(analysis) * analysis.intervalSeconds +
      askingSeconds(analysis);
    this.registerOutputs();
  }
}
