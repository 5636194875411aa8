import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { ClusterError } from "./errors";
import { ports } from "./network";

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

/** Path segment and scope of the kinds that the cluster's own manifests use. */
const kinds: Readonly<Record<string, { readonly plural: string; readonly namespaced: boolean }>> = {
  Namespace: { plural: "namespaces", namespaced: false },
  ServiceAccount: { plural: "serviceaccounts", namespaced: true },
  ConfigMap: { plural: "configmaps", namespaced: true },
  Service: { plural: "services", namespaced: true },
  Deployment: { plural: "deployments", namespaced: true },
  PodDisruptionBudget: { plural: "poddisruptionbudgets", namespaced: true },
  NetworkPolicy: { plural: "networkpolicies", namespaced: true },
  Role: { plural: "roles", namespaced: true },
  RoleBinding: { plural: "rolebindings", namespaced: true },
  ClusterRole: { plural: "clusterroles", namespaced: false },
  ClusterRoleBinding: { plural: "clusterrolebindings", namespaced: false },
  StorageClass: { plural: "storageclasses", namespaced: false },
};

/** Path of an object in the API. */
export function objectPath(object: KubernetesObject): string {
  const kind = kinds[object.kind];
  if (kind === undefined) throw new Error(`no path is known for kind ${object.kind}`);
  const group = object.apiVersion.includes("/") ? `/apis/${object.apiVersion}` : `/api/${object.apiVersion}`;
  const namespace = kind.namespaced ? `/namespaces/${object.metadata.namespace ?? "default"}` : "";
  return `${group}${namespace}/${kind.plural}/${object.metadata.name}`;
}

export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** The cluster's API as its administrator; also reaches the components that trust the same authority. */
export class AdminClient {
  private readonly agent: Agent;

  constructor(pki: string) {
    this.agent = new Agent({
      ca: readFileSync(join(pki, "ca.crt")),
      cert: readFileSync(join(pki, "admin.crt")),
      key: readFileSync(join(pki, "admin.key")),
      keepAlive: true,
    });
  }

  /** Sends one request; an address without host is one of the API server. */
  send(method: string, address: string, body?: string, contentType = "application/json"): Promise<Reply> {
    const url = new URL(address, `https://127.0.0.1:${ports.api}`);
    const headers =
      body === undefined ? {} : { "content-type": contentType, "content-length": Buffer.byteLength(body) };
    return new Promise((resolve, reject) => {
      const outgoing = request(url, { method, headers, agent: this.agent, timeout: 10_000 }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
        );
      });
      outgoing.on("timeout", () => outgoing.destroy(new Error("no answer in 10 s")));
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  }

  /** Creates the object or brings it to what is given (server-side apply). */
  async apply(object: KubernetesObject): Promise<void> {
    const path = `${objectPath(object)}?fieldManager=technova-cluster&force=true`;
    const reply = await this.send("PATCH", path, JSON.stringify(object), "application/apply-patch+yaml");
    if (reply.status < 300) return;
    const name = `${object.kind} ${object.metadata.name}`;
    throw new ClusterError(`The API server refused ${name}: ${reply.status} ${messageOf(reply.body)}`);
  }

  /** The parsed object, or undefined when there is none. */
  async get<T>(path: string): Promise<T | undefined> {
    const reply = await this.send("GET", path);
    if (reply.status === 404) return undefined;
    if (reply.status >= 300) throw new ClusterError(`GET ${path}: ${reply.status} ${messageOf(reply.body)}`);
    return JSON.parse(reply.body) as T;
  }

  close(): void {
    this.agent.destroy();
  }
}

function messageOf(body: string): string {
  try {
    return (JSON.parse(body) as { message?: string }).message ?? body;
  } catch {
    return body.slice(0, 300);
  }
}
