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
  const result: NodeJS.ProcessEnv = {
    ...env,
    ...clusterEnvironment(env),
    // The language host lies beside a downloaded CLI.
    PATH: run.cli.origin === "npm" ? `${dirname(run.cli.path)}${delimiter}${env.PATH ?? ""}` : env.PATH,
    PULUMI_BACKEND_URL: run.state.url,
    PULUMI_STACK: run.stack,
    // The state tells how its secrets are encrypted when the settings do not; see settings.ts.
    PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_SUPPRESS_NEO_LINK: "true",
  };
  if (run.state.passphraseFile !== undefined) result.PULUMI_CONFIG_PASSPHRASE_FILE = run.state.passphraseFile;
  if (run.plugins?.home !== undefined) {
    result.PULUMI_HOME = run.plugins.home;
    // Otherwise a state written with an older provider would ask for exactly that version.
    result.PULUMI_ENABLE_LEGACY_PLUGIN_SEARCH = "true";
  }
  if (run.plugins?.downloads === false) {
    result.PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION = "true";
    result.PULUMI_DISABLE_REGISTRY_RESOLVE = "true";
  }
  return result;
}
