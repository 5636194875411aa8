import { UserError } from "../engine/report";
import { isConflict, isUnprocessable, type Api, type FullApi } from "./api";
import { unknown } from "./facts";
import { schemaKey } from "./history";
import { rolloutSchema, type PodTemplate, type Release, type Rollout } from "./objects";
import { parsed, paths, readRollout, readSettled } from "./read";
import { recordUndo, type Happened } from "./record";
import type { Screen } from "./screen";
import { planUndo, undoAnnotation, undoPatch, type Plan } from "./undoPlan";
import { skipTheRest, untilServing, type Way } from "./undoWait";

export interface UndoOptions {
  readonly stack: string;
  /** Whether to wait until the version serves all requests. */
  readonly wait: boolean;
  readonly timeoutSeconds: number;
}

const tries = 10;

/**
 * Pulumi's provider takes over what is written under this name, and so removes, with the next release, what the
 * version before has and that one has not. Left to another writer, it would stay: the API server merges lists by name.
 */
const fieldManager = "pulumi-kubernetes";

/** Which version to go back to; a text says why there is none. */
export type Choose = (release: Release, now: number) => Plan | string;

/**
 * Goes back to the version before, or to another one that is chosen.
 * @returns the version that was gone back to and the one that was left.
 * @throws UserError when there is none, or it does not serve in time.
 */
export async function undo(
  api: FullApi,
  options: UndoOptions,
  screen: Screen,
  choose: Choose = planUndo,
): Promise<Plan> {
  const startedAt = new Date();
  const deadline = startedAt.getTime() + options.timeoutSeconds * 1000;
  const { plan, release, written } = await begin(api, screen, choose);
  const way: Way = { ...options, target: plan.target, written, startedAt: startedAt.getTime(), deadline };
  const { target, from } = plan;
  if (plan.underWay) screen.note(`version ${target.version} is on its way back already`);
  else screen.note(`going back from version ${from.version} to ${target.version}`);
  const note = schemaNote(plan, release);
  if (note !== undefined) screen.note(note);
  const record = (stage: Happened["stage"]) =>
    recordUndo(api, release, plan, { stack: options.stack, startedAt, stage }, screen);
  if (!plan.underWay) await record("begun");
  if (target.hash !== release.rollout.status.stableRS) await skipTheRest(api, way, screen);
  if (options.wait) {
    await untilServing(api, way, screen);
    await takeMarkAway(api);
  }
  await record(options.wait ? "done" : "leftAlone");
  return plan;
}

/** What there is to know where the two versions were made for different schemas. */
function schemaNote({ target, from }: Plan, { records }: Release): string | undefined {
  if (target.schemaRevision === from.schemaRevision) return undefined;
  const made =
    `note: version ${target.version} was made for schema revision ${target.schemaRevision}, version ` +
    `${from.version} for ${from.schemaRevision}; the schema stays as it is`;
  const needed = records?.data?.[schemaKey]?.split(/\s+/) ?? [];
  if (needed.includes(target.schemaRevision)) return `${made}, and takes both`;
  return (
    `${made}. Should a later release have taken away what version ${target.version} needs, that does not become ` +
    "ready: npm run rollback takes the schema along"
  );
}

/** The version serves: that the mark stays is no reason to say that it does not. It counts for minutes only. */
async function takeMarkAway(api: Api): Promise<void> {
  const body = { metadata: { annotations: { [undoAnnotation]: null } } };
  await api.patch(paths.rollout, "application/merge-patch+json", body).catch(() => undefined);
}

interface Begun {
  readonly plan: Plan;
  /** What the plan was made on. */
  readonly release: Release;
  /** The Rollout's template from then on; another one means that somebody has begun another release. */
  readonly written: PodTemplate;
}

/** Plans on what is there now, and plans anew when it has changed before the plan could be carried out. */
async function begin(api: Api, screen: Screen, choose: Choose): Promise<Begun> {
  for (let attempt = 1; ; attempt++) {
    const release = await readSettled(api, screen.sleep);
    const plan = choose(release, Date.now());
    if (typeof plan === "string") {
      throw new UserError(`${plan} Put the settings back to the version that you want, and run npm run up.`);
    }
    if (plan.underWay) return { plan, release, written: release.rollout.spec.template };
    try {
      const patch = undoPatch(release.rollout, plan, Date.now());
      const answer = await api.patch(paths.rollout, "application/json-patch+json", patch, fieldManager);
      return { plan, release, written: parsed(rolloutSchema, answer).spec.template };
    } catch (error) {
      if (attempt === tries || !(await hasChanged(api, release.rollout, error))) throw error;
    }
  }
}

/** A failed test of a patch and a template that the API server does not take are told alike. */
async function hasChanged(api: Api, { metadata }: Rollout, error: unknown): Promise<boolean> {
  if (isConflict(error)) return true;
  if (!isUnprocessable(error)) return false;
  return (await readRollout(api)).metadata.resourceVersion !== metadata.resourceVersion;
}

/** What is left to do for the person who has gone back. @param configured version of the stack's settings. */
export function settingsNote({ target, from }: Plan, stack: string, configured: unknown): string | undefined {
  if (configured === target.version && from.version !== target.version) return undefined;
  const named =
    from.version === unknown || from.version === target.version
      ? "another version"
      : `version ${from.version}`;
  return (
    `Pulumi.${stack}.yaml still names ${named}: put its settings back to version ${target.version} before the next\n` +
    "npm run up, because an up with unchanged settings leaves the cluster as it is."
  );
}
