import { defaultStack } from "../engine/invocation";
import { isInProgress, waitsFor, type Version } from "./facts";
import type { Release } from "./objects";
import type { State } from "./phase";

/** A command of this program, as it is to be typed for a stack. */
export function typed(command: string, stack: string): string {
  return `npm run release -- ${command}${stack === defaultStack ? "" : ` --stack ${stack}`}`;
}

/**
 * What a person can do now, one thing on each line, so that a command can be copied whole.
 * @param before what `undo` would bring back while nothing is on its way.
 */
export function nextStep({ rollout }: Release, state: State, stack: string, before?: Version): string[] {
  const inProgress = isInProgress(rollout);
  const back = before === undefined ? [] : [`back to version ${before.version}: ${typed("undo", stack)}`];
  const giveUp = inProgress ? [`to give it up: ${typed("abort", stack)}`] : [];
  switch (state) {
    case "healthy":
      return before === undefined
        ? ["nothing to do; there is no version to go back to"]
        : ["nothing to do", ...back];
    case "progressing":
      return ["goes on by itself", `to follow it: ${typed("watch", stack)}`, ...giveUp];
    case "waiting": {
      const what = waitsFor(rollout) === "inconclusive" ? "measures again or goes on with" : "waits for";
      return [`${what}: ${typed("promote", stack)}`, ...giveUp];
    }
    case "failed": {
      if (!inProgress) return [...back, "or release what mends it: npm run up"];
      const stable = `back to the stable version for good: ${typed("undo", stack)}`;
      return rollout.status.abort ? [stable, `to try once more: ${typed("retry", stack)}`] : [stable];
    }
  }
}
