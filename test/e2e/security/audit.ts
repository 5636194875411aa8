import { expect } from "chai";
import { kubectl } from "../support/cluster";
import { npmOk } from "../support/command";

/** Switches the trail on in a copy of the local stack's settings. */
export const auditEdit = [
  /( +)(prometheus:\n)/,
  "$1alertmanager: { storage: 64Mi }\n" +
    "$1logs: { storage: 1Gi, retentionDays: 7, auditLogFolder: /var/log/technova }\n$1$2",
] as const;

interface Listed {
  readonly entries: readonly { time: string; source: string; who: string; what: string; result: string }[];
}

const within = 60_000;
const name = "e2e-audit";

/** A change by somebody with a name and an `up` are found within a minute, with who, what and when. */
export async function changesAreFound(): Promise<void> {
  const began = Date.now();
  const identity = ["--as", "e2e:alice", "--as-group", "system:masters"];
  await kubectl(...identity, "-n", "default", "create", "configmap", name);
  try {
    const [change] = await found(began, "--who", "e2e:alice", "--what", name);
    expect(change).to.deep.include({
      source: "kubernetes",
      who: "e2e:alice (through technova-admin)",
      result: "done",
    });
    expect(change?.what).to.equal(`create configmaps/${name} in default`);
    expect(Date.parse(change?.time ?? "")).to.be.within(began - 5_000, Date.now());
  } finally {
    await kubectl("-n", "default", "delete", "configmap", name);
  }
}

/** The suite's own `up` is in the trail; so is what it did to the cluster. */
export async function updatesAreFound(): Promise<void> {
  const [update] = await found(Date.now(), "--source", "stack");
  expect(update?.what).to.match(/^update: .*version 1\.0\.0/);
  expect(update?.result).to.equal("done");
  const [request] = await found(
    Date.now(),
    "--source",
    "kubernetes",
    "--what",
    "rollouts.argoproj.io/inventory",
  );
  expect(request?.who).to.equal("technova-admin");
}

async function found(since: number, ...args: string[]): Promise<Listed["entries"]> {
  for (;;) {
    const { stdout } = await npmOk("audit", "--stack", "local", "--since", "1h", "--json", ...args);
    const { entries } = JSON.parse(stdout) as Listed;
    if (entries.length > 0 || Date.now() - since > within) return entries;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}
