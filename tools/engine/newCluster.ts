import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { platformLabels } from "../../components/labels";
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
  outputs: z.record(z.string(), z.unknown()).nullish(),
});
const exported = z.looseObject({ deployment: z.looseObject({ resources: z.array(resource).optional() }) });
export type Deployment = z.infer<typeof exported>;

const named = z.object({ metadata: z.object({ name: z.string(), uid: z.string() }) });
const list = z.object({ items: z.array(named) });

/** What a stack has to know of the embedded cluster that is there now. */
export interface EmbeddedCluster {
  /** What tells it from any other, before or after it. */
  readonly identity: string;
  /** The namespaces of a platform on it, whoever deployed that: uid and name. */
  readonly namespaces: ReadonlyMap<string, string>;
}

export async function embeddedCluster(env: NodeJS.ProcessEnv): Promise<EmbeddedCluster> {
  const client = new AdminClient(clusterPaths(env).pki);
  const selector = Object.entries(platformLabels).map(([key, value]) => `${key}=${value}`);
  const query = `labelSelector=${encodeURIComponent(selector.join(","))}`;
  try {
    const system = named.parse(await client.get("/api/v1/namespaces/kube-system"));
    const { items } = list.parse(await client.get(`/api/v1/namespaces?${query}`));
    return {
      identity: system.metadata.uid,
      namespaces: new Map(items.map(({ metadata }) => [metadata.uid, metadata.name])),
    };
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

const namespaceType = "kubernetes:core/v1:Namespace";
const withUid = z.looseObject({ metadata: z.looseObject({ uid: z.string() }) });

/** Whether a state lists one of the namespaces that are on the cluster. */
function knows(state: Deployment, { namespaces }: EmbeddedCluster): boolean {
  return (state.deployment.resources ?? []).some(({ type, outputs }) => {
    const { data } = withUid.safeParse(outputs);
    return type === namespaceType && data !== undefined && namespaces.has(data.metadata.uid);
  });
}

/**
 * Brings the state of a stack in line with the embedded cluster that is there now, and remembers that cluster.
 * Repeating it after a kill does no harm.
 * @throws UserError when somebody else's platform is on the cluster: two do not fit there.
 */
export async function followCluster(
  root: string,
  stack: string,
  cluster: EmbeddedCluster,
  cli: RunCli,
): Promise<void> {
  const path = join(stateDirectory(root), `cluster-of-${stack}`);
  const before = existsSync(path) ? readFileSync(path, "utf8").trim() : undefined;
  if (before === cluster.identity) return;
  if (before !== undefined || cluster.namespaces.size > 0) {
    const state = exported.parse(JSON.parse(await checked(cli(["stack", "export", "--stack", stack]))));
    if (cluster.namespaces.size === 0) {
      report(`the embedded cluster is a new one: what ${stack} had in the old one is made again`);
      const cleaned = JSON.stringify(withoutCluster(state));
      await checked(cli(["stack", "import", "--stack", stack], cleaned));
    } else if (!knows(state, cluster)) {
      throw new UserError(
        `The embedded cluster holds a platform that the state of ${stack} knows nothing of ` +
          `(namespaces ${[...cluster.namespaces.values()].sort().join(", ")}): another checkout or stack has ` +
          "deployed it. Go on there, or remove the cluster with all that is on it:\n  npm run cluster -- down",
      );
    }
  }
  mkdirSync(stateDirectory(root), { recursive: true, mode: 0o700 });
  writeFileSync(path, `${cluster.identity}\n`);
}

async function checked(result: ReturnType<RunCli>): Promise<string> {
  const { code, stdout, stderr } = await result;
  if (code !== 0)
    throw new UserError(`The state could not be brought in line with the new cluster:\n${stderr.trim()}`);
  return stdout;
}
