import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { kubectl } from "./support/cluster";
import { checkout, npm, npmOk } from "./support/command";
import { call, gatewayOf, type Gateway } from "./support/gateway";
import { createSubject, startLoad } from "./support/load";
import { withSettings } from "./support/settings";

/** Releases that watch themselves, under traffic. */
describe("delivery", function () {
  this.timeout("40m");
  this.bail(true);

  const subject = { sku: "E2E-0001", location: "E2E" };
  let gateway: Gateway;

  const canary = `
    strategy:
      type: canary
      steps: [{ setWeightPercent: 10 }, { pauseSeconds: 30 }, { setWeightPercent: 50 }, { pauseSeconds: 20 }]
      minReadySeconds: 2
      progressDeadlineSeconds: 120
      analysis: { intervalSeconds: 5, windowSeconds: 15, minimumRequests: 10 }`;
  type Edit = readonly [RegExp, string];
  const withCanary: Edit = [/(autoscaling: \{ maxReplicas: 3 \})/, `$1${canary}`];
  const release = (version: string): Edit => [/version: 1\.0\.0/, `version: ${version}`];

  const up = (...edits: Edit[]) =>
    withSettings("local", [withCanary, ...edits], () =>
      npm("up", "--stack", "local", "--yes", "--skip-preview"),
    );

  before(async () => {
    await npmOk("cluster", "up");
    const first = await up();
    expect(first.code, first.output).to.equal(0);
    gateway = await gatewayOf("local");
    await createSubject(gateway, subject);
  });

  after(async () => {
    rmSync(join(checkout, "dist/faulty-app"), { recursive: true, force: true });
    await npm("destroy", "--stack", "local", "--yes");
    await npm("cluster", "down");
  });

  const serving = async () => (await call(gateway, "GET", "/healthz")).headers["x-inventory-version"];

  it("a good canary gets all of the traffic step by step, and no request fails", async () => {
    const load = startLoad(gateway, { subject, rate: 50, maxSeconds: 900 });
    const { code, output, seconds } = await up(release("1.0.1"));
    const report = await load.stop();
    console.log(`      ${seconds.toFixed(0)} s ${JSON.stringify(report)}`);
    expect(code, output).to.equal(0);
    expect(report.failed, JSON.stringify(report)).to.equal(0);
    expect(Object.keys(report.versions)).to.have.members(["1.0.0", "1.0.1"]);
    expect(await serving()).to.equal("1.0.1");
    const stock = await call(gateway, "GET", `/api/v1/items/${subject.sku}/stock`);
    const { total } = JSON.parse(stock.text) as { total: string };
    expect(Number(total)).to.be.within(report.acknowledgedUnits, report.acknowledgedUnits + 10);
  });

  it("a canary of which a third of the requests fail is taken back, and the update says why", async () => {
    const faulty = join(checkout, "dist/faulty-app");
    cpSync(join(checkout, "app"), faulty, {
      recursive: true,
      filter: (path) => !/\/(\.venv|tests)$/.test(path),
    });
    const main = join(faulty, "src/inventory/main.py");
    const inside = "    app.add_middleware(\n        RequestMiddleware";
    const text = readFileSync(main, "utf8");
    expect(text).to.contain(inside);
    writeFileSync(main, text.replace(inside, `${FAULTS}\n${inside}`));

    const load = startLoad(gateway, { subject, rate: 50, maxSeconds: 900 });
    const { code, output, seconds } = await up(release("1.0.2"), [
      /context: app/,
      "context: dist/faulty-app",
    ]);
    const report = await load.stop();
    console.log(`      ${seconds.toFixed(0)} s ${JSON.stringify(report)}`);
    expect(code, output).not.to.equal(0);
    expect(output).to.match(
      /The release did not go through \(canary, step \d of 5\): .*error-percent was \d+/,
    );
    expect(output).to.contain("Version 1.0.1 serves all requests.");
    expect(report.statuses[500], "requests that the faulty version answered").to.be.greaterThan(0);
    const versions = await Promise.all(Array.from({ length: 40 }, serving));
    expect(new Set(versions)).to.deep.equal(new Set(["1.0.1"]));
  });

  it("the version before comes back with the settings before, without a release", async () => {
    const { code, output } = await up(release("1.0.1"));
    expect(code, output).to.equal(0);
    expect(await serving()).to.equal("1.0.1");
    const phase = ["get", "rollout", "inventory", "-n", "inventory", "-o", "jsonpath={.status.phase}"];
    expect(await kubectl(...phase)).to.equal("Healthy");
  });
});

const FAULTS = `
    import random

    from starlette.responses import JSONResponse

    @app.middleware("http")
    async def faults(request, call_next):
        if request.url.path.startswith("/api") and random.random() < 0.3:
            return JSONResponse({"fault": True}, status_code=500)
        return await call_next(request)
`;
