import { expect } from "chai";
import { Falco } from "../../../../components/addons/falco";
import { ruleNames, rules } from "../../../../components/addons/falco/rules";
import { eventTargets } from "../../../../components/addons/falco/targets";
import { entriesOf, flowTable } from "../../../../components/cluster/flowTable";
import { at, settingsWith, types } from "../../../support/components";
import { register, type JsonObject } from "../../../support/mocks";
import { asEngineConfig, runProgram, stackConfig } from "../../../support/stacks";

const daemonSet = "kubernetes:apps/v1:DaemonSet";

async function falco(given: JsonObject = {}, targets: ReturnType<typeof eventTargets> = {}) {
  const settings = await settingsWith({ falco: given });
  if (settings.falco === undefined) throw new Error("it is off");
  const args = {
    settings: settings.falco,
    images: settings.images,
    namespace: "falco",
    priorityClassName: "platform",
    appArmor: true,
    environment: "staging",
    flows: entriesOf(flowTable(settings)),
    namespaces: ["inventory", "falco"],
    targets,
  };
  return register(() => new Falco("falco", args));
}

const pod = (inputs: JsonObject) => at(inputs, "spec", "template", "spec");

describe("Falco", () => {
  it("has the four capabilities that its driver needs, and is not privileged", async () => {
    const { one } = await falco();
    const spec = pod(one(daemonSet, "falco-sensor-daemon").inputs);
    expect(at(spec, "containers", 0, "securityContext")).to.deep.include({
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"], add: ["BPF", "PERFMON", "SYS_PTRACE", "SYS_RESOURCE"] },
    });
    for (const key of ["hostPID", "hostNetwork", "hostIPC"]) expect(spec).to.not.have.property(key);
    expect(spec).to.include({ automountServiceAccountToken: false });
  });

  it("sees of its node what it has to, and can write to nothing of it", async () => {
    const { one } = await falco({ sensor: { runtimeSocket: "/run/crio/crio.sock" } });
    const spec = pod(one(daemonSet, "falco-sensor-daemon").inputs);
    const volumes = at(spec, "volumes") as { name: string; hostPath?: { path: string } }[];
    const paths = volumes.flatMap(({ hostPath }) => hostPath?.path ?? []);
    expect(paths).to.deep.equal(["/proc", "/sys/kernel", "/etc/passwd", "/etc/group", "/run/crio/crio.sock"]);
    const mounts = at(spec, "containers", 0, "volumeMounts") as { name: string; readOnly?: boolean }[];
    expect(mounts.filter(({ readOnly }) => readOnly !== true).map(({ name }) => name)).to.deep.equal(["tmp"]);
  });

  it("runs on every node, by version and digest", async () => {
    const { one } = await falco();
    const spec = pod(one(daemonSet, "falco-sensor-daemon").inputs);
    expect(at(spec, "tolerations")).to.deep.equal([{ operator: "Exists" }]);
    expect(at(spec, "containers", 0, "image")).to.match(
      /\/docker\.io\/falcosecurity\/falco:0\.44\.1@sha256:[0-9a-f]{64}$/,
    );
  });

  it("sends events to the receiver and to nobody else, and reads no rules but the platform's", async () => {
    const { one } = await falco({ minimumPriority: "error", disabledRules: ["NetworkTool"] });
    const data = at(one(types.configMap, "falco-sensor-configuration").inputs, "data");
    const file = JSON.parse(String(at(data, "falco.yaml"))) as JsonObject;
    expect(file).to.deep.include({
      config_files: [],
      rules_files: ["/etc/falco/rules.yaml"],
      priority: "error",
    });
    expect(at(file, "engine", "kind")).to.equal("modern_ebpf");
    expect(at(file, "http_output")).to.deep.include({
      enabled: true,
      url: "http://falco-receiver.falco.svc:2801",
    });
    expect(file).to.not.have.any.keys("file_output", "program_output");
    for (const output of ["stdout_output", "syslog_output"]) {
      expect(at(file, output, "enabled"), output).to.equal(false);
    }
    const entries = JSON.parse(String(at(data, "rules.yaml"))) as { rule?: string; enabled?: boolean }[];
    const asked = entries.flatMap(({ rule, enabled }) => (enabled === true ? rule : []));
    expect(asked).to.deep.equal(ruleNames.filter((rule) => rule !== "NetworkTool"));
  });

  it("starts anew with other rules: they are in an object that never changes", async () => {
    const { one } = await falco();
    const { metadata, immutable } = one(types.configMap, "falco-sensor-configuration").inputs;
    expect(immutable).to.equal(true);
    expect(metadata).to.not.have.property("name");
    expect(one(daemonSet, "falco-sensor-daemon").dependsOn).to.include("falco-sensor-configuration");
  });
});

