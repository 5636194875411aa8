import { alertsExist, metricsAreScraped, ownershipLabels } from "../../policy/observability";
import { changed, goodPod, holding, outcome, podTypes, stackOutcome, unknown } from "../support/policy";
import { expect } from "chai";

describe("policy/observability", () => {
  describe(ownershipLabels.name, () => {
    const labels = {
      "app.kubernetes.io/name": "inventory",
      "app.kubernetes.io/part-of": "technova",
      "technova.io/owner": "warehouse",
    };
    const service = "kubernetes:core/v1:Service";
    const judged = (key: string, value: unknown, settings = {}, type: string = service) =>
      outcome(
        ownershipLabels,
        type,
        changed({ metadata: { labels } }, ["metadata", "labels", key], value),
        settings,
      );

    for (const key of Object.keys(labels)) {
      const path = `metadata.labels["${key}"]`;
      it(`wants ${key} on what runs or serves`, () => {
        for (const type of [service, podTypes.Deployment, podTypes.AnalysisTemplate]) {
          expect(judged(key, "x", {}, type).violations).to.be.empty;
          for (const value of [undefined, ""]) {
            expect(judged(key, value, {}, type).violations).to.deep.equal([path]);
          }
          expect(judged(key, unknown, {}, type)).to.deep.equal({ violations: [], undecided: [path] });
        }
      });
    }
    it("names all that are missing", () => {
      expect(outcome(ownershipLabels, service, {}).violations).to.have.length(3);
      expect(outcome(ownershipLabels, service, { metadata: unknown }).undecided).to.deep.equal(["metadata"]);
    });
    it("wants what the stack says", () => {
      const given = { labels: ["team"], ownerLabel: "" };
      expect(judged("team", "warehouse", given).violations).to.be.empty;
      expect(judged("app", "x", given).violations).to.deep.equal(["metadata.labels.team"]);
    });
    it("leaves other kinds alone", () => {
      expect(outcome(ownershipLabels, "kubernetes:core/v1:ConfigMap", {}).violations).to.be.empty;
      expect(outcome(ownershipLabels, "kubernetes:serving.knative.dev/v1:Service", {}).violations).to.be
        .empty;
    });
  });

  describe(metricsAreScraped.name, () => {
    const judged = (key: string, value: unknown, kind: "Deployment" | "Job" = "Deployment") => {
      const pod = changed(goodPod(), ["metadata", "annotations", `prometheus.io/${key}`], value);
      return outcome(metricsAreScraped, podTypes[kind], holding(kind, pod));
    };
    const path = (key: string) => `spec.template.metadata.annotations["prometheus.io/${key}"]`;

    it("accepts pods that are measured, and those that say that they are not", () => {
      for (const value of ["true", "false"]) expect(judged("scrape", value).violations).to.be.empty;
    });
    it("refuses silence, and a switch without a port", () => {
      for (const value of [undefined, "yes", true]) {
        expect(judged("scrape", value).violations).to.deep.equal([path("scrape")]);
      }
      for (const value of [undefined, "http"]) {
        expect(judged("port", value).violations).to.deep.equal([path("port")]);
      }
    });
    it("asks nothing of pods that end", () =>
      expect(judged("scrape", undefined, "Job").violations).to.be.empty);
    it("says so when an annotation is unknown", () => {
      for (const key of ["scrape", "port"]) {
        expect(judged(key, unknown)).to.deep.equal({ violations: [], undecided: [path(key)] });
      }
    });
  });

  describe(alertsExist.name, () => {
    const prometheus = [
      podTypes.StatefulSet,
      changed(holding("StatefulSet", goodPod()), ["metadata", "name"], "prometheus"),
    ] as const;
    const rules = (text: unknown) =>
      ["kubernetes:core/v1:ConfigMap", { data: { "rules.yml": text } }] as const;
    const custom = (rule: unknown) =>
      [
        "kubernetes:monitoring.coreos.com/v1:PrometheusRule",
        { spec: { groups: [{ rules: [{ record: "a" }, rule] }] } },
      ] as const;
    const violation = { prometheus: { violations: ["metadata.name"], undecided: [] } };

    it("accepts an alert in YAML, in JSON and in a PrometheusRule", () => {
      for (const given of [
        rules("groups:\n- name: a\n  rules:\n  - alert: Down\n    expr: up == 0\n"),
        rules('{"groups":[{"rules":[{"record":"a"},{"alert":"Down","expr":"up == 0"}]}]}'),
        custom({ alert: "Down", expr: "up == 0" }),
      ]) {
        expect(stackOutcome(alertsExist, { prometheus, given })).to.be.empty;
      }
    });
    it("refuses a Prometheus with recordings only, and one without rules", () => {
      for (const given of [
        rules('{"groups":[{"rules":[{"record":"a","expr":"up"}]}]}'),
        rules("alerting:\n  alertmanagers: []\n# no alert yet\n"),
        custom({ record: "b" }),
      ]) {
        expect(stackOutcome(alertsExist, { prometheus, given })).to.deep.equal(violation);
      }
      expect(stackOutcome(alertsExist, { prometheus })).to.deep.equal(violation);
    });
    it("knows Prometheus by its label and by its operator's kind", () => {
      const [type, props] = prometheus;
      const labelled = changed(props, ["metadata"], { labels: { "app.kubernetes.io/name": "prometheus" } });
      expect(stackOutcome(alertsExist, { prometheus: [type, labelled] })).to.deep.equal(violation);
      const operated = ["kubernetes:monitoring.coreos.com/v1:Prometheus", {}] as const;
      expect(stackOutcome(alertsExist, { prometheus: operated })).to.deep.equal(violation);
    });
    it("asks nothing where there is no Prometheus", () => {
      const web = [podTypes.Deployment, holding("Deployment", goodPod())] as const;
      expect(stackOutcome(alertsExist, { web })).to.be.empty;
    });
    it("says so when the rules are unknown", () => {
      expect(stackOutcome(alertsExist, { prometheus, given: rules(unknown) })).to.deep.equal({
        given: { violations: [], undecided: ['data["rules.yml"]'] },
      });
      expect(stackOutcome(alertsExist, { prometheus, given: custom(unknown) })).to.deep.equal({
        given: { violations: [], undecided: ["spec.groups[0].rules[1]"] },
      });
    });
  });
});
