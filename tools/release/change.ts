import { UserError } from "../engine/report";
import { isConflict, type Api } from "./api";
import type { Decide, Patch } from "./decide";
import { rolloutSchema, type Rollout } from "./objects";
import { parsed, paths, readSettled } from "./read";

const tries = 10;

/**
 * Carries a decision out on the state that it was made for. When that has changed meanwhile, it is made anew: a
 * promotion that was meant for one pause must not end the next one.
 * @returns what was done, or that it was so already.
 * @throws UserError when the command is refused.
 */
export async function carryOut(
  api: Api,
  decide: Decide,
  stack: string,
  sleep: (milliseconds: number) => Promise<unknown>,
): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const { rollout } = await readSettled(api, sleep);
    const decision = decide(rollout, stack);
    if (decision.kind === "refused") throw new UserError(decision.message);
    if (decision.kind === "already") return decision.message;
    try {
      await patchAll(api, rollout, decision.patches);
      return decision.message;
    } catch (error) {
      if (!isConflict(error) || attempt === tries) throw error;
    }
  }
}

async function patchAll(api: Api, rollout: Rollout, patches: readonly Patch[]): Promise<void> {
  let { resourceVersion } = rollout.metadata;
  for (const { half, fields } of patches) {
    const path = half === "spec" ? paths.rollout : paths.status;
    const body = { metadata: { resourceVersion }, [half]: fields };
    const answer = await api.patch(path, "application/merge-patch+json", body);
    resourceVersion = parsed(rolloutSchema, answer).metadata.resourceVersion;
  }
}
