import { expect } from "chai";
import { killGroup, npm, npmOk, start } from "./support/command";
import { changed, kubectl, objectVersions } from "./support/cluster";
import { call, gatewayOf } from "./support/gateway";
import { withSettings } from "./support/settings";

/** An `up` that is killed outright, at several points, and the next one that has to converge. */
describe("interrupted up", function () {
  this.timeout("30m");
  this.bail(true);

  before(() => npmOk("cluster", "up"));
  after(async () => {
    await npm("destroy", "--stack", "local", "--yes");
    await npm("cluster", "down");
  });

  const up = ["run", "--silent", "up", "--", "--stack", "local", "--yes", "--skip-preview"];

  /** Kills an `up` as soon as its output matches, and everything that it started with it. */
  async function killedWhen(pattern: RegExp): Promise<void> {
    const running = start("npm", up);
    await running.seen(pattern);
    killGroup(running);
    const { signal } = await running.finished;
    expect(signal).to.equal("SIGKILL");
  }

  async function converged(): Promise<void> {
    await npmOk("up", "--stack", "local", "--yes", "--skip-preview");
    const versions = await objectVersions();
    const again = await npmOk("up", "--stack", "local", "--yes", "--skip-preview");
    expect(again.output).to.match(/Resources:\s+\d+ unchanged/);
    expect(changed(versions, await objectVersions()), "what a further up changed").to.be.empty;
    const { stdout } = await npmOk("pulumi", "stack", "export", "--stack", "local");
    const { deployment } = JSON.parse(stdout) as { deployment: { pending_operations?: unknown[] } };
    expect(deployment.pending_operations ?? []).to.be.empty;
  }

  /** Objects of a kind by the role that begins their name: one of each, or something was made twice. */
  async function once(kind: string): Promise<void> {
    const names = (await kubectl("get", kind, "-n", "inventory", "-o", "name")).trim().split("\n");
    const roles = names.map((name) => name.replace(/-[0-9a-f]{8}$/, ""));
    expect(roles, `${kind}: ${names.join(", ")}`).to.have.lengthOf(new Set(roles).size);
  }

  it("killed among the first objects", async () => {
    await killedWhen(/Namespace .*creat/);
    expect((await kubectl("get", "namespaces", "-o", "name")).includes("namespace/")).to.be.true;
  });

  it("killed while the database starts", () => killedWhen(/StatefulSet .*creating/));

  it("the next up converges: nothing twice, nothing lost", async () => {
    await converged();
    for (const kind of [
      "statefulsets",
      "rollouts.argoproj.io",
      "services",
      "persistentvolumeclaims",
      "jobs",
    ]) {
      await once(kind);
    }
    const gateway = await gatewayOf("local");
    expect((await call(gateway, "GET", "/readyz")).status).to.equal(200);
  });

  it("killed in the middle of a release: the next up finishes it", async () => {
    await withSettings("local", [[/version: 1\.0\.0/, "version: 1.0.2"]], async () => {
      await killedWhen(/Job inventory-release-outcome-job creating/);
      await converged();
      await once("rollouts.argoproj.io");
      const gateway = await gatewayOf("local");
      expect((await call(gateway, "GET", "/healthz")).headers["x-inventory-version"]).to.equal("1.0.2");
    });
  });
});
