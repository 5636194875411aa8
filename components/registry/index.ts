import { Secret } from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import type { RegistrySettings } from "../config/platform";
import { platformLabels } from "../labels";

export interface RegistryArgs {
  readonly settings: RegistrySettings;
  /** Needed where the settings name a user. */
  readonly password?: pulumi.Output<string>;
  /** Namespaces whose Pods pull from the registry, by a name for the resource. */
  readonly namespaces: Readonly<Record<string, pulumi.Input<string>>>;
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
  /** Names of the pull Secrets, by the same names as the namespaces; empty without credentials. */
  readonly pullSecrets: Readonly<Record<string, pulumi.Output<string>>>;

  constructor(name: string, args: RegistryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("technova:registry:Registry", name, {}, opts);
    const { server, username } = args.settings;
    const { password } = args;
    this.login = { server, username, password };
    const entries = username === undefined || password === undefined ? [] : Object.entries(args.namespaces);
    const config = dockerConfig(this.login);
    this.pullSecrets = Object.fromEntries(
      entries.map(([role, namespace]) => [
        role,
        new Secret(
          `${name}-${role}-pull`,
          {
            metadata: { namespace, labels: platformLabels },
            type: "kubernetes.io/dockerconfigjson",
            stringData: { ".dockerconfigjson": config },
          },
          { parent: this },
        ).metadata.name,
      ]),
    );
    this.registerOutputs({ server });
  }
}

/** The file that a container runtime logs in with. */
export function dockerConfig({ server, username, password }: RegistryLogin): pulumi.Output<string> {
  return pulumi.secret(password).apply((known) => {
    const auth = Buffer.from(`${username}:${known}`).toString("base64");
    return JSON.stringify({ auths: { [server]: { username, password: known, auth } } });
  });
}
