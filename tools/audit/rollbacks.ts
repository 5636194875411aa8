import type { AuditTrail, Happened } from "../rollback/record";
import type { FullApi } from "../release/api";
import { Loki, NoLoki } from "./loki";
import { StackTrail, type StackEvent } from "./trail";

/** Writes rollbacks into the trail of their stack; where it has none there is nothing to write. */
export function trailOfRollbacks(connect: () => Promise<FullApi>): AuditTrail {
  return {
    async record(happened) {
      const trail = new StackTrail(new Loki(await connect()), happened.stack);
      const [from, to] = [happened.at.getTime() - 1, happened.at.getTime()];
      try {
        // Says whether there is a Loki; writing to none would be an error.
        await trail.ids({ from: BigInt(from) * 1_000_000n, to: BigInt(to) * 1_000_000n });
      } catch (error) {
        if (error instanceof NoLoki) return;
        throw error;
      }
      await trail.add([eventOf(happened)]);
    },
  };
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
