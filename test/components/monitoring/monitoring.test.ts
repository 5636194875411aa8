import { expect } from "chai";
import { Monitoring } from "../../../components/monitoring";
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
        network: settings.cluster.network,
        images: settings.images,
        namespace: "monitoring",
        scraped: ["inventory", "gateway"],
        priorityClassName: "platform",
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

  it("runs every container with the restricted defaults", async () => {
    const { one } = await monitoring();
    const pod = at(one(types.statefulSet, "prometheus-server").inputs, "spec", "template", "spec");
    expect(at(pod, "securityContext")).to.include({ runAsNonRoot: true, runAsUser: 65534 });
    expect(at(pod, "containers", 0, "securityContext")).to.include({ readOnlyRootFilesystem: true });
  });
});

describe("what is read", () => {
  it("are the annotated Pods of the namespaces, with the labels that queries ask for", () => {
    const { global, scrape_configs: jobs } = JSON.parse(scrapeConfiguration(5, ["inventory"], ["some.rules.yml"])) as {
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
