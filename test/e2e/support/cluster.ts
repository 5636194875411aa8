import { execFile } from "node:child_process";
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
];

/**
 * The generation (or, for kinds without one, the UID) of every object of the platform: equal before and after
 * means that nothing was changed, replaced, added or removed.
 */
export async function objectVersions(): Promise<Record<string, string>> {
  const { items } = JSON.parse(await kubectl("get", kinds.join(","), "--all-namespaces", "-o", "json")) as {
    items: {
      kind: string;
      data?: object;
      metadata: { namespace?: string; name: string; uid: string; generation?: number };
    }[];
  };
  return Object.fromEntries(
    items.map(({ kind, metadata, data }) => [
      `${kind} ${metadata.namespace ?? ""}/${metadata.name}`,
      `${metadata.uid} ${metadata.generation ?? JSON.stringify(data ?? {})}`,
    ]),
  );
}
