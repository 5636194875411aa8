import { z } from "zod";
import { choice, section } from "./field";
import { releasedImage } from "./image";
import { oneIdentity, storeShape } from "./store";
import { dnsLabel, flag, storage, text, wholeNumber, word } from "./values";

const kept = {
  /** Snapshots that are kept; the oldest beyond them are removed once a newer one is safe. */
  retain: wholeNumber(1, 1000).default(10),
  /** `schemaChange`: not where the database is at the release's revision already. */
  when: word("schemaChange", "always").default("schemaChange"),
};

const volume = section({
  type: z.literal("volume"),
  /** Room for `retain` snapshots; each is smaller than the database. */
  storage: storage().default("5Gi"),
  /** The cluster's default class if left out. */
  storageClassName: dnsLabel().optional(),
  ...kept,
});

const s3 = section({
  type: z.literal("s3"),
  ...storeShape,
  ...kept,
}).refine(...oneIdentity);

const none = section({
  type: z.literal("none"),
  /** Why a failed release may lose data here. */
  reason: text("a sentence of 10 to 200 characters that says why none is needed", /^.{10,200}$/, 200),
});

/** Goes back to an older revision once the older version serves. */
const downgrade = section({
  /** The revision to go back to. */
  to: text('the four digits of a schema migration in quotes, such as "0003"', /^\d{4}$/),
  /** The build that made the newer revision: only it knows how to undo it. */
  image: releasedImage(),
  /** Whether what newer tables and columns hold may be lost; the downgrade is refused where it may not and would be. */
  allowDataLoss: flag().default(false),
});

export const migrationSchema = section({
  /** How long a migration may take before it counts as failed. */
  timeoutSeconds: wholeNumber(10, 86_400).default(600),
  retries: wholeNumber(0, 10).default(2),
  /** What is kept of the database before its schema changes; a volume if left out and the database is the platform's. */
  snapshot: choice("type", [volume, s3, none]).optional(),
  downgrade: downgrade.optional(),
});

export type SnapshotSettings = z.infer<typeof volume> | z.infer<typeof s3> | z.infer<typeof none>;
export type StoredSnapshots = Exclude<SnapshotSettings, { type: "none" }>;
export type DowngradeSettings = z.infer<typeof downgrade>;

interface Schema {
  readonly schemaRevision: string;
  readonly database: { readonly type: "inCluster" | "external" };
  readonly migration: z.infer<typeof migrationSchema>;
}

/** What the migration's settings and the others have to agree on. */
export function checkMigration(application: Schema, context: z.core.$RefinementCtx): void {
  const { snapshot, downgrade: back } = application.migration;
  const problem = (path: string[], message: string) =>
    context.addIssue({ code: "custom", path: ["migration", ...path], message });
  if (snapshot === undefined && application.database.type === "external") {
    problem(
      ["snapshot"],
      'an object with type "volume", "s3" or "none": where snapshots of an external database belong is not known',
    );
  }
  if (back !== undefined && back.to !== application.schemaRevision) {
    problem(
      ["downgrade", "to"],
      `schemaRevision, which is "${application.schemaRevision}": else Pods would wait for a schema that is not there`,
    );
  }
}

/** The same with the snapshots that are the default. */
export function withSnapshot<T extends Schema>(application: T) {
  const snapshot: SnapshotSettings = application.migration.snapshot ?? volume.parse({ type: "volume" });
  return { ...application, migration: { ...application.migration, snapshot } };
}
