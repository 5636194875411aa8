import { expect } from "chai";
import { strategySchema, type CanarySettings } from "../../../components/config/strategy";
import { longest } from "../../../components/delivery/canary";
import { application } from "../../support/application";
import { at, types } from "../../support/components";
import type { JsonObject, Recording } from "../../support/mocks";

async function strategyOf(
  strategy: JsonObject,
): Promise<Recording<unknown> & { spec: unknown; steps: JsonObject[] }> {
  const recording = await application({ strategy });
  const spec = at(recording.one(types.rollout, "inventory-release-rollout").inputs, "spec", "strategy");
  const canary = (spec as { canary?: { steps?: JsonObject[] } }).canary;
  return { ...recording, spec, steps: canary?.steps ?? [] };
}

/** What a template asks, by its name in the cluster. */
function metricsOf({ all }: Recording<unknown>, templateName: unknown): JsonObject[] {
  const template = all(types.analysisTemplate).find(({ name }) => `${name}-1a2b3c4d` === templateName);
  return at(template?.inputs, "spec", "metrics") as JsonObject[];
}

const command = (metrics: JsonObject[]) =>
  at(metrics[0], "provider", "job", "spec", "template", "spec", "containers", 0, "command");

describe("a rolling release", () => {
  it("tries a Pod out that no user reaches, before any other is exchanged", async () => {
    const { spec, steps, ...recording } = await strategyOf({
      type: "rolling",
      maxSurge: "25%",
      smokeTest: { write: false, rounds: 2 },
    });
    expect(spec).to.have.nested.property("canary.maxSurge", "25%");
    expect(steps).to.have.length(1);
    const trial = at(steps[0], "experiment", "templates", 0);
    const service = recording.one(types.service, "inventory-strategy-service");
    const selector = at(service.inputs, "spec", "selector") as JsonObject;
    // The label that the Service asks for is another one on the Pod that is tried out.
    const labels = at(trial, "metadata", "labels") as JsonObject;
    expect(
      Object.entries(labels).some(([key, value]) => key in selector && selector[key] !== value),
    ).to.equal(true);
    const metrics = metricsOf(recording, at(steps[0], "experiment", "analyses", 0, "templateName"));
    expect(command(metrics)).to.include("--rounds=2").and.not.to.include("--write");
  });

  it("with an analysis lets one Pod serve for a window and asks before the others follow", async () => {
    const { steps, spec, ...recording } = await strategyOf({
      type: "rolling",
      analysis: { windowSeconds: 40 },
    });
    expect(steps.slice(1, 3)).to.deep.equal([{ setWeight: 1 }, { pause: { duration: "40s" } }]);
    const last = metricsOf(recording, at(steps[3], "analysis", "templates", 0, "templateName"));
    // Nothing but answers ends it well: however many questions there are, so many have to be answered in a row.
    for (const { name, consecutiveSuccessLimit, count, inconclusiveLimit, failureLimit } of last) {
      expect(consecutiveSuccessLimit, String(name)).to.be.greaterThan(0);
      // The controller wants a last question, after all the answers that are borne.
      expect(count).to.be.at.least(
        Number(inconclusiveLimit) + Number(failureLimit) + Number(consecutiveSuccessLimit),
      );
    }
    expect(at(spec, "canary", "analysis", "startingStep")).to.equal(2);
  });
});

describe("a blue-green release", () => {
  it("is smoke-tested complete, switched at once, and measured afterwards", async () => {
    const { spec, ...recording } = await strategyOf({ type: "blueGreen", scaleDownDelaySeconds: 90 });
    expect(at(spec, "blueGreen")).to.deep.include({
      activeService: "inventory-stable",
      previewService: "inventory-preview",
      autoPromotionEnabled: true,
      scaleDownDelaySeconds: 90,
    });
    const before = at(spec, "blueGreen", "prePromotionAnalysis");
    expect(at(before, "args", 0, "value")).to.equal("http://inventory-preview");
    expect(command(metricsOf(recording, at(before, "templates", 0, "templateName")))).to.include("--write");
    const after = metricsOf(
      recording,
      at(spec, "blueGreen", "postPromotionAnalysis", "templates", 0, "templateName"),
    );
    for (const { name, count, inconclusiveLimit } of after) {
      // Were all answers unknown, they would be more than are borne.
      expect(Number(count), String(name)).to.be.greaterThan(Number(inconclusiveLimit));
    }
  });

  it("waits for somebody where that is wanted", async () => {
    const { spec } = await strategyOf({ type: "blueGreen", autoPromotionEnabled: false });
    expect(at(spec, "blueGreen", "autoPromotionEnabled")).to.equal(false);
  });
});

