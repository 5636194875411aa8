import { defaultStack } from "../engine/invocation";
import { isInProgress, waitsFor, type Version } from "./facts";
import type { Release } from "./objects";
import type { State } from "./phase";

/** A command of this program, as it is to be typed for a stack. */
export function typed(command: string, stack: string): string {
  return `npm run release -- ${command}${stack === defaultStack ? "" : ` --stack ${stack}`}`;
}

/** What a person can do now. @param before what `undo` would bring back while nothing is on its way. */
export function nextStep({ rollout }: Release, state: State, stack: string, before?: Version): string {
  const inProgress = isInProgress(rollout);
  switch (state) {
    case "healthy":
      if (before === undefined) return "nothing to do; there is no version to go back to";
      return `nothing to do; back to version ${before.version}: ${typed("undo", stack)}`;
    case "progressing":
      if (!inProgress) return `nothing to do; to follow it: ${typed("watch", stack)}`;
      return `goes on by itself; to follow it: ${typed("watch", stack)}; to give it up: ${typed("abort", stack)}`;
    case "waiting": {
      const what = waitsFor(rollout) === "inconclusive" ? "measures again or goes on with" : "waits for";
      const more = inProgress ? `; to give it up: ${typed("abort", stack)}` : "";
      return `${what}: ${typed("promote", stack)}${more}`;
    }
    case "failed":
      if (rollout.status.abort) {
        return `back to the stable version for good: ${typed("undo", stack)}; to try once more: ${typed("retry", stack)}`;
      }
      if (inProgress) return `back to the stable version: ${typed("undo", stack)}`;
      if (before === undefined) return "there is no version to go back to; release what mends it: npm run up";
      return `back to version ${before.version}: ${typed("undo", stack)}`;
  }
}
