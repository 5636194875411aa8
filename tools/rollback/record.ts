import type { FullApi } from "../release/api";
import { publish } from "../release/prometheus";
import { application } from "../release/read";

/** What a rollback has come to. */
export interface Happened {
  readonly stack: string;
  readonly outcome: "succeeded" | "failed";
  /** Version that was left, and the one that was gone back to. */
  readonly from: string;
  readonly version: string;
  /** Number of the update that was gone back to. */
  readonly update: number;
  readonly at: Date;
  readonly by: string;
  /** In words, for people. */
  readonly message: string;
}

/** Where it is written down who did what to the platform. */
export interface AuditTrail {
  /** @throws when it could not be written; the rollback has happened all the same */
  record(happened: Happened): Promise<void>;
}

/** One sample, for the mark in the dashboards; its value and its time are the moment. */
export async function publishRollback(api: FullApi, happened: Happened): Promise<void> {
  const labels = {
    namespace: application,
    app: application,
    environment: happened.stack,
    from: happened.from,
    version: happened.version,
    update: String(happened.update),
    outcome: happened.outcome,
  };
  await publish(api, {
    name: "technova_rollback_timestamp_seconds",
    labels,
    value: happened.at.getTime() / 1000,
    at: happened.at,
    source: "rollback",
  });
}
