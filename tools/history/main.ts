import { Command, InvalidArgumentError } from "commander";
import { defaultStack } from "../engine/invocation";
import { projectName, requireStackFile } from "../engine/project";
import { openState } from "../engine/state";
import { listHistory } from "./list";
import { historyJson, renderHistory } from "./render";
import { openHistory } from "./source";

interface Options {
  readonly stack: string;
  readonly json?: boolean;
  readonly limit: number;
}

/** The command that lists what was done to a stack. */
export function historyCommand(root: string, env: NodeJS.ProcessEnv = process.env): Command {
  return new Command("history")
    .description("list the updates of a stack, newest first, with what each of them changed in the settings")
    .usage("-- [options]")
    .option("-s, --stack <name>", "the stack", env.PULUMI_STACK || defaultStack)
    .option("--limit <count>", "how many; 0 for all of them", toCount, 20)
    .option("--json", "print them as JSON")
    .addHelpText("after", explanation)
    .action(async ({ stack, json, limit }: Options) => {
      requireStackFile(root, stack);
      const state = openState(root, env);
      const source = await openHistory(root, stack, env, state);
      const listed = await listHistory(source, projectName(root), limit || undefined, { state, env });
      console.log(json ? JSON.stringify(historyJson(listed), undefined, 2) : renderHistory(listed));
    });
}

const explanation = `
The history is read where the stack's state is: a folder, a bucket of S3, or a Pulumi Cloud. A secret is
shown as changed, or as set anew where it cannot be told whether its value is another; never its value.
A * behind the commit: the program had changes that are in no commit.
To go back to one of them: npm run rollback -- --to <number>`;

function toCount(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError("It takes a whole number from 0 to 999999.");
  return Number(text);
}
