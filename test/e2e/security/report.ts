import { expect } from "chai";
import { kubectl } from "../support/cluster";
import { npm } from "../support/command";

interface Control {
  readonly id: string;
  readonly verdict: string;
  readonly details: readonly string[];
}

/**
 * Each defence that the stack wants holds where it runs, or has its exception; one that is taken away is missed, and
 * no other.
 */
export async function controlsHold(): Promise<void> {
  const { code, controls } = await report();
  const failing = controls.filter(({ verdict }) => verdict === "fails" || verdict === "unknown");
  expect(failing, JSON.stringify(failing, undefined, 2)).to.deep.equal([]);
  expect(code).to.equal(0);
  const infrastructure = ["admission-denies", "secrets-are-encrypted-at-rest", "audit-log-arrives"];
  for (const id of [...infrastructure, "events-are-received", "secrets-are-sealed"]) {
    expect(controls.find((each) => each.id === id)?.verdict, id).to.equal("holds");
  }

  const enforced = "pod-security.kubernetes.io/enforce";
  await kubectl("label", "namespace", "gateway", "--overwrite", `${enforced}=privileged`);
  try {
    const weaker = await report();
    expect(weaker.code).to.equal(1);
    const fails = weaker.controls.filter(({ verdict }) => verdict === "fails").map(({ id }) => id);
    expect(fails).to.deep.equal(["namespaces-hold-a-standard"]);
  } finally {
    await kubectl("label", "namespace", "gateway", "--overwrite", `${enforced}=restricted`);
  }
}

async function report(): Promise<{ code: number | null; controls: readonly Control[] }> {
  const { code, stdout, output } = await npm("security", "report", "--stack", "local", "--json");
  expect(code, output).to.be.oneOf([0, 1]);
  return { code, ...(JSON.parse(stdout) as { controls: readonly Control[] }) };
}
