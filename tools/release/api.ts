import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { clusterEnvironment } from "../cluster/environment";
import { usesEmbeddedCluster } from "../engine/cluster";
import { readStackSettings } from "../engine/project";
import { messageOf, UserError } from "../engine/report";
import { readKubeconfig, selectTarget, type Target } from "../plugins/kubernetes/cluster/kubeconfig";
import { ApiError, ConnectionError } from "../plugins/kubernetes/cluster/errors";
import { Transport } from "../plugins/kubernetes/cluster/transport";
import type { PropertyValue } from "../plugins/rpc/values";

export type PatchType = "application/json-patch+json" | "application/merge-patch+json";

/** The little that the commands need of the API server. */
export interface Api {
  /** The parsed object, or undefined when there is none. */
  get(path: string): Promise<unknown>;
  /** @param fieldManager in whose name the fields are written; the client's own if left out */
  patch(path: string, type: PatchType, body: unknown, fieldManager?: string): Promise<unknown>;
}

/** What those need besides who do more than steer. */
export interface FullApi extends Api {
  create(path: string, body: unknown): Promise<unknown>;
  /** Removes an object with what belongs to it; nothing happens when there is none. */
  remove(path: string): Promise<void>;
}

/** The cluster that a stack is meant for, as those see it who steer; errors as of `openTransport`. */
export async function connect(root: string, stack: string, env: NodeJS.ProcessEnv): Promise<FullApi> {
  return new ClusterApi(await openTransport(root, stack, env));
}

/**
 * The way to the cluster that a stack is meant for. Kubeconfigs are looked for where `up` looks for them.
 * @throws UserError when there is no such stack, no kubeconfig, no such context, or the embedded cluster is not up.
 */
export async function openTransport(root: string, stack: string, env: NodeJS.ProcessEnv): Promise<Transport> {
  // A person waits in front of it: what does not answer is to be said within seconds.
  return new Transport(await findTarget(root, stack, env), { timeoutSeconds: 10, retries: 2 });
}

/** The cluster that a stack is meant for, and who signs in to it; errors as of `openTransport`. */
export async function findTarget(root: string, stack: string, env: NodeJS.ProcessEnv): Promise<Target> {
  const config = readStackSettings(root, stack).config ?? {};
  const embedded = clusterEnvironment(env);
  if (usesEmbeddedCluster(root, stack) && Object.keys(embedded).length === 0) {
    throw new UserError(
      `The stack ${stack} is meant for the embedded cluster, which is not up: npm start brings both up, ` +
        "npm run cluster -- up the cluster alone.",
    );
  }
  const setting = config["kubernetes:kubeconfig"];
  if (typeof setting === "object" && setting !== null) {
    throw new UserError(
      `kubernetes:kubeconfig of Pulumi.${stack}.yaml is encrypted and cannot be read here: write the kubeconfig ` +
        "to a file and name it in KUBECONFIG, with kubernetes:kubeconfig taken out for this command.",
    );
  }
  const home = join(env.HOME || homedir(), ".kube", "config");
  const kubeconfig = setting || embedded.KUBECONFIG || env.KUBECONFIG || home;
  const context = config["kubernetes:context"] ?? "";
  return targetIn(String(kubeconfig), String(context), stack);
}

async function targetIn(kubeconfig: string, context: string, stack: string): Promise<Target> {
  const isContent = kubeconfig.includes("\n") || kubeconfig.trimStart().startsWith("{");
  if (!isContent && !kubeconfig.split(":").some((path) => existsSync(path))) {
    throw new UserError(
      `There is no kubeconfig (${kubeconfig}). Name one in KUBECONFIG that has the cluster of the stack ${stack}, ` +
        "or bring the embedded cluster up: npm run cluster -- up",
    );
  }
  try {
    const config = await readKubeconfig(kubeconfig);
    return selectTarget(config, { kubeconfig, context, cluster: "", namespace: "" });
  } catch (error) {
    throw new UserError(
      `The cluster of the stack ${stack} cannot be found: ${messageOf(error)}. Choose another context with\n` +
        `  npm run pulumi -- config set kubernetes:context <name> --stack ${stack}`,
    );
  }
}

class ClusterApi implements FullApi {
  constructor(private readonly transport: Transport) {}

  async get(path: string): Promise<unknown> {
    try {
      return await this.transport.request({ method: "GET", path });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  patch(path: string, contentType: PatchType, body: unknown, fieldManager?: string): Promise<unknown> {
    const query = { fieldManager };
    return this.transport.request({ method: "PATCH", path, query, contentType, body: body as PropertyValue });
  }

  create(path: string, body: unknown): Promise<unknown> {
    return this.transport.request({ method: "POST", path, body: body as PropertyValue });
  }

  async remove(path: string): Promise<void> {
    try {
      await this.transport.request({
        method: "DELETE",
        path,
        query: { propagationPolicy: "Background" },
      });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

/** Whether somebody else changed the object meanwhile, so that reading it again and deciding anew can help. */
export function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.code === 409;
}

/** The API server's answer to a JSON patch that it does not carry out, be it a failed `test` or a wrong value. */
export function isUnprocessable(error: unknown): boolean {
  return error instanceof ApiError && error.code === 422;
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.code === 404;
}

export function isUnreachable(error: unknown): boolean {
  return error instanceof ConnectionError;
}

/** Says what to do about an error of the API server; other errors stay as they are. */
export function explained(error: unknown): unknown {
  if (error instanceof ConnectionError) {
    return new UserError(
      `The cluster does not answer: ${error.message}. Check it (npm run cluster -- status for the embedded one) ` +
        "and the stack's kubernetes:context.",
    );
  }
  if (error instanceof ApiError && (error.code === 401 || error.code === 403)) {
    return new UserError(
      `The cluster refuses it: ${error.message}. The kubeconfig's user has to be allowed to read and patch ` +
        "rollouts (argoproj.io) with their status, and to read replicasets, analysisruns, services and configmaps.",
    );
  }
  if (error instanceof ApiError) return new UserError(`The API server refuses it: ${error.message}`);
  return error;
}
