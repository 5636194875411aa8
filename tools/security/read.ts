import { exportState } from "../drift/exported";
import { readStackSettings } from "../engine/project";
import { messageOf, UserError } from "../engine/report";
import { connect } from "../release/api";
import { LiveCluster } from "./cluster";
import { Unanswered } from "./control";
import { Evidence } from "./evidence";
import { githubApi } from "./github";
import { readEvidence } from "./state";

/**
 * Reads the state, and finds the way to everything else that is asked. Without a cluster the rest is asked all the same.
 * @throws UserError when there is no such stack, or its state cannot be read
 */
export async function readEvidenceOf(root: string, stack: string, env: NodeJS.ProcessEnv): Promise<Evidence> {
  const settings = readStackSettings(root, stack);
  const state = readEvidence(await exportState(root, stack, env));
  return new Evidence({
    root,
    stack,
    settings,
    state,
    cluster: await clusterOf(root, stack, env),
    github: githubApi(env),
    today: new Date().toISOString().slice(0, 10),
  });
}

async function clusterOf(
  root: string,
  stack: string,
  env: NodeJS.ProcessEnv,
): Promise<LiveCluster | Unanswered> {
  try {
    const api = await connect(root, stack, env);
    await api.get("/version");
    return new LiveCluster(api);
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw error;
    const [first = ""] = messageOf(error).split("\n");
    return new Unanswered(error instanceof UserError ? first : `the cluster does not answer: ${first}`);
  }
}
