import { UserError, withProgress } from "../engine/report";
import { capturePulumi } from "../engine/run";

/**
 * The state of a stack with the values of its secrets, as the CLI prints it; it is kept in memory alone.
 * @throws UserError when there is no such stack, or its secrets cannot be opened here
 */
export async function exportState(root: string, stack: string, env: NodeJS.ProcessEnv): Promise<string> {
  const args = ["stack", "export", "--show-secrets", "--stack", stack];
  const { code, stdout, stderr } = await withProgress(
    (elapsed) => `  reading the state of ${stack}, ${elapsed}`,
    () => capturePulumi(root, args, env),
    2_000,
  );
  if (code === 0) return stdout;
  const advice = /no stack named/.test(stderr) ? `\nnpm run up -- --stack ${stack} makes it.` : "";
  throw new UserError(`The state of ${stack} cannot be read: ${stderr.trim()}${advice}`);
}
