import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { clusterPaths } from "./paths";

/**
 * What a command needs in its environment to reach the embedded cluster beside the user's own clusters; empty
 * when the embedded cluster is not up. It adds the context `technova-local` and changes no current context.
 */
export function clusterEnvironment(environment: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const paths = clusterPaths(environment);
  if (!existsSync(paths.kubeconfig) || !existsSync(paths.dockerSocket)) return {};
  const home = join(environment.HOME || homedir(), ".kube", "config");
  const own = environment.KUBECONFIG || (existsSync(home) ? home : "");
  const files = own.split(":").filter((file) => file !== "" && file !== paths.kubeconfig);
  return {
    KUBECONFIG: [...files, paths.kubeconfig].join(":"),
    DOCKER_HOST: environment.DOCKER_HOST || `unix://${paths.dockerSocket}`,
  };
}
