import { expect } from "chai";
import type { Application } from "../../../components/delivery/application";
import { storePort } from "../../../components/delivery/store";
import { application as applicationWith, image } from "../../support/application";
import { at, settingsWith, types } from "../../support/components";
import { outcome } from "../../support/policy";
import { policies } from "../../../policy/policies";
import type { JsonObject, Recording } from "../../support/mocks";

const newer = `ghcr.io/technova/inventory@sha256:${"ab".repeat(32)}`;
const inCluster: JsonObject = { type: "inCluster", storage: "7Gi" };
const s3: JsonObject = { type: "s3", bucket: "backups", region: "eu-1", cidrs: ["10.41.0.0/24"] };
const downgrade = {
  to: "0003",
  image: { repository: "technova/inventory", digest: `sha256:${"ab".repeat(32)}` },
  allowDataLoss: true,
};
const claimType = "kubernetes:core/v1:PersistentVolumeClaim";

const application = (migration: JsonObject = {}, others: JsonObject = {}): Promise<Recording<Application>> =>
  applicationWith(
    { database: inCluster, migration, ...others },
    migration.downgrade === undefined ? {} : { downgradeImage: newer },
  );

interface Container {
  readonly name: string;
  readonly image: string;
  readonly command: string[];
  readonly terminationMessagePolicy: string;
  readonly volumeMounts: { name: string; mountPath: string; readOnly?: boolean }[];
}

/** All containers of the Job in the order in which they run. */
function steps({ one }: Recording<Application>, job = "inventory-migration-job"): Container[] {
  const pod = at(one(types.job, job).inputs, "spec", "template", "spec");
  return [...(at(pod, "initContainers") as Container[]), ...(at(pod, "containers") as Container[])];
}

function volume({ one }: Recording<Application>, name: string, job = "inventory-migration-job"): unknown {
  const volumes = at(one(types.job, job).inputs, "spec", "template", "spec", "volumes") as { name: string }[];
  return volumes.find((each) => each.name === name);
}

