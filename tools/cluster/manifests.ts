import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseAllDocuments } from "yaml";
import type { AdminClient, KubernetesObject } from "./api";
import { ClusterError } from "./errors";
import { clusterImages, mirrorReference } from "./images/catalog";
import { network } from "./network";
import { execInNode } from "./node";
import type { ClusterPaths } from "./paths";

const folder = join(__dirname, "manifests");

/** The objects of one file of `manifests/`, with images and addresses filled in. */
export function manifestObjects(name: string): KubernetesObject[] {
  const values: Record<string, string> = {
    DOMAIN: network.domain,
    DNS_ADDRESS: network.dnsService,
    COREDNS_IMAGE: mirrorReference(clusterImages.coredns),
    LOCAL_PATH_IMAGE: mirrorReference(clusterImages.localPathProvisioner),
    BUSYBOX_IMAGE: mirrorReference(clusterImages.busybox),
  };
  const text = readFileSync(join(folder, `${name}.yaml`), "utf8").replace(
    /\$\{([A-Z_]+)\}/g,
    (_match, key: string) => {
      const value = values[key];
      if (value === undefined) throw new Error(`manifests/${name}.yaml: nothing is known as ${key}`);
      return value;
    },
  );
  return parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject);
}

export async function applyManifests(client: AdminClient, names: readonly string[]): Promise<void> {
  const objects = names.flatMap(manifestObjects);
  const isNamespace = ({ kind }: KubernetesObject) => kind === "Namespace";
  await Promise.all(objects.filter(isNamespace).map((object) => client.apply(object)));
  await Promise.all(objects.filter((object) => !isNamespace(object)).map((object) => client.apply(object)));
}

interface Deployment {
  readonly metadata: { readonly generation: number };
  readonly spec: { readonly replicas: number };
  readonly status: {
    readonly observedGeneration?: number;
    readonly readyReplicas?: number;
    readonly updatedReplicas?: number;
  };
}

interface Pods {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly status: {
      readonly phase: string;
      readonly containerStatuses?: readonly {
        readonly state?: { readonly waiting?: { reason?: string; message?: string } };
      }[];
    };
  }[];
}

/** Waits until every pod of a Deployment is ready and of its present version. */
export async function waitDeployment(
  client: AdminClient,
  namespace: string,
  name: string,
  report: (text: string) => void,
  seconds = 300,
): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  let state = "no status yet";
  while (Date.now() < deadline) {
    const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
    const deployment = await client.get<Deployment>(path);
    const { status, spec, metadata } = deployment ?? {};
    const ready = status?.readyReplicas ?? 0;
    if (
      spec !== undefined &&
      status?.observedGeneration === metadata?.generation &&
      status?.updatedReplicas === spec.replicas &&
      ready >= spec.replicas
    ) {
      return;
    }
    state = `${ready} of ${spec?.replicas ?? "?"} pods ready`;
    report(`${namespace}/${name}: ${state}`);
    await sleep(250);
  }
  const pods = await client.get<Pods>(`/api/v1/namespaces/${namespace}/pods`);
  const details = (pods?.items ?? []).map(({ metadata, status }) => {
    const waiting = status.containerStatuses?.map(({ state: now }) => now?.waiting).find(Boolean);
    return `  ${metadata.name}: ${status.phase} ${waiting?.reason ?? ""} ${waiting?.message ?? ""}`.trimEnd();
  });
  throw new ClusterError(
    `${namespace}/${name} is not ready after ${seconds} s (${state}):\n${details.join("\n")}\n` +
      "See `npm run cluster -- logs kubelet`.",
  );
}

/**
 * Waits until a name server answers behind the service's address. After a crash of the node the API still shows
 * the pods as ready that it had.
 */
export async function waitDns(paths: ClusterPaths, seconds = 180): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  const connect = ["timeout", "2", "bash", "-c", `exec 3<>/dev/tcp/${network.dnsService}/53`];
  for (;;) {
    try {
      await execInNode(paths, connect);
      return;
    } catch {
      if (Date.now() > deadline) {
        throw new ClusterError(
          `No name server answers at ${network.dnsService} after ${seconds} s. ` +
            "See `kubectl -n kube-system logs deploy/coredns` and `npm run cluster -- logs kube-proxy`.",
        );
      }
      await sleep(250);
    }
  }
}

/** Waits until the node reports that it is ready for pods. */
export async function waitNode(client: AdminClient, seconds = 180): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (Date.now() < deadline) {
    if (await isNodeReady(client)) return;
    await sleep(250);
  }
  throw new ClusterError(
    `The node is not ready after ${seconds} s. See \`npm run cluster -- logs kubelet\`.`,
  );
}

interface Node {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

export async function isNodeReady(client: AdminClient): Promise<boolean> {
  const node = await client.get<Node>(`/api/v1/nodes/${network.nodeName}`);
  return node?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}
