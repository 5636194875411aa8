import { version } from "@pulumi/kubernetes/package.json";
import type { Provider } from "../rpc/provider";
import { linkCluster, type ClusterLink } from "./cluster/connection";
import { checkConfig, diffConfig } from "./configuration";
import { invoke } from "./invoke";
import { check } from "./operations/check";
import { create } from "./operations/create";
import { remove } from "./operations/delete";
import { diff } from "./operations/diff";
import { read } from "./operations/read";
import { update } from "./operations/update";
import { parseType } from "./kinds";
import type { Session } from "./session";
import { readSettings, type Settings } from "./settings";

/** Kubernetes objects, applied server-side. */
export function kubernetesProvider(): Provider {
  let configured: Session | undefined;
  const session = (type: string): Session => {
    parseType(type);
    if (!configured) throw new Error("the provider was used before it was configured");
    return configured;
  };
  return {
    // The official plugin of this version writes the same state.
    version,
    schema: async () => JSON.stringify({ name: "kubernetes", version, resources: {} }),
    checkConfig,
    diffConfig,
    configure: async ({ args }) => {
      const settings = readSettings(args, process.env);
      configured = { settings, link: await link(settings), scopes: new Map() };
    },
    check: (request) => check(session(request.type), request),
    diff: (request) => diff(session(request.type), request),
    create: (request) => create(session(request.type), request),
    read: (request) => read(session(request.type), request),
    update: (request) => update(session(request.type), request),
    delete: (request) => remove(session(request.type), request),
    invoke: (request) => invoke(session(""), request),
  };
}

async function link(settings: Settings): Promise<ClusterLink> {
  const { unusable, requestTimeoutSeconds } = settings;
  if (!unusable) return linkCluster(settings, { timeoutSeconds: requestTimeoutSeconds });
  return { namespace: settings.namespace || "default", connect: async () => ({ reason: unusable }) };
}
