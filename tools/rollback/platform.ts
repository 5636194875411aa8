import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, UserError } from "../engine/report";
import { explained, type FullApi } from "../release/api";
import { carryOut } from "../release/change";
import { promoteFull } from "../release/decide";
import { hashOf, isInProgress, versionOf } from "../release/facts";
import type { ReplicaSet } from "../release/objects";
import { readRelease, readSettled } from "../release/read";
import type { Screen } from "../release/screen";
import { undo } from "../release/undo";
import { plan } from "../release/undoPlan";
import { checkHealth, type Limits } from "./health";
import { publishRollback, type Happened } from "./record";
import { checkDowngrade } from "./schema";

/** What a rollback asks of the cluster that the stack is deployed to. */
export interface Platform {
  /**
   * What speaks against bringing the schema down; undefined when nothing does. Changes nothing.
   * @param image reference of the build that made the newer schema
   */
  downgradeProblem(image: string, to: string): Promise<string | undefined>;
  /**
   * Gives the users an earlier release that the cluster still has, at once.
   * @param release what its Pods are annotated with
   * @returns whether the cluster had it
   */
  switchTo(release: string): Promise<boolean>;
  /** Skips steps, pauses and measurements of whatever is released while something goes on. */
  hurrying<T>(work: () => Promise<T>): Promise<T>;
  /** Watches what serves. @returns what was found, in words @throws UserError when it is not well */
  check(limits: Limits): Promise<string>;
  /** Leaves a mark in the dashboards. @throws when it cannot */
  announce(happened: Happened): Promise<void>;
}

const releaseAnnotation = "technova.io/release";
const undoSeconds = 300;

/** The cluster behind an API server. @param connect is called when something is asked for the first time */
export function clusterPlatform(connect: () => Promise<FullApi>, stack: string, screen: Screen): Platform {
  let connected: Promise<FullApi> | undefined;
  const told = async <T>(ask: (api: FullApi) => Promise<T>): Promise<T> => {
    try {
      return await ask(await (connected ??= connect()));
    } catch (error) {
      throw explained(error);
    }
  };
  return {
    downgradeProblem: (image, to) => told((api) => checkDowngrade(api, image, to, screen)),
    switchTo: (release) => told((api) => switchTo(api, stack, release, screen)),
    // A failure of what goes on meanwhile is none of the cluster's.
    hurrying: async (work) => hurrying(await told((api) => Promise.resolve(api)), stack, work),
    check: (limits) => told((api) => checkHealth(api, limits, screen)),
    announce: (happened) => told((api) => publishRollback(api, happened)),
  };
}

async function switchTo(api: FullApi, stack: string, wanted: string, screen: Screen): Promise<boolean> {
  const release = await readSettled(api, screen.sleep);
  const isWanted = ({ spec }: ReplicaSet) =>
    spec.template.metadata?.annotations?.[releaseAnnotation] === wanted;
  const target = release.replicaSets.find(isWanted);
  if (target === undefined) return false;
  if (hashOf(target) === release.rollout.status.stableRS && !isInProgress(release.rollout)) return true;
  const options = { stack, wait: true, timeoutSeconds: undoSeconds };
  await undo(api, options, screen, ({ rollout, replicaSets }) => {
    const found = replicaSets.find(isWanted);
    if (found === undefined) return "The cluster does not have that version any more.";
    return plan(found, versionOf(rollout.spec.template, rollout.status.currentPodHash));
  });
  return true;
}

async function hurrying<T>(api: FullApi, stack: string, work: () => Promise<T>): Promise<T> {
  let going = true;
  const hurry = async (): Promise<void> => {
    while (going) {
      // It is refused while nothing is released, and the API server may not answer for a moment: neither is an end.
      await promoteWhatMoves(api, stack).catch(() => undefined);
      await sleep(500);
    }
  };
  const hurried = hurry();
  try {
    return await work();
  } finally {
    going = false;
    await hurried;
  }
}

async function promoteWhatMoves(api: FullApi, stack: string): Promise<void> {
  const { rollout } = await readRelease(api);
  if (isInProgress(rollout) && !rollout.status.abort && !rollout.status.promoteFull) {
    await carryOut(api, promoteFull, stack, sleep);
  }
}

/** For stacks that have no application: there is nothing to look at. */
export const noPlatform: Platform = {
  downgradeProblem: () => Promise.resolve(undefined),
  switchTo: () => Promise.resolve(false),
  hurrying: (work) => work(),
  check: () => Promise.resolve("nothing to look at: the stack has no application"),
  announce: () => Promise.resolve(),
};

/** Turns a failure into words. */
export function reasonOf(error: unknown): string {
  return error instanceof UserError ? error.message : messageOf(error);
}
