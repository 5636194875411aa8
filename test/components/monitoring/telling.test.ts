import { expect } from "chai";
import { flowTable } from "../../../components/cluster/flowTable";
import { Monitoring } from "../../../components/monitoring";
import { promtailConfiguration } from "../../../components/monitoring/collecting";
import { lokiConfiguration } from "../../../components/monitoring/loki";
import { alertmanagerConfiguration } from "../../../components/monitoring/receivers";
import { at, settingsWith, types } from "../../support/components";
import { register, type JsonObject } from "../../support/mocks";

const receiver = { name: "on-call", cidrs: ["203.0.113.0/24"] };

async function settingsOf(monitoring: JsonObject) {
  const settings = await settingsWith({
    monitoring,
    secrets: { alertReceivers: { "on-call": "https://alerts.example/sentinel-4711" } },
  });
  if (settings.monitoring === undefined) throw new Error("the settings have no monitoring");
  return { ...settings, monitoring: settings.monitoring };
}

async function monitoring(wanted: JsonObject) {
  const settings = await settingsOf(wanted);
  return register(
    () =>
      new Monitoring("monitoring", {
        settings: settings.monitoring,
        flows: flowTable(settings).monitoring,
        images: settings.images,
        namespaceOf: (name) => name,
        alertReceivers: settings.secrets.alertReceivers,
        scraped: ["monitoring"],
        priorityClassName: "platform",
        appArmor: true,
      }),
  );
}

const alertsOf = async (alertmanager: JsonObject) => {
  const { alertmanager: settings } = (await settingsOf({ alertmanager })).monitoring;
  if (settings === undefined) throw new Error("the settings have no Alertmanager");
  return settings;
};

describe("Alertmanager", () => {
  it("is there where the stack asks for it, and Prometheus tells every replica", async () => {
    const { one } = await monitoring({ alertmanager: { replicas: 3 } });
    const { spec } = one(types.statefulSet, "alertmanager-server").inputs;
    expect(at(spec, "replicas")).to.equal(3);
    expect(at(spec, "template", "spec", "containers", 0, "args")).to.include.members([
      "--cluster.peer=alertmanager-0.alertmanager.monitoring.svc:9094",
      "--cluster.peer=alertmanager-2.alertmanager.monitoring.svc:9094",
    ]);
    const { data } = one(types.configMap, "prometheus-configuration").inputs;
    expect(JSON.parse(String(at(data, "prometheus.yml")))).to.have.nested.property(
      "alerting.alertmanagers[0].dns_sd_configs[0].names[0]",
      "alertmanager.monitoring.svc",
    );
  });

  it("has neighbours to talk to only where there is more than one", async () => {
    const { one } = await monitoring({ alertmanager: {} });
    const { spec } = one(types.statefulSet, "alertmanager-server").inputs;
    expect(at(spec, "template", "spec", "containers", 0, "args")).to.include("--cluster.listen-address=");
  });

  it("is not there without being asked for, and nobody is told", async () => {
    const { all, one } = await monitoring({});
    expect(all(types.statefulSet).map(({ name }) => name)).to.deep.equal(["prometheus-server"]);
    const { data } = one(types.configMap, "prometheus-configuration").inputs;
    expect(JSON.parse(String(at(data, "prometheus.yml")))).not.to.have.property("alerting");
  });

  it("tells each receiver what it wants to know, and has its secret in a file", async () => {
    const settings = await alertsOf({
      receivers: [
        { ...receiver, type: "slack", channel: "#alerts", severities: ["critical"] },
        {
          ...receiver,
          name: "mail",
          type: "email",
          to: "a@b.example",
          from: "c@d.example",
          smarthost: "m.example:587",
        },
      ],
    });
    const { route, receivers } = JSON.parse(alertmanagerConfiguration(settings, ["on-call"])) as {
      route: { receiver: string; routes: { receiver: string; matchers: string[]; continue: boolean }[] };
      receivers: Record<string, unknown>[];
    };
    expect(route.routes).to.deep.equal([
      { receiver: "on-call", matchers: ['severity=~"critical"'], continue: true },
      { receiver: "mail", matchers: ['severity=~"critical|warning"'], continue: true },
    ]);
    expect(receivers.map(({ name }) => name)).to.deep.equal(["nobody", "on-call", "mail"]);
    expect(receivers[1]).to.have.nested.property(
      "slack_configs[0].api_url_file",
      "/etc/alertmanager-secrets/on-call",
    );
    expect(JSON.stringify(receivers[2])).not.to.contain("password");
  });

  it("reaches a mail server at the port that it is told", async () => {
    const mail = { ...receiver, type: "email", to: "a@b.example", from: "c@d.example" };
    const { all } = await monitoring({
      alertmanager: { receivers: [{ ...mail, smarthost: "m.example:587" }] },
    });
    const [egress] = all(types.networkPolicy).filter(({ name }) => name.includes("alertmanager-to-on-call"));
    expect(at(egress?.inputs, "spec", "egress", 0, "ports")).to.deep.equal([{ port: 587, protocol: "TCP" }]);
  });

  it("keeps what tells a receiver in a Secret alone, and reaches its addresses alone", async () => {
    const { all, resources } = await monitoring({
      alertmanager: { receivers: [{ ...receiver, type: "webhook" }] },
    });
    const holders = resources
      .filter(({ plain }) => JSON.stringify(plain).includes("sentinel-4711"))
      .map(({ name }) => name);
    expect(holders).to.deep.equal(["alertmanager-receivers"]);
    const egress = all(types.networkPolicy).filter(({ name }) => name.includes("alertmanager-to-on-call"));
    expect(egress.map(({ inputs }) => at(inputs, "spec", "egress", 0))).to.deep.equal([
      { to: [{ ipBlock: { cidr: "203.0.113.0/24" } }], ports: [{ port: 443, protocol: "TCP" }] },
    ]);
  });
});