describe("the migration", () => {
  it("checks first, keeps the database, and only then changes it", async () => {
    const found = await application();
    const [check, dump, migrate, ...rest] = steps(found);
    expect(rest).to.deep.equal([]);
    const command = [
      ...["inventory", "migrate", "--to", "0004"],
      ...["--in-use-file", "/etc/inventory/releases/schema-revisions"],
    ];
    expect(check?.command).to.deep.equal([
      ...[...command, "--check", "--snapshot-plan", "/run/snapshot-plan"],
      ...["--snapshot-when", "schemaChange"],
    ]);
    expect(dump?.image).to.match(/\/library\/postgres:/);
    expect(dump?.command).to.deep.equal([
      ...["sh", "/etc/snapshot/scripts/snapshot.sh", "/run/snapshot-plan", "/snapshots", "10"],
    ]);
    expect(migrate?.command).to.deep.equal(command);
    for (const step of [check, dump, migrate]) {
      expect(step?.terminationMessagePolicy).to.equal("FallbackToLogsOnError");
    }
  });

  it("shows the database's address to the service's own image only, and writes it down in memory", async () => {
    const found = await application();
    const sees = (name: string) =>
      steps(found)
        .filter(({ volumeMounts }) => volumeMounts.some((mount) => mount.name === name))
        .map((container) => container.name);
    expect(sees("secrets")).to.deep.equal(["check", "inventory"]);
    expect(sees("snapshot-plan")).to.deep.equal(["check", "dump"]);
    expect(sees("snapshots")).to.deep.equal(["dump"]);
    expect(volume(found, "snapshot-plan")).to.deep.equal({
      name: "snapshot-plan",
      emptyDir: { medium: "Memory", sizeLimit: "1Mi" },
    });
  });

  it("keeps snapshots on a volume unless it is told otherwise", async () => {
    const found = await application();
    const claim = found.one(claimType, "inventory-migration-snapshots-volume");
    expect(at(claim.inputs, "metadata", "name")).to.equal("inventory-snapshots");
    expect(claim.inputs.spec).to.deep.equal({
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "5Gi" } },
    });
    expect(volume(found, "snapshots")).to.deep.equal({
      name: "snapshots",
      persistentVolumeClaim: { claimName: "inventory-snapshots" },
    });
    const snapshot = { type: "volume", storage: "9Gi", storageClassName: "fast", retain: 3, when: "always" };
    const other = await application({ snapshot });
    const [check, dump] = steps(other);
    expect(check?.command.at(-1)).to.equal("always");
    expect(dump?.command.at(-1)).to.equal("3");
    expect(other.one(claimType, "inventory-migration-snapshots-volume").inputs.spec).to.deep.equal({
      accessModes: ["ReadWriteOnce"],
      storageClassName: "fast",
      resources: { requests: { storage: "9Gi" } },
    });
  });

  it("stores them elsewhere with keys of a Secret that only that step sees", async () => {
    const snapshot = {
      ...s3,
      prefix: "a/b",
      endpoint: "https://s3.example.com:9000",
      existingSecret: "keys",
      retain: 4,
      temporaryStorage: "2Gi",
    };
    const found = await application({ snapshot });
    const [, dump, store, migrate] = steps(found);
    expect(dump?.command.at(-1)).to.equal("0");
    expect(store?.image).to.equal(image);
    expect(store?.command).to.deep.equal([
      ...["inventory", "snapshot", "upload", "--folder", "/snapshots", "--bucket", "backups"],
      ...["--region", "eu-1", "--prefix", "a/b", "--endpoint", "https://s3.example.com:9000"],
      ...["--credentials", "/etc/snapshot/credentials", "--retain", "4"],
    ]);
    const withKeys = steps(found).filter(({ volumeMounts }) =>
      volumeMounts.some(({ name }) => name === "snapshot-credentials"),
    );
    expect(withKeys.map(({ name }) => name)).to.deep.equal(["store"]);
    expect(store?.volumeMounts.map(({ name }) => name)).not.to.include.members(["secrets"]);
    expect(volume(found, "snapshot-credentials")).to.deep.equal({
      name: "snapshot-credentials",
      secret: { secretName: "keys", defaultMode: 0o440 },
    });
    expect(volume(found, "snapshots")).to.deep.equal({ name: "snapshots", emptyDir: { sizeLimit: "2Gi" } });
    expect(migrate?.command.slice(0, 2)).to.deep.equal(["inventory", "migrate"]);
    expect(found.all(claimType)).to.deep.equal([]);
    const flow = found.one(types.networkPolicy, "inventory-flows-migration-to-snapshots-egress");
    expect(at(flow.inputs, "spec", "egress")).to.deep.equal([
      { to: [{ ipBlock: { cidr: "10.41.0.0/24" } }], ports: [{ port: 9000, protocol: "TCP" }] },
    ]);
  });

  it("gives the Job an account of its own where a cloud has to know it", async () => {
    const accountAnnotations = { "example.com/role": "snapshots" };
    const found = await application({ snapshot: { ...s3, accountAnnotations } });
    const account = found.one(types.serviceAccount, "inventory-migration-snapshots-account");
    expect(account.inputs.metadata).to.deep.include({
      name: "inventory-migration",
      annotations: accountAnnotations,
    });
    const pod = at(found.one(types.job, "inventory-migration-job").inputs, "spec", "template", "spec");
    expect(at(pod, "serviceAccountName")).to.equal("inventory-migration");
    const serving = found.one(types.rollout, "inventory-release-rollout").inputs;
    expect(at(serving, "spec", "template", "spec", "serviceAccountName")).to.equal(
      "inventory-account-1a2b3c4d",
    );
    expect(steps(found)[2]?.command).not.to.include("--credentials");
  });

  it("takes none where the settings have a reason for that, and still checks first", async () => {
    const found = await application({ snapshot: { type: "none", reason: "A copy is made every minute." } });
    expect(steps(found).map(({ name }) => name)).to.deep.equal(["check", "inventory"]);
    expect(steps(found)[0]?.command.at(-1)).to.equal("--check");
    expect(found.all(claimType)).to.deep.equal([]);
    expect(found.all(types.networkPolicy).filter(({ name }) => name.includes("snapshots"))).to.deep.equal([]);
  });

  it("learns which versions are in use from a ConfigMap that need not be there yet", async () => {
    expect(volume(await application(), "releases")).to.deep.equal({
      name: "releases",
      configMap: { name: "inventory-releases", optional: true },
    });
  });

  it("has the pattern of a Job that restores a snapshot, which nothing but a person starts", async () => {
    const job = "inventory-migration-restore-pattern";
    for (const [snapshot, names] of [
      [{ type: "volume" }, ["connect", "restore"]],
      [{ ...s3, existingSecret: "keys" }, ["connect", "fetch", "restore"]],
    ] as const) {
      const { one } = await application({ snapshot });
      const { spec, metadata } = one(types.cronJob, job).inputs;
      expect(at(metadata, "name")).to.equal("inventory-restore");
      expect(at(spec, "suspend")).to.equal(true);
      const pod = at(spec, "jobTemplate", "spec", "template", "spec");
      const containers = ["initContainers", "containers"].flatMap((key) => at(pod, key) as Container[]);
      expect(containers.map(({ name }) => name)).to.deep.equal(names);
      expect(containers.at(-1)?.command).to.deep.equal([
        ...["sh", "/etc/snapshot/scripts/restore.sh", "/snapshots/$(SNAPSHOT)", "/run/snapshot-plan"],
      ]);
      for (const container of containers.slice(1)) {
        expect(at(container, "env", 0, "valueFrom", "configMapKeyRef")).to.deep.equal({
          name: "inventory-restore",
          key: "snapshot",
        });
      }
      if (names.length === 3) {
        expect(containers[1]?.command).to.include.members(["download", "--name", "$(SNAPSHOT)"]);
      }
    }
    const none = await application({ snapshot: { type: "none", reason: "A copy is made every minute." } });
    expect(none.all(types.cronJob).filter(({ name }) => name.includes("migration"))).to.deep.equal([]);
  });

  it("violates no policy, wherever snapshots go", async () => {
    const snapshots: JsonObject[] = [{ type: "volume" }, { ...s3, existingSecret: "keys" }];
    for (const snapshot of snapshots) {
      const { resources } = await application({ snapshot, downgrade }, { schemaRevision: "0003" });
      const own = resources.filter(({ type }) =>
        /:(Job|CronJob|ConfigMap|PersistentVolumeClaim)$/.test(type),
      );
      expect(own.length).to.be.greaterThan(4);
      for (const { type, name, plain } of own) {
        for (const policy of policies) {
          const found = outcome(policy, type, plain);
          expect(found, `${policy.name} on ${name}`).to.deep.equal({ violations: [], undecided: [] });
        }
      }
    }
  });

  it("goes back to an older revision after the older version is released, and not before it is kept", async () => {
    const found = await application({ downgrade }, { schemaRevision: "0003" });
    const [check, dump, back, ...rest] = steps(found, "inventory-downgrade");
    expect(rest).to.deep.equal([]);
    expect(check?.command.slice(0, 5)).to.deep.equal([
      ...["inventory", "downgrade", "--to", "0003", "--check"],
    ]);
    expect(check?.image).to.equal(newer);
    expect(dump?.command[1]).to.equal("/etc/snapshot/scripts/snapshot.sh");
    expect(back?.command).to.deep.equal(["inventory", "downgrade", "--to", "0003"]);
    expect(back?.image).to.equal(newer);
    expect(volume(found, "snapshots", "inventory-downgrade")).to.deep.include({
      persistentVolumeClaim: { claimName: "inventory-snapshots" },
    });
    const component = found.one("technova:delivery:Downgrade", "inventory-downgrade");
    expect(component.dependsOn).to.include("inventory-release-rollout");
    const labels = at(
      found.one(types.job, "inventory-downgrade").inputs,
      "spec",
      "template",
      "metadata",
      "labels",
    );
    // What the migration may reach, it may too.
    expect(labels).to.deep.include({ "app.kubernetes.io/component": "migration" });
    expect(found.all("technova:delivery:Downgrade")).to.have.length(1);
    const careful = await application(
      { downgrade: { ...downgrade, allowDataLoss: false } },
      { schemaRevision: "0003" },
    );
    const commands = steps(careful, "inventory-downgrade").map(({ command }) => command);
    const refusing = ["inventory", "downgrade", "--to", "0003", "--keep-data"];
    expect(commands.at(-1)).to.deep.equal(refusing);
    expect(commands[0]?.slice(0, 6)).to.deep.equal([...refusing, "--check"]);
    expect((await application()).all("technova:delivery:Downgrade")).to.deep.equal([]);
  });
});

describe("the port of a store", () => {
  for (const [endpoint, port] of [
    [undefined, 443],
    ["https://s3.example.com", 443],
    ["http://s3.example.com", 80],
    ["http://s3.example.com:9000", 9000],
  ] as const) {
    it(`is ${port} for ${endpoint ?? "none of its own"}`, async () => {
      const snapshot = { ...s3, ...(endpoint === undefined ? {} : { endpoint }) };
      const { application: settings } = await settingsWith({ application: { migration: { snapshot } } });
      const parsed = settings.migration.snapshot;
      if (parsed.type !== "s3") throw new Error("it is no store");
      expect(storePort(parsed)).to.equal(port);
    });
  }
});
