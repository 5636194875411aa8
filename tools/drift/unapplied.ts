import { projectName } from "../engine/project";
import { UserError } from "../engine/report";
import { openState } from "../engine/state";
import { comparisonFor } from "../history/secrets";
import { openHistory } from "../history/source";
import { fileSettings } from "../rollback/rollback";
import { stateDifferences } from "../rollback/states";

/**
 * A repair puts back what the last update said. Settings that came into the stack's file since would be released by it,
 * with nothing of what belongs to a release.
 * @throws UserError when there are any
 */
export async function refuseUnapplied(root: string, stack: string, env: NodeJS.ProcessEnv): Promise<void> {
  const state = openState(root, env);
  const project = projectName(root);
  const history = await openHistory(root, stack, env, state);
  const applied = (await history.updates()).findLast(({ kind }) => kind === "update");
  if (applied === undefined) return;
  const secrets = comparisonFor((await history.current())?.secretsProvider, state, env);
  const inFile = { config: fileSettings(root, stack, project) };
  const unapplied = stateDifferences({ config: applied.config }, inFile, project, secrets);
  if (unapplied.length === 0) return;
  const paths = unapplied.map(({ path }) => `  ${path}`).join("\n");
  throw new UserError(
    `Pulumi.${stack}.yaml has settings that no update has applied, and a repair would:\n${paths}\n` +
      `Apply them with npm run up -- --stack ${stack}, or put the file back as it was; then repair.`,
  );
}
