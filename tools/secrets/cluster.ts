import { sealingNamespace } from "../../components/addons/sealedSecrets/names";
import { UserError } from "../engine/report";
import { ApiError, ConnectionError } from "../plugins/kubernetes/cluster/errors";
import { connect, type FullApi } from "../release/api";

/**
 * Works with the cluster of a stack.
 * @throws UserError that says what to do, where the cluster does not answer or refuses
 */
export async function withApi<T>(
  root: string,
  stack: string,
  env: NodeJS.ProcessEnv,
  work: (api: FullApi) => Promise<T>,
): Promise<T> {
  try {
    return await work(await connect(root, stack, env));
  } catch (error) {
    throw explained(error);
  }
}

function explained(error: unknown): unknown {
  if (error instanceof ConnectionError) {
    return new UserError(
      `The cluster does not answer: ${error.message}. Check it (npm run cluster -- status for the embedded one) ` +
        "and the stack's kubernetes:context.",
    );
  }
  if (!(error instanceof ApiError)) return error;
  if (error.code === 401 || error.code === 403) {
    return new UserError(
      `The cluster refuses it: ${error.message}. It takes the right of technova:cluster.access.admins in the ` +
        `namespace ${sealingNamespace}.`,
    );
  }
  if (error.code === 404) {
    return new UserError(
      `The cluster has no namespace ${sealingNamespace} yet: set technova:sealedSecrets, then npm run up.`,
    );
  }
  if (error.code >= 500) {
    return new UserError(
      `The controller does not answer: ${error.message.trim()}. Look at it: kubectl get pods -n ${sealingNamespace}`,
    );
  }
  return new UserError(`The API server refuses it: ${error.message}`);
}
