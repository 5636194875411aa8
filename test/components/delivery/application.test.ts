import { createHash } from "node:crypto";
import { expect } from "chai";
import { mostConnections } from "../../../components/delivery/application";
import { application, image } from "../../support/application";
import { at, settingsWith, types } from "../../support/components";
import { valueOf, type JsonObject } from "../../support/mocks";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

const inCluster: JsonObject = { database: { type: "inCluster", storage: "7Gi" } };

describe("the application", () => {
  it("goes on serving while it is being removed, and is killed only after that", async () => {
    const { one } = await application({ shutdown: { drainSeconds: 12, graceSeconds: 30 } });
    const pod = at(one(types.rollout, "inventory-release-rollout").inputs, "spec", "template", "spec");
    expect(at(pod, "containers", 0, "lifecycle")).to.deep.equal({ preStop: { sleep: { seconds: 12 } } });
    expect(at(pod, "terminationGracePeriodSeconds")).to.be.greaterThan(12 + 30);
  });

  it("leaves the number of Pods to the autoscaler where there is one", async () => {
    const scaled = await application({ replicas: 3, autoscaling: { maxReplicas: 9 } });
    const { inputs, ignoreChanges } = scaled.one(types.rollout, "inventory-release-rollout");
    // Where the first release begins; and where a stack stays that had a fixed number until now.
    expect(at(inputs, "spec", "replicas")).to.equal(3);
    expect(ignoreChanges).to.deep.equal(["spec.replicas"]);
    const spec = at(scaled.one(types.autoscaler, "inventory-autoscaler").inputs, "spec");
    expect(spec).to.deep.include({
      minReplicas: 3,
      maxReplicas: 9,
      scaleTargetRef: { apiVersion: "argoproj.io/v1alpha1", kind: "Rollout", name: "inventory" },
    });
  });

  it("has a fixed number of Pods without one", async () => {
    const settings = await settingsWith();
    const { autoscaling, ...rest } = settings.application;
    expect(autoscaling).not.to.equal(undefined);
    const fixed = await application({}, { settings: rest });
    const { inputs, ignoreChanges } = fixed.one(types.rollout, "inventory-release-rollout");
    expect(at(inputs, "spec", "replicas")).to.equal(3);
    expect(ignoreChanges).to.deep.equal([]);
    expect(fixed.all(types.autoscaler)).to.deep.equal([]);
  });

  it("migrates the schema before the first Pod of a release starts", async () => {
    const { one } = await application({ ...inCluster, schemaRevision: "0003" });
    const job = one(types.job, "inventory-migration-job");
    expect(job.parent).to.equal("inventory-migration");
    const pod = at(job.inputs, "spec", "template", "spec");
    expect((at(pod, "containers", 0, "command") as string[]).slice(0, 4)).to.deep.equal([
      ...["inventory", "migrate", "--to", "0003"],
    ]);
    expect(at(pod, "containers", 0, "image")).to.equal(image);
    expect(at(pod, "restartPolicy")).to.equal("Never");
    expect(job.inputs.spec).not.to.have.property("ttlSecondsAfterFinished");
    // Its name is the provider's: a new template is a new Job, never a change of the old one.
    expect(job.inputs.metadata).not.to.have.property("name");
    const migration = one("technova:delivery:Migration", "inventory-migration");
    expect(migration.dependsOn).to.include("inventory-database-server");
    expect(one("technova:delivery:Release", "inventory-release").dependsOn).to.include(
      "inventory-migration-job",
    );
  });

  it("keeps each version's configuration apart from every other's, for as long as the version can come back", async () => {
    const namesOf = async (changes: JsonObject) => {
      const { one } = await application(changes);
      const map = one(types.configMapPatch, "inventory-config-map");
      const secret = one(types.secretPatch, "inventory-config-secrets");
      const role = one(types.role, "inventory-release-outcome-role");
      return [map, secret].map(({ inputs, plain, retainOnDelete }, index) => {
        expect([inputs.immutable, retainOnDelete]).to.deep.equal([true, true]);
        const name = String(at(plain, "metadata", "name"));
        // What waits for the release may make it live as long as the version, and no other object.
        expect(at(role.inputs, "rules")).to.deep.include({
          apiGroups: [""],
          resources: [index === 0 ? "configmaps" : "secrets"],
          resourceNames: [name],
          verbs: ["patch"],
        });
        return name;
      });
    };
    const [map, secret] = await namesOf({ configuration: { logLevel: "INFO" } });
    const [otherMap, sameSecret] = await namesOf({ configuration: { logLevel: "WARNING" } });
    expect(otherMap).not.to.equal(map);
    expect(sameSecret).to.equal(secret);
    // The same content is the same object again, so that going back makes no other template.
    expect(await namesOf({ configuration: { logLevel: "INFO" } })).to.deep.equal([map, secret]);
  });

  it("keeps secrets out of everything but its Secret, and the key itself out of that too", async () => {
    const { one, resources, result } = await application(inCluster);
    const adminKey = await valueOf(result.adminApiKey);
    const secret = one(types.secretPatch, "inventory-config-secrets");
    expect(secret.inputs.stringData).to.equal("[secret]");
    expect(secret.inputs.immutable).to.equal(true);
    expect(at(secret.inputs, "metadata", "name")).to.match(/^inventory-config-[0-9a-f]{10}$/);
    expect(JSON.parse(String(at(secret.plain, "stringData", "inventory_api_keys")))).to.deep.equal([
      { name: "admin", role: "admin", sha256: sha256(adminKey) },
      { name: "smoke-test", role: "admin", sha256: sha256("password-of-inventory-config-smoke-test-key") },
    ]);
    expect(at(secret.plain, "stringData", "inventory_database_url")).to.equal(
      "postgresql+psycopg://inventory:password-of-inventory-database-application-password" +
        "@inventory-database.inventory.svc:5432/inventory",
    );
    expect(JSON.stringify(resources.map(({ plain }) => plain))).not.to.contain(adminKey);
    expect(JSON.stringify(resources.map(({ inputs }) => inputs))).not.to.contain("password-of-");
  });

  it("reads the address of an external database from the Secret that is there already", async () => {
    const database = { type: "external", cidrs: ["10.40.0.0/24"], existingSecret: "inventory-database" };
    const { one, all } = await application({ database });
    const volume = at(
      one(types.rollout, "inventory-release-rollout").inputs,
      "spec",
      "template",
      "spec",
      "volumes",
      1,
    );
    const own = one(types.secretPatch, "inventory-config-secrets");
    expect(at(volume, "projected", "sources")).to.deep.equal([
      { secret: { name: at(own.plain, "metadata", "name") } },
      { secret: { name: "inventory-database" } },
    ]);
    expect(all(types.statefulSet)).to.deep.equal([]);
  });

  it("takes that Secret with another content for another release, where it is sealed", async () => {
    const database = { type: "external", cidrs: ["10.40.0.0/24"], existingSecret: "inventory-database" };
    const releaseWith = async (value: string, namespace = "inventory") => {
      const object = {
        apiVersion: "bitnami.com/v1alpha1" as const,
        kind: "SealedSecret" as const,
        metadata: { name: "inventory-database", namespace },
        spec: { encryptedData: { inventory_database_url: value } },
      };
      const { one } = await application({ database }, { sealed: [{ path: "x.yaml", object }] });
      const { annotations } = at(
        one(types.rollout, "inventory-release-rollout").inputs,
        ...["spec", "template", "metadata"],
      ) as { annotations: Record<string, string> };
      return [annotations["technova.io/sealed"], annotations["technova.io/release"]];
    };
    const [first, second] = [await releaseWith("AAAA"), await releaseWith("BBBB")];
    expect(first[0]).to.match(/^[0-9a-f]{10}$/);
    expect(await releaseWith("AAAA")).to.deep.equal(first);
    expect(second[0]).not.to.equal(first[0]);
    expect(second[1]).not.to.equal(first[1]);
    expect((await releaseWith("AAAA", "elsewhere"))[0]).to.equal(undefined);
  });

  it("runs its database without rights and with a volume", async () => {
    const { one } = await application(inCluster);
    const spec = at(one(types.statefulSet, "inventory-database-server").inputs, "spec");
    const pod = at(spec, "template", "spec");
    expect(at(pod, "securityContext")).to.deep.include({ runAsNonRoot: true, runAsUser: 999, fsGroup: 999 });
    expect(at(pod, "automountServiceAccountToken")).to.equal(false);
    expect(at(spec, "volumeClaimTemplates", 0, "spec", "resources", "requests", "storage")).to.equal("7Gi");
    expect(at(pod, "containers", 0, "securityContext")).to.deep.include({ readOnlyRootFilesystem: true });
  });

  it("gives the database room for every connection that its Pods can open", async () => {
    const { application: settings } = await settingsWith({
      application: {
        replicas: 3,
        autoscaling: { maxReplicas: 10 },
        configuration: { databasePoolSize: 4 },
      },
    });
    // Three versions of ten Pods, each with its pool and one connection for readiness.
    expect(mostConnections(settings)).to.equal(30 * 5);
    // The same for every strategy: another number would restart the database when the strategy changes.
    for (const type of ["rolling", "blueGreen", "canary"]) {
      const { application: other } = await settingsWith({ application: { strategy: { type } } });
      const { application: usual } = await settingsWith();
      expect(mostConnections(other), type).to.equal(mostConnections(usual));
    }
  });

  it("shows the API to the outside and its metrics to nobody there", async () => {
    const { one } = await application();
    const rule = at(one(types.httpRoute, "inventory-route").inputs, "spec", "rules", 0);
    const paths = (at(rule, "matches") as { path: { value: string } }[]).map(({ path }) => path.value);
    expect(paths).to.deep.equal(["/api", "/healthz", "/readyz"]);
    const headers = at(rule, "filters", 0, "responseHeaderModifier", "set") as {
      name: string;
      value: string;
    }[];
    expect(headers).to.deep.include({ name: "X-Content-Type-Options", value: "nosniff" });
    expect(headers.map(({ name }) => name)).to.include("Strict-Transport-Security");
    expect(at(rule, "backendRefs")).to.deep.equal([{ name: "inventory", port: 80 }]);
  });

  it("is let through to its database and to nothing else", async () => {
    const { all } = await application({
      database: { type: "external", cidrs: ["10.40.0.0/24"], port: 6432 },
    });
    const egress = all(types.networkPolicy).filter(({ name }) => /-(api|migration)-to-.*-egress$/.test(name));
    expect(egress.map(({ name }) => name).sort()).to.deep.equal([
      "inventory-flows-api-to-database-egress",
      "inventory-flows-api-to-dns-egress",
      "inventory-flows-migration-to-database-egress",
      "inventory-flows-migration-to-dns-egress",
      "inventory-flows-migration-to-snapshots-egress",
    ]);
    const database = egress.find(({ name }) => name.includes("api-to-database"));
    expect(at(database?.inputs, "spec", "egress", 0)).to.deep.equal({
      to: [{ ipBlock: { cidr: "10.40.0.0/24" } }],
      ports: [{ port: 6432, protocol: "TCP" }],
    });
  });

  it("runs every container with the restricted defaults, requests and limits", async () => {
    const { all } = await application(inCluster);
    for (const { inputs, name } of [types.rollout, types.statefulSet, types.job].flatMap(all)) {
      const pod = at(inputs, "spec", "template", "spec");
      expect(at(pod, "securityContext", "runAsNonRoot"), name).to.equal(true);
      expect(at(pod, "securityContext", "seccompProfile", "type"), name).to.equal("RuntimeDefault");
      const { containers, initContainers = [] } = pod as Record<string, object[]>;
      for (const container of [...(containers ?? []), ...initContainers]) {
        expect(at(container, "securityContext"), name).to.deep.include({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        });
        expect(at(container, "resources"), name).to.have.all.keys("requests", "limits");
      }
    }
  });
});
