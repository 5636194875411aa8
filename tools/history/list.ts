import type { State } from "../engine/state";
import { differences, type Difference } from "./differences";
import { digestOf, factsOf, type Facts } from "./facts";
import { inParallel } from "./parallel";
import { comparisonFor } from "./secrets";
import type { HistorySource } from "./source";
import type { Update } from "./update";

/** One line of the history. */
export interface Listed {
  readonly update: Update;
  readonly facts: Facts;
  /** Digest of the application's image that ran afterwards, where that is known. */
  readonly digest?: string;
  /** Number of the update that this one went back to. */
  readonly backTo?: number;
  /** What differs from the configuration of the update before; undefined for the first one. */
  readonly changed?: readonly Difference[];
}

/** Updates of which more has to be read at the same time; as many as the client for S3 has connections. */
const atOnce = 50;

/** The newest updates with what each of them changed, newest first. @param limit how many; all without it */
export async function listHistory(
  source: HistorySource,
  project: string,
  limit: number | undefined,
  surroundings: { readonly state: State; readonly env: NodeJS.ProcessEnv },
): Promise<Listed[]> {
  // One more than are shown: the oldest of them is compared with it.
  const updates = await source.updates(limit === undefined ? undefined : limit + 1);
  const shown = limit === undefined ? updates : updates.slice(-limit);
  const numbers = await numbersOf(
    source,
    updates,
    shown.map((update) => factsOf(update, project)),
  );
  const provider = (await source.current())?.secretsProvider;
  const secrets = comparisonFor(provider, surroundings.state, surroundings.env);
  const listed = await inParallel(shown, atOnce, async (update, index): Promise<Listed> => {
    const facts = factsOf(update, project);
    const before = updates[updates.length - shown.length + index - 1];
    return {
      update,
      facts,
      digest: facts.digest ?? (await builtDigest(source, update, facts)),
      backTo: facts.rolledBackTo === undefined ? undefined : numbers.get(facts.rolledBackTo),
      changed: before === undefined ? undefined : differences(before.config, update.config, secrets),
    };
  });
  return listed.reverse();
}

/** Numbers by ID: of all updates, where one of those shown went back further than was read. */
async function numbersOf(
  source: HistorySource,
  updates: readonly Update[],
  shown: readonly Facts[],
): Promise<ReadonlyMap<string, number>> {
  const of = (known: readonly Update[]) => new Map(known.map(({ id, number }) => [id, number]));
  const numbers = of(updates);
  const isUnknown = ({ rolledBackTo: id }: Facts) => id !== undefined && id !== "part" && !numbers.has(id);
  return shown.some(isUnknown) ? of(await source.updates()) : numbers;
}

/** An image that the update has built is known by what it left behind. */
export async function builtDigest(
  source: HistorySource,
  update: Update,
  { built }: Facts,
): Promise<string | undefined> {
  return built ? digestOf((await source.leftBehind(update.id))?.image) : undefined;
}
