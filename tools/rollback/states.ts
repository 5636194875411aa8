import { differences, isMapping, type Difference } from "../history/differences";
import { applicationOf, digestOf, type Facts } from "../history/facts";
import type { SecretComparison } from "../history/secrets";
import type { Config, Update } from "../history/update";

/** One update with what its entry says. */
export interface Entry {
  readonly update: Update;
  readonly facts: Facts;
}

/** A state that the stack was in: the unit that a rollback brings back. */
export interface StackState {
  readonly config: Config;
  /** Reference of the application's image, `repository@sha256:…`; undefined where none is known. */
  readonly image?: string;
}

/** What two states differ in, as far as it is one another setting, secret or image. */
export function stateDifferences(
  before: StackState,
  after: StackState,
  project: string,
  secrets: SecretComparison,
): Difference[] {
  const settings = differences(comparable(before, project), comparable(after, project), secrets);
  const [one, other] = [digestOf(before.image), digestOf(after.image)];
  if (one === other || one === undefined || other === undefined) return settings;
  return [
    ...settings,
    { path: "application image", kind: "changed", before: short(one), after: short(other) },
  ];
}

/**
 * The configuration without what says the same in several ways. An image that is built is also one with a digest once
 * it is there; how the schema was brought down is no part of the state that it was brought down for.
 */
function comparable({ config, image }: StackState, project: string): Config {
  const key = `${project}:application`;
  const application = withoutDowngrade(applicationOf(config, project));
  if (digestOf(image) === undefined || config[key] === undefined) return { ...config, [key]: application };
  return { ...config, [key]: without(application, "image") };
}

/** The application's settings without `migration.downgrade`. */
export function withoutDowngrade(application: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (!isMapping(application.migration)) return { ...application };
  const migration = without(application.migration, "downgrade");
  return Object.keys(migration).length === 0
    ? without(application, "migration")
    : { ...application, migration };
}

function without(fields: Readonly<Record<string, unknown>>, name: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([key]) => key !== name));
}

/** The first twelve digits of a digest, as the lists show it. */
export function short(digest: string): string {
  return digest.slice("sha256:".length, "sha256:".length + 12);
}

/** One line that says which update is meant. */
export function describeUpdate({ update, facts }: Entry, image?: string): string {
  const digest = facts.digest ?? digestOf(image);
  const parts = [
    facts.version === undefined ? [] : [`version ${facts.version}`],
    digest === undefined ? [] : [`image ${short(digest)}`],
    facts.schemaRevision === undefined ? [] : [`schema ${facts.schemaRevision}`],
  ].flat();
  const when = update.endedAt.toISOString().slice(0, 16).replace("T", " ");
  return `update ${update.number} of ${when} UTC${parts.length === 0 ? "" : ` (${parts.join(", ")})`}`;
}
