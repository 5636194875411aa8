import { expect } from "chai";
import { flowTable } from "../../../components/cluster/flowTable";
import { Monitoring } from "../../../components/monitoring";
import { alertRules } from "../../../components/monitoring/rules/alerts";
import { deliveryRules } from "../../../components/monitoring/rules/delivery";
import { scrapeConfiguration } from "../../../components/monitoring/scraping";
import { at, settingsWith, types } from "../../support/components";
import { register, valueOf, type JsonObject } from "../../support/mocks";

async function monitoring(prometheus: JsonObject = {}) {
  const settings = await settingsWith({ monitoring: { prometheus } });
  const { monitoring: wanted } = settings;
  if (wanted === undefined) throw new Error("the settings have no monitoring");
  return register(
    () =>
      new Monitoring("monitoring", {
        settings: wanted,
        flows: flowTable(settings).monitoring,
        images: settings.images,
        namespaceOf: (name) => name,
        alertReceivers: {},
        scraped: ["inventory", "gateway"],
        priorityClassName: "platform",
        appArmor: true,
      }),
  );
}

describe("Prometheus", () => {
  it("keeps what it has measured on a volume, for as long as the stack says", async () => {
    const { one, result } = await monitoring({ retentionDays: 30, storage: "50Gi" });
    const { spec } = one(types.statefulSet, "prometheus-server").inputs;
    expect(at(spec, "template", "spec", "containers", 0, "args")).to.include(
      "--storage.tsdb.retention.time=30d",
    );
    expect(at(spec, "volumeClaimTemplates", 0, "spec", "resources", "requests", "storage")).to.equal("50Gi");
    expect(await valueOf(result.prometheus)).to.equal("http://prometheus.monitoring.svc:9090");
  });

  it("may look for Pods where it measures, and nothing else", async () => {
    const { all } = await monitoring();
    const roles = all(types.role).map(({ inputs }) => [at(inputs, "metadata", "namespace"), inputs.rules]);
    const rules = [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] }];
    expect(roles).to.deep.equal([
      ["inventory", rules],
      ["gateway", rules],
    ]);
    expect(all(types.clusterRole)).to.deep.equal([]);
  });

  it("makes the figures of delivery by rules that lie beside its settings", async () => {
    const { one } = await monitoring({ retentionDays: 30 });
    const { data, immutable } = one(types.configMap, "prometheus-configuration").inputs;
    expect(immutable).to.equal(true);
    const { rule_files: files } = JSON.parse(String(at(data, "prometheus.yml"))) as { rule_files: string[] };
    expect(files).to.deep.equal(["rules.yml"]);
    expect(JSON.parse(String(at(data, "rules.yml")))).to.deep.equal({
      groups: [...alertRules, ...deliveryRules(30)],
    });
  });

  it("runs every container with the restricted defaults", async () => {
    const { one } = await monitoring();
    const pod = at(one(types.statefulSet, "prometheus-server").inputs, "spec", "template", "spec");
    expect(at(pod, "securityContext")).to.include({ runAsNonRoot: true, runAsUser: 65534 });
    expect(at(pod, "containers", 0, "securityContext")).to.include({ readOnlyRootFilesystem: true });
  });
});

describe("dashboards", () => {
  it("lie where Grafana finds them, each under a name of its own", async () => {
    const { all } = await monitoring();
    const found = all(types.configMap).filter(({ name }) => name.startsWith("monitoring-dashboard-"));
    expect(found.map(({ name }) => name)).to.deep.equal(["monitoring-dashboard-releases"]);
    for (const { inputs } of found) {
      expect(inputs.immutable).to.equal(true);
      expect(inputs.metadata).to.have.property("namespace", "monitoring");
      // Another content is another object, so that the engine has to choose the name.
      expect(inputs.metadata).not.to.have.property("name");
      expect(at(inputs, "metadata", "labels")).to.include({ grafana_dashboard: "1" });
      expect(JSON.parse(String(at(inputs, "data", "releases.json")))).to.include({ title: "Releases" });
    }
  });
});

describe("what is read", () => {
  it("are the annotated Pods of the namespaces, with the labels that queries ask for", () => {
    const { global, scrape_configs: jobs } = JSON.parse(
      scrapeConfiguration(5, ["inventory"], ["some.rules.yml"]),
    ) as {
      global: object;
      scrape_configs: { relabel_configs?: { target_label?: string }[] }[];
    };
    expect(global).to.include({ scrape_interval: "5s", scrape_timeout: "5s" });
    expect(at(jobs, 0, "kubernetes_sd_configs")).to.deep.equal([
      { role: "pod", namespaces: { names: ["inventory"] } },
    ]);
    const labels = jobs[0]?.relabel_configs?.flatMap(({ target_label: label }) => label ?? []);
    expect(labels).to.include.members(["namespace", "pod", "app", "version", "template_hash"]);
  });
});
