import { clusterEnvironment } from "../cluster/environment";
import { changesResources, type Invocation } from "./invocation";
import { readStackSettings } from "./project";
import { UserError } from "./report";

/** Context of the embedded cluster in the kubeconfig that it writes. */
const embeddedContext = "technova-local";

/** Whether a stack is meant for the embedded cluster. */
export function usesEmbeddedCluster(root: string, stack: string): boolean {
  return readStackSettings(root, stack).config?.["kubernetes:context"] === embeddedContext;
}

/**
 * Whether a command changes something in the embedded cluster. With PULUMI_K8S_DELETE_UNREACHABLE the user has said
 * that a cluster is gone for good: then the state may be emptied without it.
 */
export function changesEmbeddedCluster(root: string, call: Invocation, env: NodeJS.ProcessEnv): boolean {
  const gone = call.command === "destroy" && env.PULUMI_K8S_DELETE_UNREACHABLE === "true";
  return changesResources(call) && usesEmbeddedCluster(root, call.stack) && !gone;
}

/** @throws UserError when a command is to change the embedded cluster and that is not up. */
export function requireCluster(root: string, call: Invocation, env: NodeJS.ProcessEnv): void {
  if (!changesEmbeddedCluster(root, call, env) || Object.keys(clusterEnvironment(env)).length > 0) return;
  throw new UserError(
    `The stack ${call.stack} is meant for the embedded cluster (kubernetes:context is ${embeddedContext}), which is ` +
      "not up. One of these helps:\n" +
      "  npm start                  brings the cluster and the stack up\n" +
      "  npm run cluster -- up      brings the cluster up\n" +
      `  npm run pulumi -- config set kubernetes:context <name> --stack ${call.stack}\n` +
      "                             takes another cluster of the kubeconfig",
  );
}
