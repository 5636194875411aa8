import { expect } from "chai";
import { Velero } from "../../../components/addons/velero";
import { veleroFlows } from "../../../components/addons/velero/flows";
import { isPods } from "../../../components/cluster/flows";
import { clusterBackupRules } from "../../../components/monitoring/rules/clusterBackup";
import { admissionPolicies } from "../../../policy/admission";
import exceptions from "../../../policy/exceptions.json";
import { patternOf } from "../../../policy/frame/exceptions";
import { at, settingsWith, types } from "../../support/components";
import { register, type JsonObject } from "../../support/mocks";
import { readQuery } from "../../support/promql";
import { asEngineConfig, runProgram, stackConfig } from "../../support/stacks";

const daemonSet = "kubernetes:apps/v1:DaemonSet";
const clusterRole = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole";
const schedule = "kubernetes:velero.io/v1:Schedule";
const location = "kubernetes:velero.io/v1:BackupStorageLocation";

async function velero(given: JsonObject = {}) {
  const settings = await settingsWith({ velero: given });
  if (settings.velero === undefined) throw new Error("it is off");
  const args = {
    appArmor: true,
    settings: settings.velero,
    images: settings.images,
    namespace: "backup",
    priorityClassName: "platform",
  };
  return register(() => new Velero("velero", args));
}

const pod = (inputs: JsonObject) => at(inputs, "spec", "template", "spec");
interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}
const rulesOf = (inputs: JsonObject) => inputs.rules as unknown as readonly Rule[];

