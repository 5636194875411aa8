import { Unknown, withoutSecrets, type PropertyMap } from "../rpc/values";
import type { Selection } from "./cluster/kubeconfig";
import type { Mutability } from "./force-new";

/** How a provider resource is configured; each switch can also be set through its environment variable. */
export interface Settings extends Selection, Mutability {
  /** A reason not to try the cluster at all, such as a kubeconfig that is not known yet. */
  readonly unusable?: string;
  /** PULUMI_K8S_ENABLE_PATCH_FORCE: take over fields that others manage. Default false. */
  readonly patchForce: boolean;
  /** PULUMI_K8S_UPSERT_EXISTING_OBJECTS: creating an object that exists updates it. Default false: an error. */
  readonly upsert: boolean;
  /** PULUMI_K8S_DELETE_UNREACHABLE: what lies in an unreachable cluster leaves the state. Default false: an error. */
  readonly deleteUnreachable: boolean;
  /** PULUMI_K8S_SKIP_UPDATE_UNREACHABLE: what lies in an unreachable cluster stays as it is. Default false. */
  readonly skipUpdateUnreachable: boolean;
  /** PULUMI_K8S_SUPPRESS_DEPRECATION_WARNINGS. Default false. */
  readonly suppressDeprecationWarnings: boolean;
  /** PULUMI_K8S_SUPPRESS_HELM_HOOK_WARNINGS. Default false. */
  readonly suppressHelmHookWarnings: boolean;
  /** Longest time for one answer of the API server. PULUMI_K8S_CLIENT_TIMEOUT. Default 60. */
  readonly requestTimeoutSeconds: number;
}

const DEFAULT_REQUEST_TIMEOUT_SECONDS = 60;

export function readSettings(args: PropertyMap, environment: NodeJS.ProcessEnv): Settings {
  const plain = withoutSecrets(args);
  const textOf = (key: string) => (typeof plain[key] === "string" ? plain[key] : "");
  const isSet = (key: string, variable: string, byDefault = false) => {
    const value = plain[key] ?? environment[`PULUMI_K8S_${variable}`];
    return value === undefined || value === null || value === "" ? byDefault : String(value) === "true";
  };
  if (!isSet("enableServerSideApply", "ENABLE_SERVER_SIDE_APPLY", true)) {
    throw new Error(
      "enableServerSideApply: false needs the official plugin; take the setting away, or run " +
        "`pulumi plugin install resource kubernetes v4.32.0`",
    );
  }
  const unknown = ["kubeconfig", "context", "cluster"].find((key) => plain[key] instanceof Unknown);
  return {
    kubeconfig: kubeconfigText(plain),
    context: textOf("context"),
    cluster: textOf("cluster"),
    namespace: textOf("namespace"),
    unusable: unknown && `the provider's ${unknown} is not known yet`,
    mutableConfigMaps: isSet("enableConfigMapMutable", "ENABLE_CONFIGMAP_MUTABLE"),
    mutableSecrets: isSet("enableSecretMutable", "ENABLE_SECRET_MUTABLE"),
    patchForce: isSet("enablePatchForce", "ENABLE_PATCH_FORCE"),
    upsert: isSet("upsertExistingObjects", "UPSERT_EXISTING_OBJECTS"),
    deleteUnreachable: isSet("deleteUnreachable", "DELETE_UNREACHABLE"),
    skipUpdateUnreachable: isSet("skipUpdateUnreachable", "SKIP_UPDATE_UNREACHABLE"),
    suppressDeprecationWarnings: isSet("suppressDeprecationWarnings", "SUPPRESS_DEPRECATION_WARNINGS"),
    suppressHelmHookWarnings: isSet("suppressHelmHookWarnings", "SUPPRESS_HELM_HOOK_WARNINGS"),
    requestTimeoutSeconds: requestTimeout(plain, environment),
  };
}

/** A kubeconfig given as an object counts as the same in JSON. */
export function kubeconfigText(plain: PropertyMap): string {
  const { kubeconfig } = plain;
  if (typeof kubeconfig === "string") return kubeconfig;
  return kubeconfig && !(kubeconfig instanceof Unknown) ? JSON.stringify(kubeconfig) : "";
}

function requestTimeout(plain: PropertyMap, environment: NodeJS.ProcessEnv): number {
  const settings = plain.kubeClientSettings;
  const own =
    typeof settings === "string" ? (JSON.parse(settings) as { timeout?: number }).timeout : undefined;
  return own ?? (Number(environment.PULUMI_K8S_CLIENT_TIMEOUT) || DEFAULT_REQUEST_TIMEOUT_SECONDS);
}
