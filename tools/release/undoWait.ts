import { isDeepStrictEqual } from "node:util";
import { UserError } from "../engine/report";
import { isConflict, isUnreachable, type Api } from "./api";
import { isObserved, type Version } from "./facts";
import { typed } from "./next";
import { serviceSchema, type PodTemplate, type Rollout, type Service } from "./objects";
import { parsed, paths, readRollout } from "./read";
import type { Screen } from "./screen";
import type { UndoOptions } from "./undo";
import { serves } from "./undoPlan";

const pollMilliseconds = 200;

/** An `undo` that has begun. Times are in milliseconds. */
export interface Way extends UndoOptions {
  readonly target: Version;
  readonly written: PodTemplate;
  readonly startedAt: number;
  readonly deadline: number;
}

/**
 * Steps, pauses and measurements are for what is new. The controller skips them by itself for a version that is older
 * than the stable one and within its window; asked for, it skips them for every version.
 */
export async function skipTheRest(api: Api, way: Way, screen: Screen): Promise<void> {
  await until(api, way, screen, async (rollout) => {
    const { metadata, status } = rollout;
    if (status.stableRS === way.target.hash || status.promoteFull) return true;
    const body = { metadata: { resourceVersion: metadata.resourceVersion }, status: { promoteFull: true } };
    try {
      await api.patch(paths.status, "application/merge-patch+json", body);
      return true;
    } catch (error) {
      if (isConflict(error)) return false;
      throw error;
    }
  });
}

/** Waits until the target gets all requests. */
export function untilServing(api: Api, way: Way, screen: Screen): Promise<void> {
  return until(api, way, screen, async (rollout) =>
    serves(rollout, way.target.hash, await activeService(api, rollout)),
  );
}

/** Asks again and again, as soon as the controller has taken the target up. An API server that restarts ends nothing. */
async function until(
  api: Api,
  way: Way,
  screen: Screen,
  isDone: (rollout: Rollout) => Promise<boolean>,
): Promise<void> {
  for (;;) {
    let said = "";
    try {
      const rollout = await readRollout(api);
      requireTarget(rollout, way);
      const takenUp = isObserved(rollout) && rollout.status.currentPodHash === way.target.hash;
      if (takenUp && (await isDone(rollout))) return;
      said = rollout.status.message;
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      said = "the cluster does not answer; asking again";
    }
    const elapsed = Math.floor((Date.now() - way.startedAt) / 1000);
    screen.progress(`back to version ${way.target.version}, ${elapsed} s${said === "" ? "" : `: ${said}`}`);
    if (Date.now() > way.deadline) throw tooLate(said, way);
    await screen.sleep(pollMilliseconds);
  }
}

async function activeService(api: Api, { spec }: Rollout): Promise<Service | undefined> {
  const name = spec.strategy.blueGreen?.activeService;
  const found = name === undefined ? undefined : await api.get(paths.service(name));
  return found === undefined ? undefined : parsed(serviceSchema, found);
}

function requireTarget({ spec, status }: Rollout, { target, written, stack }: Way): void {
  if (!isDeepStrictEqual(spec.template, written)) {
    throw new UserError(
      `Another release was begun while version ${target.version} was on its way back: ${typed("status", stack)}`,
    );
  }
  const aborted = status.abort && status.currentPodHash === target.hash && status.stableRS !== target.hash;
  if (aborted) {
    const reason = status.message || "by hand";
    throw new UserError(
      `Going back to version ${target.version} was aborted: ${reason}. Look at it: ${typed("status", stack)}`,
    );
  }
}

function tooLate(said: string, { target, stack }: Way): UserError {
  return new UserError(
    `Version ${target.version} does not serve all requests yet${said === "" ? "" : ` (${said})`}. The cluster goes ` +
      `on with it: ${typed("status", stack)}; to go on waiting: ${typed("undo", stack)}`,
  );
}
