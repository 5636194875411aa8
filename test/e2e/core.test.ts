import { expect } from "chai";
import { badRelease, goodRelease, switchStrategy } from "./delivery/outcomes";
import { Platform } from "./delivery/platform";
import { call, gatewayOf, type Gateway } from "./support/gateway";
import { npm, npmOk, start } from "./support/command";
import { makeFaultyApp, removeFaultyApp } from "./support/faultyApp";
import { changed, kubectl, objectVersions } from "./support/cluster";
import { machineState } from "./support/machine";
import { query } from "./support/metrics";
import { strategies, type StrategyName } from "./support/releases";
import { withSettings } from "./support/settings";

/** The main job, on the embedded cluster: from nothing to a running service, and back to nothing. */
describe("core", function () {
  this.timeout("45m");
  // Each step stands on the one before it.
  this.bail(true);

  const before = machineState();
  let gateway: Gateway;
  let platform: Platform;

  after(async () => {
    removeFaultyApp();
    await npm("destroy", "--stack", "local", "--yes");
    await npm("cluster", "down");
  });

  it("npm start ends with the URL of a service that answers over verified TLS", async () => {
    const { output } = await npmOk("start");
    gateway = await gatewayOf("local");
    platform = await Platform.at(gateway);
    expect(output).to.include(gateway.url.href.replace(/\/$/, ""));
    expect((await call(gateway, "GET", "/healthz")).status).to.equal(200);
  });

  it("the README's first steps create a location, an item and a receipt, and read the stock back", async () => {
    const { code, output } = await start("bash", ["app/first-steps.sh"]).finished;
    expect(code, output).to.equal(0);
    expect(output).to.match(/"total": *"?25\b/);
  });

  it("a second npm start changes nothing", async () => {
    const versions = await objectVersions();
    const { output } = await npmOk("start");
    expect(output).not.to.match(/^\s+[+~-]{1,2} .*(creat|updat|delet|replac)/m);
    expect(changed(versions, await objectVersions())).to.be.empty;
  });

  it("everything that says that it can be measured is measured", async () => {
    const apps = async () => {
      const up = await query("up == 1");
      return [...new Set(up.map(({ metric }) => metric.app ?? metric.job))].sort();
    };
    const expected = ["argo-rollouts", "inventory", "prometheus", "traefik"];
    for (const end = Date.now() + 60_000; Date.now() < end && (await apps()).length < expected.length;) {
      await new Promise((wake) => setTimeout(wake, 2_000));
    }
    expect(await apps()).to.deep.equal(expected);
    expect(await query("up == 0"), "what is down").to.deep.equal([]);
    const [answered] = await query('sum(http_requests_total{app="inventory"})');
    expect(answered?.value, "requests that the service has counted").to.be.greaterThan(0);
  });

  for (const strategy of Object.keys(strategies) as StrategyName[]) {
    it(`${strategy}: a good release under 50 requests per second, and no request fails`, () =>
      goodRelease(platform, strategy));
  }

  it("a canary of which a third of the requests fail is taken back, and the update says why", async () => {
    makeFaultyApp();
    await badRelease(platform, "canary", "errors");
    await switchStrategy(platform, "canary");
  });

  it("releases are in the figures that the dashboards are made from", async () => {
    const counted = await query("sum by (outcome) (count_over_time(technova_release_duration_seconds[1h]))");
    const outcomes = Object.fromEntries(counted.map(({ metric, value }) => [metric.outcome, value]));
    expect(outcomes).to.deep.equal({ succeeded: 4, failed: 1 });
  });

  it("a setting that violates a policy is stopped in preview, up and start, before anything is applied", async () => {
    const versions = await objectVersions();
    const loadBalancer = [/service: \{ type: NodePort.*\}/, "service: { type: LoadBalancer }"] as const;
    await withSettings("local", [loadBalancer], async () => {
      for (const [script, ...args] of [["preview"], ["up", "--yes"], ["start"]] as const) {
        const { code, output } = await npm(script, ...args);
        expect(code, output).not.to.equal(0);
        expect(output)
          .to.include("no-load-balancer-services")
          .and.to.include("must be ClusterIP or NodePort");
      }
    });
    expect(changed(versions, await objectVersions())).to.be.empty;
  });

  it("destroy and cluster down leave the machine as it was", async () => {
    await npmOk("destroy", "--stack", "local", "--yes");
    const left = await kubectl("get", "namespaces", "-o", "name");
    expect(left).not.to.match(/namespace\/(inventory|gateway)/);
    await npmOk("cluster", "down");
    expect(machineState()).to.deep.equal(before);
  });
});
