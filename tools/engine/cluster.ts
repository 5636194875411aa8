import { clusterEnvironment } from "../cluster/environment";
import type { Invocation } from "./invocation";
import { readStackSettings } from "./project";
import { UserError } from "./report";

/** Context of the embedded cluster in the kubeconfig that it writes. */
const embeddedContext = "technova-local";

/** Whether a stack is meant for the embedded cluster. */
export function usesEmbeddedCluster(root: string, stack: string): boolean {
  return readStackSettings(root, stack).config?.["kubernetes:context"] === embeddedContext;
}

/** @throws UserError when the stack is meant for the embedded cluster and that is not up. */
export function requireCluster(root: string, call: Invocation): void {
  if (!usesEmbeddedCluster(root, call.stack) || Object.keys(clusterEnvironment()).length > 0) return;
  throw new UserError(
    `The stack ${call.stack} is meant for the embedded cluster (kubernetes:context is ${embeddedContext}), which is ` +
      "not up. One of these helps:\n" +
      "  npm start                  brings the cluster and the stack up\n" +
      "  npm run cluster -- up      brings the cluster up\n" +
      `  npm run pulumi -- config set kubernetes:context <name> --stack ${call.stack}\n` +
      "                             takes another cluster of the kubeconfig",
  );
}
