import { expect } from "chai";
import { questions } from "../../../components/delivery/analysis";
import { longest } from "../../../components/delivery/canary";
import { Application } from "../../../components/delivery/application";
import { strategySchema, type CanarySettings } from "../../../components/config/strategy";
import { at, settingsWith, types } from "../../support/components";
import { register, type JsonObject, type Recording } from "../../support/mocks";

const kind = (name: string) => `kubernetes:argoproj.io/v1alpha1:${name}`;

function canary(changes: JsonObject = {}): CanarySettings {
  return strategySchema.parse({ type: "canary", ...changes }) as CanarySettings;
}

async function application(strategy: JsonObject): Promise<Recording<Application>> {
  const settings = await settingsWith({ application: { strategy: { type: "canary", ...strategy } } });
  return register(
    () =>
      new Application("inventory", {
        settings: settings.application,
        environment: "staging",
        namespace: "inventory",
        image: `ghcr.io/technova/inventory@sha256:${"12".repeat(32)}`,
        pullSecrets: [],
        images: settings.images,
        databaseUrl: settings.secrets.databaseUrl,
        gateway: { name: "gateway", namespace: "gateway", sectionName: "https" },
        gatewayPods: { namespace: "gateway", labels: { "app.kubernetes.io/name": "traefik" } },
        monitored: true,
        releases: {
          prometheus: "http://prometheus.monitoring.svc:9090",
          images: settings.images,
          apiServerCidrs: ["10.0.0.1/32"],
          priorityClassName: "application",
        },
        priorityClassName: "application",
        databasePriorityClassName: "platform",
      }),
  );
}

describe("a canary", () => {
  it("begins with a tenth of the traffic, and never ends without a last question", async () => {
    const { one } = await application({});
    const spec = at(one(kind("Rollout"), "inventory-rollout").inputs, "spec", "strategy", "canary");
    const steps = at(spec, "steps") as JsonObject[];
    expect(steps.slice(0, 2)).to.deep.equal([{ setWeight: 10 }, { pause: { duration: "120s" } }]);
    expect(steps.at(-1)).to.have.nested.property("analysis.templates[0].templateName");
    expect(at(spec, "analysis", "startingStep")).to.equal(1);
  });

  it("is told to testers by a header, and to everyone else by weights", async () => {
    const { one } = await application({});
    const [everyone, testers] = at(
      one(types.httpRoute, "inventory-route").inputs,
      "spec",
      "rules",
    ) as object[];
    expect(at(everyone, "backendRefs")).to.deep.equal([
      { group: "traefik.io", kind: "TraefikService", name: "inventory" },
    ]);
    expect(at(testers, "backendRefs")).to.deep.equal([{ name: "inventory-canary", port: 80 }]);
    for (const match of at(testers, "matches") as object[]) {
      expect(at(match, "headers")).to.deep.equal([{ type: "Exact", name: "X-Release", value: "canary" }]);
    }
  });

  it("is scaled as a Rollout, and aborts when it makes no progress", async () => {
    const { one } = await application({ progressDeadlineSeconds: 90 });
    expect(at(one(types.autoscaler, "inventory-autoscaler").inputs, "spec", "scaleTargetRef")).to.deep.equal({
      apiVersion: "argoproj.io/v1alpha1",
      kind: "Rollout",
      name: "inventory",
    });
    const spec = at(one(kind("Rollout"), "inventory-rollout").inputs, "spec");
    expect(spec).to.include({ progressDeadlineSeconds: 90, progressDeadlineAbort: true });
  });

  it("is waited for no shorter than it may take", () => {
    const strategy = canary({
      steps: [{ setWeightPercent: 10 }, { pauseSeconds: 600 }, { pause: "manual" }],
      progressDeadlineSeconds: 300,
    });
    expect(longest(strategy)).to.be.greaterThan(600 + 3600 + 300);
  });
});

describe("the questions of a release", () => {
  const identity = { name: "inventory", component: "api" };
  const asked = (changes: JsonObject = {}) => questions(identity, canary({ analysis: changes }).analysis);

  it("ask for errors, latency, business, connections and restarts, each with its limit", () => {
    const limits = asked({ errorPercent: { limit: 2, timesStable: 4 } }).map(({ metric, limit }) => [
      metric,
      limit,
    ]);
    expect(Object.fromEntries(limits)).to.deep.equal({
      "error-percent": 2,
      "error-percent-times-stable": 4,
      "p95-milliseconds": 1000,
      "p95-milliseconds-times-stable": 3,
      "rejected-movements-percent": 20,
      "rejected-movements-percent-times-stable": 3,
      "connections-percent": 95,
      restarts: 0,
    });
  });

  it("are not answered while there is too little traffic, but for restarts", () => {
    for (const { metric, query } of asked({ minimumRequests: 77 })) {
      if (metric === "restarts") expect(query).not.to.contain(">= 77");
      else expect(query).to.match(/and on\(\) \(.*>= 77\)$/);
    }
  });

  it("leave out probes, and tell the versions apart", () => {
    const [errors] = asked();
    expect(errors?.query).to.contain('route!~"/healthz|/readyz|/metrics"');
    expect(errors?.query).to.contain('template_hash="{{args.release}}"').and.not.to.contain("args.stable");
  });
});
