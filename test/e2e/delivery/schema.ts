import { expect } from "chai";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkout } from "../support/command";
import { dumpDatabase, emptyDatabase, restoreIntoEmpty, snapshotNames, sql } from "../support/database";
import { faultyContext } from "../support/faultyApp";
import { record } from "../support/figures";
import { kubectl } from "../support/cluster";
import { release, strategies, underLoad, unmeasured } from "../support/releases";
import { rollout, type Platform } from "./platform";

/** Writes a schema migration into the faulty application. @param removed what its downgrade removes */
export function addMigration(
  revision: string,
  upgrade: string,
  downgrade: string,
  compatibleFrom: string,
  removed = "",
): void {
  const before = String(Number(revision) - 1).padStart(4, "0");
  writeFileSync(
    join(checkout, faultyContext, `src/inventory/migrations/versions/${revision}_test.py`),
    `"""Only for tests."""

from alembic import op

from inventory.migrations.revisions import record_revision

revision = "${revision}"
down_revision = "${before}"
branch_labels = None
depends_on = None
compatible_from = "${compatibleFrom}"
removed_on_downgrade = (${removed})


def upgrade() -> None:
${upgrade}
    record_revision(revision, compatible_from=compatible_from)


def downgrade() -> None:
${downgrade}
`,
  );
}

const withSchema = (revision: string) =>
  [
    [/schemaRevision: "0004"/, `schemaRevision: "${revision}"`],
    [/(\n\s+)(snapshot: \{ type: volume)/, "$1retries: 0$1$2"],
    [/context: app/, `context: ${faultyContext}`],
  ] as const;

export const add = '    op.execute("ALTER TABLE items ADD COLUMN test_note text")';
export const drop = '    op.execute("ALTER TABLE items DROP COLUMN test_note")';

/** A migration that fails half-way: the release stops, and the database is as it was. */
export async function failingMigration(platform: Platform): Promise<void> {
  const { serving } = platform;
  addMigration("0005", `${add}\n    op.execute("UPDATE items SET test_note = 1 / 0")`, drop, "0001");
  const before = await dumpDatabase();
  const version = platform.nextVersion();
  const pods = await rollout("{.status.currentPodHash}");
  const { code, output } = await release({
    version,
    strategy: strategies.rolling,
    edits: withSchema("0005"),
  });
  expect(code, output).not.to.equal(0);
  expect(output).to.match(/division by zero/);
  expect(await dumpDatabase()).to.equal(before);
  expect(await rollout("{.status.currentPodHash}")).to.equal(pods);
  expect(await platform.answering()).to.deep.equal([serving]);
  record({
    scenario: "a migration fails",
    measured: `schema and data as before, ${serving} serves`,
    toReach: "no difference",
  });
}

/** One that can be undone: both versions work on the new schema, no request fails, and what was kept is the same. */
export async function expand(platform: Platform): Promise<void> {
  addMigration("0005", add, drop, "0001");
  const before = await dumpDatabase();
  const version = platform.nextVersion();
  // Without load: the snapshot is held against the database as it was.
  const result = await release({ version, strategy: unmeasured, edits: withSchema("0005") });
  platform.succeeded(version, result);
  expect(await sql("SELECT version_num FROM alembic_version")).to.deep.equal(["0005"]);

  const names = await snapshotNames();
  const after = await dumpDatabase();
  expect(after).not.to.equal(before);
  await kubectl("scale", "rollout", "inventory", "-n", "inventory", "--replicas=0");
  await emptyDatabase();
  const told = await restoreIntoEmpty(names.at(-1) ?? "none");
  expect(await dumpDatabase(), told).to.equal(before);
  record({
    scenario: "a snapshot is restored",
    measured: `${names.at(-1)} equals the database it was taken of`,
    toReach: "no difference",
  });
  // The version that serves needs the schema of its release: the same migration again, by hand as by the Job.
  await sql("ALTER TABLE items ADD COLUMN test_note text");
  await sql("UPDATE alembic_version SET version_num = '0005'");
  await sql("INSERT INTO schema_revisions (revision, compatible_from) VALUES ('0005', '0001')");
  await kubectl("scale", "rollout", "inventory", "-n", "inventory", "--replicas=2");
}

/** A contract is refused as long as a version can come back that needs what it takes away. */
export async function contract(platform: Platform): Promise<void> {
  const edits = withSchema("0006");
  addMigration("0006", drop, add, "0005");
  const before = await dumpDatabase();
  const refused = await release({ version: platform.nextVersion(), strategy: strategies.rolling, edits });
  expect(refused.code, refused.output).not.to.equal(0);
  expect(refused.output).to.match(/0006.*0004|0004.*0006/s);
  expect(await dumpDatabase()).to.equal(before);

  // Once a release that needs 0005 has followed the first one, none that needs 0004 can come back.
  for (const revision of ["0005", "0006"]) {
    const version = platform.nextVersion();
    const { result, report } = await underLoad(platform.gateway, () =>
      release({ version, strategy: unmeasured, edits: withSchema(revision) }),
    );
    platform.succeeded(version, result);
    expect(report.failed, JSON.stringify({ ...report, answers: undefined })).to.equal(0);
  }
  expect(await sql("SELECT version_num FROM alembic_version")).to.deep.equal(["0006"]);
  record({
    scenario: "a contract migration",
    measured: "refused while 0004 could come back, done after the next release",
  });
}
