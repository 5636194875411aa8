import type { CheckFailure, CheckRequest, CheckResult, DiffRequest, DiffResult } from "../rpc/provider";
import { containsUnknown, sameValue, withoutSecrets, type PropertyMap } from "../rpc/values";
import { ambientKubeconfig, selectTarget, type Kubeconfig } from "./cluster/kubeconfig";
import { kubeconfigText } from "./settings";

/** Settings that decide which cluster it is. */
const WHERE = ["kubeconfig", "context", "cluster"];

const NOT_HERE: Record<string, string> = {
  renderYamlToDirectory: "writing manifests instead of applying them",
  alwaysRender: "writing manifests instead of applying them",
};

export async function checkConfig(request: CheckRequest): Promise<CheckResult> {
  const plain = withoutSecrets(request.news);
  const failures: CheckFailure[] = Object.entries(NOT_HERE)
    .filter(([key]) => plain[key] !== undefined && plain[key] !== "" && String(plain[key]) !== "false")
    .map(([property, what]) => ({
      property,
      reason: `${what} needs the official plugin: run \`pulumi plugin install resource kubernetes v4.32.0\``,
    }));
  if (String(plain.strictMode) === "true") failures.push(...strictFailures(plain, request.urn));
  return { inputs: request.news, failures };
}

function strictFailures(plain: PropertyMap, urn: string): CheckFailure[] {
  const failures = ["kubeconfig", "context"]
    .filter((key) => !plain[key])
    .map((property) => ({ property, reason: `strict mode requires the provider's ${property}` }));
  const isDefault = /::default(_|$)/.test(urn);
  return isDefault
    ? [{ property: "", reason: "strict mode prohibits default providers" }, ...failures]
    : failures;
}

/**
 * A provider that leads to another cluster replaces all that was made through it. Clusters have no identity, so
 * the kubeconfig's entry for the cluster stands for it, or the setting `clusterIdentifier` on both sides.
 */
export async function diffConfig(request: DiffRequest): Promise<DiffResult> {
  const olds = withoutSecrets(Object.keys(request.oldInputs).length > 0 ? request.oldInputs : request.olds);
  const news = withoutSecrets(request.news);
  const keys = [...new Set([...Object.keys(olds), ...Object.keys(news)])];
  const changed = keys.filter((key) => !sameValue(olds[key], news[key]));
  if (changed.length === 0) return { changes: false };

  const detailed = (replaces: string[]): DiffResult => ({ changes: true, replaces });
  const { clusterIdentifier: before } = olds;
  const { clusterIdentifier: after } = news;
  if (before && after) return detailed(before === after ? [] : ["clusterIdentifier"]);

  const unknown = WHERE.filter((key) => containsUnknown(news[key]));
  if (unknown.length > 0) return detailed(unknown);
  const [from, to] = await Promise.all([activeCluster(olds), activeCluster(news)]);
  const moved = from !== undefined && to !== undefined && from !== to;
  return detailed(moved ? WHERE.filter((key) => changed.includes(key)) : []);
}

/** The cluster's entry in the kubeconfig as a text, or `undefined` when the settings do not say. */
async function activeCluster(config: PropertyMap): Promise<string | undefined> {
  const setting = kubeconfigText(config);
  if (!setting) return undefined;
  try {
    const kubeconfig: Kubeconfig | undefined = await ambientKubeconfig(setting);
    if (!kubeconfig) return undefined;
    const selection = { context: String(config.context ?? ""), cluster: String(config.cluster ?? "") };
    return JSON.stringify(selectTarget(kubeconfig, { kubeconfig: "", namespace: "", ...selection }).cluster);
  } catch {
    return undefined;
  }
}
