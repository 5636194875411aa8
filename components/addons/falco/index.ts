import * as pulumi from "@pulumi/pulumi";
import type { Flow } from "../../cluster/flows";
import type { FalcoSettings } from "../../config/falco";
import type { ImageSource } from "../../images";
import type { PodSecurityArgs } from "../../security";
import { receiverPort } from "./configuration";
import { Receiver } from "./receiver";
import { rulesFile } from "./rules/rulesFile";
import { Sensor } from "./sensor";
import type { EventTargets } from "./targets";

/** Name of the namespace, and of the Service that events are sent to. */
export const falcoNamespace = "falco";
const receiverName = "falco-receiver";

export interface FalcoArgs extends PodSecurityArgs {
  readonly settings: FalcoSettings;
  readonly images: ImageSource;
  readonly namespace: pulumi.Input<string>;
  readonly priorityClassName: pulumi.Input<string>;
  /** Name of the environment, for people. */
  readonly environment: string;
  /** All traffic that the stack allows; a connection that it does not have is an event. */
  readonly flows: readonly Flow[];
  /** Names of the platform's namespaces, whose containers have profiles. */
  readonly namespaces: readonly string[];
  readonly targets: EventTargets;
}

/** What notices that a container does other things than its profile says, and tells people of it. */
export class Falco extends pulumi.ComponentResource {
  constructor(name: string, args: FalcoArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:addons:Falco", name, {}, opts);
    const { settings } = args;
    const receiver = new Receiver(receiverName, { ...args, settings: settings.receiver }, { parent: this });
    if (settings.sensor.enabled) {
      const { disabledRules } = settings;
      new Sensor(
        `${name}-sensor`,
        {
          ...args,
          rules: rulesFile({ flows: args.flows, namespaces: args.namespaces, disabledRules }),
          receiver: `http://${receiverName}.${falcoNamespace}.svc:${receiverPort}`,
        },
        { parent: this, dependsOn: receiver },
      );
    }
    this.registerOutputs();
  }
}
