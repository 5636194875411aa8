import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { AdminClient } from "../cluster/api";
import { clusterPaths } from "../cluster/paths";
import type { RunCli } from "./interrupted";
import { messageOf, report, UserError } from "./report";
import { stateDirectory } from "./state";

/*
 * `npm run cluster -- down` removes the embedded cluster with everything in it, its registry included, while the
 * stack's state still lists what was there. On the next cluster all of that has to be made again; what lives in the
 * state alone (passwords, keys) stays. So each change remembers on which cluster it was made.
 */

const resource = z.looseObject({
  urn: z.string(),
  type: z.string(),
  custom: z.boolean().optional(),
  dependencies: z.array(z.string()).nullish(),
  propertyDependencies: z.record(z.string(), z.array(z.string()).nullable()).nullish(),
});
const exported = z.looseObject({ deployment: z.looseObject({ resources: z.array(resource).optional() }) });
export type Deployment = z.infer<typeof exported>;

const clusterNamespace = z.object({ metadata: z.object({ uid: z.string() }) });

/** What tells this embedded cluster from any other, before or after it. */
export async function clusterIdentity(env: NodeJS.ProcessEnv): Promise<string> {
  const client = new AdminClient(clusterPaths(env).pki);
  try {
    return clusterNamespace.parse(await client.get("/api/v1/namespaces/kube-system")).metadata.uid;
  } catch (error) {
    throw new UserError(`The embedded cluster does not answer (${messageOf(error)}): npm run cluster -- up`);
  } finally {
    client.close();
  }
}

/** Takes out of a state what a cluster and its registry held, and every mention of it. */
export function withoutCluster(state: Deployment): Deployment {
  const resources = state.deployment.resources ?? [];
  const kept = resources.filter(({ type, custom }) => custom !== true || !/^(kubernetes|docker):/.test(type));
  const urns = new Set(kept.map(({ urn }) => urn));
  const known = (list: string[] | null | undefined): string[] => (list ?? []).filter((urn) => urns.has(urn));
  const cleaned = kept.map((entry) => ({
    ...entry,
    dependencies: known(entry.dependencies),
    propertyDependencies: Object.fromEntries(
      Object.entries(entry.propertyDependencies ?? {}).map(([property, list]) => [property, known(list)]),
    ),
  }));
  return { ...state, deployment: { ...state.deployment, resources: cleaned } };
}

/**
 * Brings the state of a stack in line with the embedded cluster that is there now, and remembers that cluster.
 * Repeating it after a kill does no harm.
 */
export async function followCluster(
  root: string,
  stack: string,
  identity: string,
  cli: RunCli,
): Promise<void> {
  const path = join(stateDirectory(root), `cluster-of-${stack}`);
  const before = existsSync(path) ? readFileSync(path, "utf8").trim() : undefined;
  if (before === identity) return;
  if (before !== undefined) {
    report(`the embedded cluster is a new one: what ${stack} had in the old one is made again`);
    const text = await checked(cli(["stack", "export", "--stack", stack]));
    const state = withoutCluster(exported.parse(JSON.parse(text)));
    await checked(cli(["stack", "import", "--stack", stack], JSON.stringify(state)));
  }
  mkdirSync(stateDirectory(root), { recursive: true, mode: 0o700 });
  writeFileSync(path, `${identity}\n`);
}

async function checked(result: ReturnType<RunCli>): Promise<string> {
  const { code, stdout, stderr } = await result;
  if (code !== 0)
    throw new UserError(`The state could not be brought in line with the new cluster:\n${stderr.trim()}`);
  return stdout;
}