describe("the logs", () => {
  it("and what is measured are asked for through the API server, wherever that is", async () => {
    const { monitoring: flows } = flowTable(await settingsOf({ logs: {} }));
    const asked = flows.filter(({ from }) => "who" in from && from.who === "API server");
    expect(asked.map(({ name, ports }) => [name, ports])).to.have.deep.members([
      ["api-server-to-prometheus", [{ port: 9090 }]],
      ["api-server-to-loki", [{ port: 3100 }]],
    ]);
  });

  const withAudit: JsonObject = { logs: { auditLogFolder: "/var/log/kubernetes" } };

  it("are kept for as long as the stack says, however late they come", () => {
    const { limits_config: limits, compactor } = JSON.parse(lokiConfiguration(90)) as Record<
      string,
      JsonObject
    >;
    expect(limits).to.include({ retention_period: "2160h", reject_old_samples_max_age: "2160h" });
    expect(compactor).to.include({ retention_enabled: true });
  });

  it("are collected on every node by what may read them, change none, and ask the API server nothing", async () => {
    const { one, all } = await monitoring(withAudit);
    const { spec } = one("kubernetes:apps/v1:DaemonSet", "promtail-collector").inputs;
    const pod = at(spec, "template", "spec");
    expect(at(pod, "automountServiceAccountToken")).to.equal(false);
    expect(all("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole")).to.be.empty;
    const hosts = (at(pod, "volumes") as JsonObject[]).filter(({ hostPath }) => hostPath !== undefined);
    expect(hosts.map(({ name }) => name)).to.deep.equal(["pod-logs", "audit"]);
    const mounts = at(pod, "containers", 0, "volumeMounts") as JsonObject[];
    for (const { name } of hosts) {
      expect(mounts.find((mount) => mount.name === name)).to.include({ readOnly: true });
    }
  });

  it("have few labels, so that there are few streams, and say who changed what", () => {
    const { scrape_configs: jobs } = JSON.parse(promtailConfiguration(true)) as {
      scrape_configs: { job_name: string; pipeline_stages: JsonObject[] }[];
    };
    const labels = jobs.flatMap(({ pipeline_stages: stages }) =>
      stages.flatMap((each) => Object.keys(each.labels ?? {})),
    );
    expect(labels).to.deep.equal(["namespace", "container"]);
    const audit = jobs.find(({ job_name: name }) => name === "audit");
    const metadata = audit?.pipeline_stages.map((each) => each.structured_metadata).find(Boolean);
    expect(Object.keys(metadata ?? {})).to.include.members(["who", "verb", "resource", "name"]);
  });

  it("leave the audit log out where it is somebody else's", async () => {
    const { one } = await monitoring({ logs: {} });
    const { spec } = one("kubernetes:apps/v1:DaemonSet", "promtail-collector").inputs;
    expect(JSON.stringify(spec)).not.to.contain("audit");
  });
});

describe("the images that only some stacks need", () => {
  it("are those of what is switched on", async () => {
    const { optionalImages } = await import("../../../tools/cluster/images/optional");
    const config = (monitoring: object) => ({ "technova:monitoring": monitoring });
    expect(optionalImages(config({}))).to.deep.equal([]);
    expect(optionalImages(undefined)).to.deep.equal([]);
    expect(optionalImages(config({ alertmanager: { replicas: 2 } }))).to.deep.equal(["alertmanager"]);
    expect(optionalImages(config({ logs: {}, alertmanager: { enabled: false } }))).to.deep.equal([
      "loki",
      "promtail",
    ]);
    expect(optionalImages({ "technova:sealedSecrets": {} })).to.deep.equal(["sealedSecrets"]);
    expect(optionalImages({ "technova:sealedSecrets": { enabled: false } })).to.deep.equal([]);
  });
});
