import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { network } from "../../tools/cluster/network";
import { S3Store } from "../support/s3Store";
import { kubectl } from "./support/cluster";
import { checkout, npmOk, npm } from "./support/command";
import { sql } from "./support/database";
import { record } from "./support/figures";
import { gatewayOf } from "./support/gateway";
import { createSubject, startLoad } from "./support/load";
import { subject } from "./support/releases";
import { LocalSettings } from "./rollback/localSettings";

const secretName = "inventory-backup";
const archiveTimeoutSeconds = 10;

/**
 * Everything is lost but the repository, the passphrase, a state archive and the bucket: cluster and backend are
 * deleted, and come back with every write that was acknowledged before the last segment of the log was shipped.
 */
describe("recovery", function () {
  this.timeout("60m");
  this.bail(true);

  const settings = new LocalSettings();
  const state = join(checkout, ".pulumi-state");
  const kept = mkdtempSync(join(tmpdir(), "recovery-test-"));
  let store: S3Store;
  /** Units that there were when the log was shipped, and when the dump was made. */
  let shipped = 0;
  let dumped = 0;
  /** When nothing was written, between the two. */
  let quiet = "";

  before(async () => {
    store = await S3Store.start(network.hostAddress);
    Object.assign(process.env, S3Store.credentials);
    await npmOk("cluster", "up");
    await npmOk("up", "--stack", "local", "--yes", "--skip-preview");
    // The namespace is there now, and the Secret that the next update needs goes into it as a person would put it.
    const keys = ["--from-literal=access_key_id=test", "--from-literal=secret_access_key=test"];
    await kubectl("create", "secret", "generic", secretName, "-n", "inventory", ...keys);
    settings.edit(
      /( +)(type: inCluster\n +storage: 1Gi\n)/,
      `$1$2    backup:
      store:
        bucket: backups
        prefix: local
        region: us-east-1
        endpoint: ${store.endpoint}
        existingSecret: ${secretName}
        cidrs: [${network.hostAddress}/32]
      schedule: "17 1 * * *"
      walArchiving: { archiveTimeoutSeconds: ${archiveTimeoutSeconds} }
`,
    );
    await npmOk("up", "--stack", "local", "--yes", "--skip-preview");
  });
  after(async () => {
    settings.restore();
    rmSync(kept, { recursive: true, force: true });
    for (const name of Object.keys(S3Store.credentials)) Reflect.deleteProperty(process.env, name);
    await npm("destroy", "--stack", "local", "--yes");
    await npm("cluster", "down");
    await store?.stop();
  });

  async function runNow(cronJob: string): Promise<void> {
    const name = `${cronJob}-now`;
    await kubectl("create", "job", "-n", "inventory", name, `--from=cronjob/${cronJob}`);
    await kubectl("wait", `job/${name}`, "-n", "inventory", "--for=condition=Complete", "--timeout=5m");
    await kubectl("delete", "job", "-n", "inventory", name);
  }

  /** Units that there are after so many seconds under load: those acknowledged, and what was cut off on its way back. */
  async function booked(seconds: number): Promise<number> {
    const before = await units();
    const gateway = await gatewayOf("local");
    await createSubject(gateway, subject);
    const load = startLoad(gateway, { subject, rate: 50, maxSeconds: seconds + 30 });
    await sleep(seconds * 1_000);
    const { acknowledgedUnits, failed } = await load.stop();
    expect(failed).to.equal(0);
    const after = await units();
    expect(after).to.be.within(before + acknowledgedUnits, before + acknowledgedUnits + 10);
    return after;
  }

  const units = async (): Promise<number> =>
    Number((await sql("SELECT coalesce(sum(quantity), 0)::bigint FROM movements WHERE kind = 'receipt'"))[0]);

  /** What is left of a stack after the worst: what `kept` has, and the repository. */
  async function loseEverything(): Promise<void> {
    await npmOk("cluster", "down");
    rmSync(state, { recursive: true, force: true });
    cpSync(join(kept, "passphrase"), join(state, "passphrase"));
    await npmOk("cluster", "up");
  }

  async function recovered(scenario: string, ...flags: string[]): Promise<void> {
    const began = Date.now();
    const { output } = await npmOk("recover", "--stack", "local", "--yes", "--state", kept, ...flags);
    const took = /^took +(.*)$/m.exec(output)?.[1] ?? output;
    const upTo = /^data up to +(\S+)/m.exec(output)?.[1] ?? "unknown";
    record({
      scenario,
      measured: `${Math.round((Date.now() - began) / 1000)} s in all (${took}), data up to ${upTo}`,
      toReach: "every acknowledged write that was shipped",
    });
  }

  it("has backups, a log that is shipped, and an archive of the state", async () => {
    await runNow("inventory-base-backup");
    dumped = await booked(10);
    await runNow("inventory-backup");
    quiet = new Date().toISOString();
    shipped = await booked(20);
    // Of these seconds nothing more is written, and the log is shipped.
    await sleep((archiveTimeoutSeconds + 20) * 1_000);
    await npmOk("state", "backup", "--stack", "local", "--out", kept);
    cpSync(join(state, "passphrase"), join(kept, "passphrase"));
    const { stdout } = await npmOk("recover", "--stack", "local", "--list", "--state", kept);
    expect(stdout).to.match(/dumps .*: 1\n {2}inventory-/);
    expect(stdout).to.match(/any time until .*, [1-9]\d* segments/);
  });

  it("brings back every acknowledged write that the log had, and the stack is an ordinary one", async () => {
    const before = readFileSync(join(checkout, "Pulumi.local.yaml"), "utf8");
    await loseEverything();
    await recovered("from the log, after cluster and backend were deleted");
    expect(await units()).to.equal(shipped);
    expect(readFileSync(join(checkout, "Pulumi.local.yaml"), "utf8")).to.equal(before);
    await npmOk("pulumi", "preview", "--stack", "local", "--expect-no-changes");
    await booked(5);
  });

  it("brings back what there was at a moment, where that is asked for", async () => {
    await loseEverything();
    await recovered("to a moment, after cluster and backend were deleted", "--snapshot", quiet);
    expect(await units()).to.equal(dumped);
  });

  it("brings back the newest dump, where that is asked for", async () => {
    await loseEverything();
    await recovered(
      "from the newest dump, after cluster and backend were deleted",
      "--snapshot",
      "latest-dump",
    );
    expect(await units()).to.equal(dumped);
    await npmOk("pulumi", "preview", "--stack", "local", "--expect-no-changes");
  });

  it("refuses a cluster that has the platform already, and leaves it alone", async () => {
    const away = join(kept, "state");
    cpSync(state, away, { recursive: true });
    rmSync(join(state, ".pulumi"), { recursive: true, force: true });
    const refused = await npm("recover", "--stack", "local", "--yes", "--state", kept);
    expect(refused.code).to.equal(1);
    expect(refused.output).to.match(/cluster is not empty: it has gateway, inventory/);
    cpSync(away, state, { recursive: true });
  });
});
