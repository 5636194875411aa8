import { Secret } from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import type { RegistrySettings } from "../config/platform";
import { platformLabels } from "../labels";

export interface RegistryArgs {
  readonly settings: RegistrySettings;
  /** Needed where the settings name a user. */
  readonly password?: pulumi.Output<string>;
  /** Namespace whose Pods pull from the registry. */
  readonly namespace: pulumi.Input<string>;
}

/** What a build needs to push. */
export interface RegistryLogin {
  readonly server: string;
  readonly username?: string;
  readonly password?: pulumi.Output<string>;
}

/** The registry of the application's image: how to push to it, and the Secrets that Pods pull with. */
export class Registry extends pulumi.ComponentResource {
  readonly login: RegistryLogin;
  /** Name of the Secret that Pods pull with; there is none without credentials. */
  readonly pullSecrets: readonly pulumi.Output<string>[];

  constructor(name: string, args: RegistryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:registry:Registry", name, {}, opts);
    const { server, username } = args.settings;
    const { password } = args;
    this.login = { server, username, password };
    const anonymous = username === undefined || password === undefined;
    this.pullSecrets = anonymous ? [] : [this.pullSecret(name, args.namespace)];
    this.registerOutputs({ server });
  }

  /** Under the same name always: versions that can come back pull with today's password, not with their own. */
  private pullSecret(name: string, namespace: pulumi.Input<string>): pulumi.Output<string> {
    return new Secret(
      `${name}-pull`,
      {
        metadata: { name: `${name}-pull`, namespace, labels: platformLabels },
        type: "kubernetes.io/dockerconfigjson",
        stringData: { ".dockerconfigjson": dockerConfig(this.login) },
      },
      { parent: this },
    ).metadata.name;
  }
}

/** The file that a container runtime logs in with. */
export function dockerConfig({ server, username, password }: RegistryLogin): pulumi.Output<string> {
  return pulumi.secret(password).apply((known) => {
    const auth = Buffer.from(`${username}:${known}`).toString("base64");
    return JSON.stringify({ auths: { [server]: { username, password: known, auth } } });
  });
}
