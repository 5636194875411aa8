import { expect } from "chai";
import { flowTable } from "../../../components/cluster/flowTable";
import { Monitoring } from "../../../components/monitoring";
import { policies } from "../../../policy/policies";
import { at, settingsWith, types } from "../../support/components";
import { register, type JsonObject } from "../../support/mocks";
import { outcome } from "../../support/policy";

const github = { organisation: "technova", existingSecret: "github-audit", cidrs: ["140.82.112.0/20"] };

async function monitoring(logs: JsonObject) {
  const settings = await settingsWith({ monitoring: { logs } });
  const wanted = settings.monitoring;
  if (wanted === undefined) throw new Error("the settings have no monitoring");
  return register(
    () =>
      new Monitoring("monitoring", {
        settings: wanted,
        flows: flowTable(settings).monitoring,
        images: settings.images,
        namespaceOf: (name) => name,
        alertReceivers: {},
        scraped: ["monitoring"],
        priorityClassName: "platform",
        appArmor: true,
      }),
  );
}

describe("the audit log of GitHub", () => {
  it("is asked for where the stack says so, by one run at a time, with a token that stays in its Secret", async () => {
    const { one } = await monitoring({ github: { ...github, everyMinutes: 15 } });
    const { spec } = one(types.cronJob, "github-audit-job").inputs;
    expect(at(spec, "schedule")).to.equal("*/15 * * * *");
    expect(at(spec, "concurrencyPolicy")).to.equal("Forbid");
    const pod = at(spec, "jobTemplate", "spec", "template", "spec");
    expect(at(pod, "automountServiceAccountToken")).to.equal(false);
    expect(at(pod, "containers", 0, "env")).to.deep.include({
      name: "GITHUB_TOKEN",
      valueFrom: { secretKeyRef: { name: "github-audit", key: "token" } },
    });
  });

  it("reaches a server of one's own at its port", async () => {
    const { all } = await monitoring({
      github: { ...github, api: "https://github.example.com:8443/api/v3" },
    });
    const [egress] = all(types.networkPolicy).filter(({ name }) => /audit-to-github-egress/.test(name));
    expect(at(egress?.inputs, "spec", "egress", 0, "ports")).to.deep.equal([{ port: 8443, protocol: "TCP" }]);
  });

  it("breaks no policy, and reaches GitHub, Loki and the DNS alone", async () => {
    const { one, all } = await monitoring({ github });
    const { inputs } = one(types.cronJob, "github-audit-job");
    const broken = policies
      .filter((policy) => outcome(policy, types.cronJob, inputs).violations.length > 0)
      .map(({ name }) => name);
    expect(broken).to.deep.equal([]);
    const egress = all(types.networkPolicy).filter(({ name }) => name.includes("github-audit-to"));
    expect(
      egress
        .map(({ name }) => name.replace(/^.*github-audit-to-/, ""))
        .filter((name) => !/ingress/.test(name)),
    )
      .to.include.members(["github-egress", "loki-egress"])
      .and.to.have.lengthOf(3);
  });

  it("is not asked for otherwise", async () => {
    const { all } = await monitoring({});
    expect(all(types.cronJob)).to.be.empty;
  });
});