describe("a canary", () => {
  it("begins with a tenth of the traffic, and never ends without a last question", async () => {
    const { steps, spec } = await strategyOf({ type: "canary" });
    expect(steps.slice(0, 2)).to.deep.equal([{ setWeight: 10 }, { pause: { duration: "120s" } }]);
    expect(steps.at(-1)).to.have.nested.property("analysis.templates[0].templateName");
    expect(at(spec, "canary", "analysis", "startingStep")).to.equal(1);
  });

  it("gets no more traffic before what it has been measured by is answered", async () => {
    const { steps } = await strategyOf({
      type: "canary",
      steps: [
        { setWeightPercent: 10 },
        { pauseSeconds: 5 },
        { setWeightPercent: 30 },
        { setWeightPercent: 60 },
      ],
    });
    const weights = steps.flatMap((step, index) => ("setWeight" in step ? [index] : []));
    expect(weights).to.have.length(3);
    for (const index of weights.slice(1)) expect(steps[index - 1]).to.have.property("analysis");
    expect(steps.at(-1)).to.have.property("analysis");
  });

  it("waits for a silent Prometheus no longer than until the next question, and for half a minute at most", async () => {
    for (const [intervalSeconds, timeout] of [
      [5, 5],
      [60, 30],
    ] as const) {
      const analysis = { intervalSeconds, windowSeconds: 60 };
      const { steps, ...recording } = await strategyOf({ type: "canary", analysis });
      const last = metricsOf(recording, at(steps.at(-1), "analysis", "templates", 0, "templateName"));
      expect(last.map(({ provider }) => at(provider, "prometheus", "timeout"))).to.deep.equal(
        last.map(() => timeout),
      );
    }
  });

  it("is told to testers by a header, and to everyone else by weights", async () => {
    const { one } = await strategyOf({ type: "canary" });
    const [everyone, testers] = at(
      one(types.httpRoute, "inventory-route").inputs,
      "spec",
      "rules",
    ) as object[];
    expect(at(everyone, "backendRefs")).to.deep.equal([
      { group: "traefik.io", kind: "TraefikService", name: "inventory" },
    ]);
    expect(at(testers, "backendRefs")).to.deep.equal([{ name: "inventory-preview", port: 80 }]);
    for (const match of at(testers, "matches") as object[]) {
      expect(at(match, "headers")).to.deep.equal([{ type: "Exact", name: "X-Release", value: "canary" }]);
    }
  });

  it("is waited for no shorter than it may take", () => {
    const strategy = strategySchema.parse({
      type: "canary",
      steps: [{ setWeightPercent: 10 }, { pauseSeconds: 600 }, { pause: "manual" }],
      progressDeadlineSeconds: 300,
    });
    expect(longest(strategy as CanarySettings)).to.be.greaterThan(600 + 3600 + 300);
    // Each question between two weights may take as long as the last one.
    const asked = (weights: number[]) =>
      longest(
        strategySchema.parse({
          type: "canary",
          steps: weights.flatMap((setWeightPercent) => [{ setWeightPercent }, { pauseSeconds: 10 }]),
        }) as CanarySettings,
      );
    expect(asked([10, 20, 30]) - asked([10, 20])).to.be.greaterThan(10 + 30);
  });
});

describe("every strategy", () => {
  for (const type of ["rolling", "blueGreen", "canary"]) {
    it(`${type}: the same Services, so that the next strategy finds what the one before has written`, async () => {
      const { one, spec } = await strategyOf({ type });
      const names = ["stable", "preview"].map((role) =>
        at(one(types.service, `inventory-services-${role}`).inputs, "metadata", "name"),
      );
      expect(names).to.deep.equal(["inventory-stable", "inventory-preview"]);
      expect(JSON.stringify(spec)).to.contain('"inventory-stable"');
    });

    it(`${type}: aborts when it makes no progress, is scaled as a Rollout, and comes after route and migration`, async () => {
      const { one } = await strategyOf({ type, progressDeadlineSeconds: 400 });
      const rollout = one(types.rollout, "inventory-release-rollout");
      expect(rollout.inputs.spec).to.include({ progressDeadlineSeconds: 400, progressDeadlineAbort: true });
      expect(at(rollout.inputs, "spec", "template", "metadata", "labels")).to.include(
        at(rollout.inputs, "spec", "selector", "matchLabels") as object,
      );
      expect(one("technova:delivery:Release", "inventory-release").dependsOn).to.include.members([
        "inventory-migration-job",
        "inventory-route",
      ]);
      // Nobody is sent elsewhere by a release that its migration stops.
      expect(one("technova:delivery:Route", "inventory").dependsOn).to.include("inventory-migration-job");
      expect(at(one(types.autoscaler, "inventory-autoscaler").inputs, "spec", "scaleTargetRef")).to.include({
        kind: "Rollout",
        name: "inventory",
      });
    });
  }
});
