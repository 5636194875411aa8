import type { AuditTrail, Happened } from "../rollback/record";
import type { FullApi } from "../release/api";
import { Loki, NoLoki } from "./loki";
import { StackTrail, type StackEvent } from "./trail";

/** Writes rollbacks into the trail of their stack. */
export function trailOfRollbacks(connect: () => Promise<FullApi>): AuditTrail {
  return { record: async (happened) => addToTrail(await connect(), happened.stack, eventOf(happened)) };
}

/** Writes an event into the trail of its stack; where it has none there is nothing to write. */
export async function addToTrail(api: FullApi, stack: string, event: StackEvent): Promise<void> {
  const trail = new StackTrail(new Loki(api), stack);
  const to = BigInt(Date.parse(event.at)) * 1_000_000n;
  try {
    // Says whether there is a Loki; writing to none would be an error.
    await trail.ids({ from: to - 1_000_000n, to });
  } catch (error) {
    if (error instanceof NoLoki) return;
    throw error;
  }
  await trail.add([event]);
}

function eventOf({ at, outcome, by, message, version, update }: Happened): StackEvent {
  return {
    id: `rollback-${at.getTime()}-${update}`,
    at: at.toISOString(),
    kind: "rollback",
    result: outcome,
    who: by,
    message,
    version,
    changed: [],
    resources: {},
  };
}