describe("the receiver's Pods", () => {
  it("know where events go, and what alerts say about each rule", async () => {
    const { one } = await falco({}, eventTargets({ prometheus: {}, alertmanager: {}, logs: {} }));
    const env = at(pod(one(types.deployment, "falco-receiver-deployment").inputs), "containers", 0, "env");
    expect(env).to.deep.include.members([
      { name: "ALERTMANAGER", value: "http://alertmanager.monitoring.svc:9093" },
      { name: "LOKI", value: "http://loki.monitoring.svc:3100" },
      { name: "ENVIRONMENT", value: "staging" },
    ]);
    const data = at(one(types.configMap, "falco-receiver-script").inputs, "data");
    expect(data).to.have.all.keys("__main__.py", "event.py", "target.py", "rules.json");
    expect(JSON.parse(String(at(data, "rules.json")))).to.have.all.keys(...rules.map(({ rule }) => rule));
  });

  it("are told of no target that is not there", async () => {
    const { one } = await falco({}, eventTargets({ prometheus: {} }));
    const env = at(pod(one(types.deployment, "falco-receiver-deployment").inputs), "containers", 0, "env");
    const names = (env as { name: string }[]).map(({ name }) => name);
    expect(names).to.include("TEXTS").and.not.include("ALERTMANAGER").and.not.include("LOKI");
  });

  it("stay when a node is drained, where there is more than one", async () => {
    expect((await falco({ receiver: { replicas: 2 } })).all(types.budget)).to.have.length(1);
    expect((await falco({ receiver: { replicas: 1 } })).all(types.budget)).to.deep.equal([]);
  });
});

describe("a stack's runtime detection", () => {
  const enforced = "pod-security.kubernetes.io/enforce";

  it("without a sensor is the receiver alone, in a restricted namespace that nodes may speak to", async () => {
    const config = { ...stackConfig("staging"), "technova:falco": { sensor: { enabled: false } } };
    const { one, all } = await runProgram("staging", { config: asEngineConfig(config) });
    expect(all(daemonSet).map(({ name }) => name)).to.deep.equal(["promtail-collector"]);
    const namespace = one(types.namespace, "falco-namespace").inputs;
    expect(at(namespace, "metadata", "labels", enforced)).to.equal("restricted");
    one(types.deployment, "falco-receiver-deployment");
    const policy = one(types.networkPolicy, "addons-flows-nodes-to-receiver-ingress").inputs;
    expect(at(policy, "spec", "ingress", 0, "from", 0)).to.have.property("ipBlock");
  });

  it("with a sensor leaves every other namespace restricted that nobody looks into nodes from", async () => {
    const { all } = await runProgram("production");
    const standards = all(types.namespace).map(({ inputs }) => [
      at(inputs, "metadata", "name"),
      at(inputs, "metadata", "labels", enforced),
    ]);
    expect(standards.filter(([, standard]) => standard !== "restricted")).to.have.deep.members([
      ["falco", "privileged"],
      ["logging", "privileged"],
      ["backup", "privileged"],
    ]);
  });

  it("is not there where the settings do not ask for it", async () => {
    const { resources } = await runProgram("local");
    expect(resources.filter(({ name }) => name.startsWith("falco"))).to.deep.equal([]);
  });
});
