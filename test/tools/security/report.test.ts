import { expect } from "chai";
import { controls } from "../../../tools/security/controls";
import { toHtml } from "../../../tools/security/html";
import { exitCodeOf, render, toJson } from "../../../tools/security/render";
import { World } from "./world";

const all = Object.values(controls).flat();

describe("npm run security -- report", () => {
  it("has controls of every layer, each with a name of its own, and all that a reader needs", () => {
    expect(Object.keys(controls)).to.deep.equal(["code", "container", "infrastructure", "pipeline"]);
    expect(new Set(all.map(({ id }) => id)).size).to.equal(all.length);
    for (const { id, title, against, where } of all) {
      expect(id).to.match(/^[a-z]+(-[a-z]+)+$/);
      for (const text of [title, against, where]) expect(text, id).to.have.length.above(8);
    }
  });

  it("finds that all holds where all is as it should be; an exception is shown as one", async () => {
    const judged = await new World().judged();
    const others = judged.filter(({ verdict }) => verdict !== "holds");
    expect(others.map(({ control, verdict, evidence, details }) => [control.id, verdict, evidence, details]))
      .to.have.length(2)
      .and.to.satisfy((found: [string, string][]) =>
        found.every(([id, verdict]) =>
          id === "images-are-signed"
            ? verdict === "excepted"
            : id === "builds-hold-no-secret" && verdict === "off",
        ),
      );
  });

  it("knows nothing of a cluster that does not answer, and does not say that it holds", async () => {
    const world = new World();
    world.reachable = false;
    const evidence = world.evidence();
    const judged = await world.judged();
    const unknown = judged.filter(({ verdict }) => verdict === "unknown");
    expect(unknown.length).to.be.above(20);
    for (const each of unknown) expect(each.evidence).to.equal("the cluster does not answer");
    const holding = judged.filter(({ verdict }) => verdict === "holds").map(({ layer }) => layer);
    expect(holding).not.to.include("container");
    const report = { stack: "production", at: "", judged };
    expect(exitCodeOf(report, evidence.unread)).to.equal(2);
  });

  it("knows nothing of GitHub without a token, or with one that it refuses", async () => {
    for (const [token, reason] of [
      [undefined, /GITHUB_TOKEN is not set$/],
      ["another", /GitHub refuses it \(401\)/],
    ] as const) {
      const world = new World();
      world.token = token;
      const pipeline = (await world.judged()).filter(({ evidence }) =>
        evidence.includes("what GitHub has is not known"),
      );
      expect(pipeline).to.have.length(10);
      for (const { verdict, evidence } of pipeline) {
        expect(verdict).to.equal("unknown");
        expect(evidence).to.match(reason);
      }
    }
  });

  it("has one verdict for a part of the cluster that may not be read, and goes on", async () => {
    const world = new World();
    const { ApiError } = await import("../../../tools/plugins/kubernetes/cluster/errors");
    world.broken.set(
      "/api/v1/namespaces/falco/resourcequotas",
      new ApiError(403, "Forbidden", "quotas are not yours"),
    );
    const judged = await world.judged();
    const [unknown, ...more] = judged.filter(({ verdict }) => verdict === "unknown");
    expect(more).to.deep.equal([]);
    expect(unknown?.control.id).to.equal("namespaces-are-bounded");
    expect(unknown?.evidence).to.contain("quotas are not yours");
  });

  it("ends with 1 when something fails, else with 0", async () => {
    const world = new World();
    const good = { stack: "production", at: "", judged: await world.judged() };
    expect(exitCodeOf(good, false)).to.equal(0);
    world.auditLines = 0;
    const bad = { stack: "production", at: "", judged: await world.judged() };
    expect(exitCodeOf(bad, false)).to.equal(1);
    expect(exitCodeOf(bad, true)).to.equal(1);
  });

  it("says for people, for programs and on a page what fails, why, and what enforces it", async () => {
    const world = new World();
    (world.find("Pod", "web-x1") as { metadata: { name: string } }).metadata.name = "<b>web</b>";
    (world.find("Pod", "<b>web</b>") as { spec: { securityContext: unknown } }).spec.securityContext = {
      appArmorProfile: { type: "RuntimeDefault" },
      runAsUser: 0,
    };
    const found = { stack: "production", at: "2026-11-25T08:00:00Z", judged: await world.judged() };
    const text = render(found);
    expect(text).to.contain("✗ fails     pods-are-not-root: No container runs as root");
    expect(text).to.contain("Pod inventory/<b>web</b>: spec.securityContext.runAsUser is 0");
    expect(text).to.match(/production: \d+ of \d+ hold, 1 fails, 1 excepted, 1 off$/);
    const json = JSON.parse(toJson(found)) as { controls: { id: string; verdict: string; layer: string }[] };
    expect(json.controls).to.have.length(all.length);
    expect(json.controls.find(({ id }) => id === "pods-are-not-root")).to.include({
      verdict: "fails",
      layer: "container",
    });
    const page = toHtml(found);
    expect(page).to.contain("Pod inventory/&lt;b&gt;web&lt;/b&gt;").and.not.to.contain("<b>");
    expect(page).to.contain('<span class="fails">fails</span>');
  });
});