describe("Velero", () => {
  it("may read what it keeps, and write in its own namespace alone", async () => {
    const { all } = await velero();
    for (const { inputs, name } of all(clusterRole)) {
      for (const { apiGroups, resources, verbs } of rulesOf(inputs)) {
        expect(
          verbs.filter((verb) => !["get", "list", "watch"].includes(verb)),
          name,
        ).to.deep.equal([]);
        expect(apiGroups, name).to.not.include("*");
        // By it kubelets and every Pod could be reached.
        if (apiGroups.includes("")) expect(resources, name).to.not.include.members(["*"]);
        expect(resources, name).to.not.include("secrets");
      }
    }
  });

  it("reads Secrets only where the settings say so, and the groups that they add", async () => {
    const { one } = await velero({ includeSecrets: true, additionalApiGroups: ["cert-manager.io"] });
    const rules = rulesOf(one(clusterRole, "velero-cluster-role").inputs);
    expect(rules.flatMap(({ resources }) => resources)).to.include("secrets");
    expect(rules.flatMap(({ apiGroups }) => apiGroups)).to.include("cert-manager.io");
    const template = at(one(schedule, "velero-schedule-schedule").inputs, "spec", "template");
    expect(at(template, "excludedResources")).to.not.include("secrets");
  });

  it("encrypts copies of volumes with a key of the stack's own, under the name that it looks for", async () => {
    const { one } = await velero();
    const secret = one(types.secret, "velero-store-key").inputs;
    expect(at(secret, "metadata", "name")).to.equal("velero-repo-credentials");
    expect(at(one(types.password, "velero-store-key").inputs, "length")).to.equal(64);
    for (const [type, name] of [
      ["technova:addons:VeleroServer", "velero-server"],
      ["technova:addons:VeleroNodeAgent", "velero-node-agent"],
    ] as const) {
      expect(one(type, name).dependsOn).to.include("velero-store-key");
    }
  });

  it("keeps the whole cluster as often and as long as it is told to, but for Secrets and databases' volumes", async () => {
    const { one } = await velero({ schedule: "5 */6 * * *", retentionDays: 7 });
    const spec = at(one(schedule, "velero-schedule-schedule").inputs, "spec");
    expect(spec).to.deep.include({ schedule: "5 */6 * * *" });
    const template = at(spec, "template");
    expect(template).to.deep.include({
      ttl: "168h0m0s",
      includedNamespaces: ["*"],
      includeClusterResources: true,
      defaultVolumesToFsBackup: true,
    });
    expect(at(template, "excludedResources")).to.include.members(["secrets", "events"]);
    const volumes = JSON.parse(
      String(at(one(types.configMap, "velero-schedule-volumes").inputs, "data", "volumes.yaml")),
    ) as { volumePolicies: { conditions: JsonObject; action: { type: string } }[] };
    const database = (await runProgram("local")).one(types.statefulSet, "inventory-database-server").inputs;
    const claim = at(database, "spec", "volumeClaimTemplates", 0, "metadata", "labels") as JsonObject;
    const skipped = volumes.volumePolicies.filter(({ action }) => action.type === "skip");
    const labels = skipped.flatMap(({ conditions }) => Object.entries(conditions.pvcLabels ?? {}));
    expect(labels).to.have.length(1);
    for (const [key, value] of labels) expect(claim[key]).to.equal(value);
  });

  it("stores in a bucket of Amazon's by its region, and elsewhere by address and path", async () => {
    const elsewhere = at((await velero()).one(location, "velero-schedule-location").inputs, "spec");
    expect(elsewhere).to.deep.include({
      default: true,
      objectStorage: { bucket: "technova-cluster-backups", prefix: "production" },
    });
    expect(at(elsewhere, "config")).to.deep.equal({
      region: "eu-central-1",
      s3Url: "https://s3.backup.technova.example",
      s3ForcePathStyle: "true",
      checksumAlgorithm: "",
    });
    const annotations = { "eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/velero" };
    const store = {
      bucket: "own-bucket",
      region: "eu-west-1",
      accountAnnotations: annotations,
      cidrs: ["10.0.0.0/8"],
    };
    const amazon = await velero({ store });
    expect(at(amazon.one(location, "velero-schedule-location").inputs, "spec", "config")).to.deep.equal({
      region: "eu-west-1",
    });
    for (const account of ["velero-server-account", "velero-node-agent-account"])
      expect(at(amazon.one(types.serviceAccount, account).inputs, "metadata", "annotations")).to.deep.equal(
        annotations,
      );
    const env = at(pod(amazon.one(daemonSet, "velero-node-agent-daemon").inputs), "containers", 0, "env");
    expect((env as { name: string }[]).map(({ name }) => name)).to.not.include("AWS_ACCESS_KEY_ID");
  });

  it("gives the agent on a node nothing to write to but its own folders, and no capability", async () => {
    const { one } = await velero();
    const spec = pod(one(daemonSet, "velero-node-agent-daemon").inputs);
    const container = at(spec, "containers", 0);
    expect(at(container, "securityContext")).to.deep.include({
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    const mounts = at(container, "volumeMounts") as { name: string; readOnly?: boolean }[];
    expect(mounts.filter(({ readOnly }) => readOnly !== true).map(({ name }) => name)).to.deep.equal([
      "tmp",
      "scratch",
    ]);
  });

  it("lets each of its Pods, those included that it makes, speak to the API server, the store and DNS", async () => {
    const { velero: settings, cluster } = await settingsWith();
    if (settings === undefined) throw new Error("it is off");
    const flows = veleroFlows({ settings, network: cluster.network, monitored: true });
    const outgoing = flows.filter(({ from }) => isPods(from) && from.namespace === "backup");
    expect(outgoing.map(({ name }) => name)).to.deep.equal([
      "velero-to-api-server",
      "velero-to-store",
      "velero-to-dns",
    ]);
    const { one } = await velero();
    const movers = JSON.parse(
      String(at(one(types.configMap, "velero-node-agent-configuration").inputs, "data", "node-agent.json")),
    ) as { podLabels: Record<string, string>; priorityClassName: string };
    for (const { from } of outgoing) {
      if (isPods(from)) expect(movers.podLabels).to.include(from.labels);
    }
    expect(movers.priorityClassName).to.equal("platform");
  });
});

describe("alerts about the cluster's backups", () => {
  const rules = (schedule: string) => clusterBackupRules({ schedule }).flatMap((group) => group.rules);

  it("can be read, and say what they mean and what to do", () => {
    for (const { alert, expr, annotations } of rules("27 2 * * *")) {
      expect(
        readQuery(expr).metrics.every((metric) => metric.startsWith("velero_backup_")),
        alert,
      ).to.equal(true);
      for (const text of Object.values(annotations)) expect(text).to.match(/^.{20,}\.$/);
    }
    expect(clusterBackupRules(undefined)).to.deep.equal([]);
  });

  it("speak when nothing is heard of the backups at all, for then no other can", () => {
    const missing = rules("27 2 * * *").find(({ alert }) => alert === "VeleroMissing");
    expect(missing?.expr).to.match(/^absent\(velero_backup_success_total/);
  });

  it("find a backup late two hours after it should have been there", () => {
    const late = (schedule: string) =>
      rules(schedule).find(({ alert }) => alert === "VeleroBackupLate")?.expr;
    expect(late("27 2 * * *")).to.match(/> 26 \* 3600$/);
    expect(late("5 */6 * * *")).to.match(/> 8 \* 3600$/);
    expect(late("5 3 * * 1")).to.match(/> 170 \* 3600$/);
  });
});

describe("a stack's Velero", () => {
  const enforced = "pod-security.kubernetes.io/enforce";

  it("without node agents is the server alone, in a restricted namespace", async () => {
    const config = structuredClone(stackConfig("production"));
    (config["technova:velero"] as JsonObject).nodeAgent = { enabled: false };
    const { one, all } = await runProgram("production", { config: asEngineConfig(config) });
    expect(all(daemonSet).map(({ name }) => name)).to.not.include("velero-node-agent-daemon");
    const namespace = one(types.namespace, "backup-namespace").inputs;
    expect(at(namespace, "metadata", "labels", enforced)).to.equal("restricted");
    const template = at(one(schedule, "velero-schedule-schedule").inputs, "spec", "template");
    expect(at(template, "defaultVolumesToFsBackup")).to.equal(false);
  });

  it("is not there where the settings do not ask for it", async () => {
    const { resources } = await runProgram("staging");
    expect(resources.filter(({ name }) => /^(velero|backup)/.test(name))).to.deep.equal([]);
  });

  it("may make Pods that copy volumes although admission is what it is: each rule they break is an exception", () => {
    // As Velero makes them; their names are their owners'.
    const names = ["Pod backup/cluster-20270101", "PodVolumeBackup backup/cluster-20270101"];
    const excepted = exceptions
      .filter(({ resource }) => names.some((name) => patternOf(resource).test(name)))
      .map(({ policy }) => policy);
    const broken = [
      ...["no-host-paths", "restricted-volume-types", "no-privilege-escalation", "no-root-containers"],
      ...["no-root-user", "seccomp-profile", "drop-all-capabilities", "read-only-root-file-system"],
      ...["no-unpullable-images", "graceful-shutdown"],
    ];
    expect(excepted).to.have.members(broken);
    const enforcing = admissionPolicies().flatMap(({ validations }) =>
      validations.map(({ message }) => message),
    );
    for (const policy of broken) {
      expect(
        enforcing.some((message) => message.startsWith(`${policy}:`)),
        policy,
      ).to.equal(true);
    }
  });
});
