import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { clusterEnvironment } from "../../../tools/cluster/environment";

/** Runs kubectl on the embedded cluster and returns what it prints. */
export async function kubectl(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("kubectl", ["--context", "technova-local", ...args], {
    env: { ...process.env, ...clusterEnvironment() },
    maxBuffer: 64 << 20,
  });
  return stdout;
}

/** Kinds that `npm run up` applies; the cluster itself never writes their `spec`. */
const kinds = [
  "namespaces",
  "deployments",
  "statefulsets",
  "services",
  "configmaps",
  "secrets",
  "networkpolicies",
  "jobs",
  "horizontalpodautoscalers",
  "rollouts.argoproj.io",
  "analysistemplates.argoproj.io",
];

/**
 * Identity and content of every object of the platform: equal before and after means that nothing was changed,
 * replaced, added or removed. The number of replicas is the autoscaler's to change.
 */
export async function objectVersions(): Promise<Record<string, string>> {
  const { items } = JSON.parse(await kubectl("get", kinds.join(","), "--all-namespaces", "-o", "json")) as {
    items: {
      kind: string;
      data?: object;
      spec?: { replicas?: number };
      metadata: { namespace?: string; name: string; uid: string };
    }[];
  };
  return Object.fromEntries(
    items.map(({ kind, metadata, data, spec }) => {
      const content = JSON.stringify({ data, spec: { ...spec, replicas: undefined } });
      const digest = createHash("sha256").update(content).digest("hex");
      return [`${kind} ${metadata.namespace ?? ""}/${metadata.name}`, `${metadata.uid} ${digest}`];
    }),
  );
}

/** Names of the objects that differ between two answers of `objectVersions`. */
export function changed(before: Record<string, string>, after: Record<string, string>): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => before[name] !== after[name]);
}
