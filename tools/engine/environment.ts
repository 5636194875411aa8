import { delimiter, dirname } from "node:path";
import { clusterEnvironment } from "../cluster/environment";
import type { Cli } from "./cli";
import type { Plugins } from "./plugins";
import type { State } from "./state";

/**
 * The environment of every run of the CLI: the user's own, with the state, the embedded cluster if it is up, and
 * nothing that would wait for a network that may be closed.
 */
export function pulumiEnvironment(
  env: NodeJS.ProcessEnv,
  run: { readonly cli: Cli; readonly state: State; readonly stack: string; readonly plugins?: Plugins },
): NodeJS.ProcessEnv {
  const path = [run.plugins?.folder, run.cli.origin === "path" ? undefined : dirname(run.cli.path), env.PATH];
  const result: NodeJS.ProcessEnv = {
    ...env,
    ...clusterEnvironment(),
    PATH: path.filter((part) => part !== undefined).join(delimiter),
    PULUMI_BACKEND_URL: run.state.url,
    PULUMI_STACK: run.stack,
    // The state tells how its secrets are encrypted when the settings do not; see settings.ts.
    PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_SUPPRESS_NEO_LINK: "true",
  };
  if (run.state.passphraseFile !== undefined) result.PULUMI_CONFIG_PASSPHRASE_FILE = run.state.passphraseFile;
  if (run.plugins?.downloads === false) {
    result.PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION = "true";
    result.PULUMI_DISABLE_REGISTRY_RESOLVE = "true";
  }
  return result;
}
