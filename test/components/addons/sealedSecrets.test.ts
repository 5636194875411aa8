import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { stringify } from "yaml";
import { SealedSecrets } from "../../../components/addons/sealedSecrets";
import { readSealedFiles, type SealedFile } from "../../../components/addons/sealedSecrets/files";
import { at, settingsWith, types } from "../../support/components";
import { register, type JsonObject } from "../../support/mocks";
import { changed } from "../../support/policy";
import { rulesOf } from "../../support/rights";

const value = Buffer.alloc(600, 7).toString("base64");

function sealed(name: string, namespace = "inventory"): SealedFile["object"] {
  return {
    apiVersion: "bitnami.com/v1alpha1",
    kind: "SealedSecret",
    metadata: { name, namespace, annotations: { "technova.io/by": "npm run secrets" } },
    spec: { encryptedData: { url: value }, template: { type: "Opaque" } },
  };
}

async function component(objects: readonly SealedFile["object"][] = [], given: JsonObject = {}) {
  const settings = await settingsWith({ sealedSecrets: given });
  const { sealedSecrets } = settings;
  if (sealedSecrets === undefined) throw new Error("it is off");
  const files = objects.map((object) => ({ path: `secrets/staging/${object.metadata.name}.yaml`, object }));
  const args = {
    settings: sealedSecrets,
    files,
    images: settings.images,
    namespace: "sealing",
    priorityClassName: "platform",
    appArmor: true,
  };
  return register(() => new SealedSecrets("sealed-secrets", args));
}

const sealedType = "kubernetes:bitnami.com/v1alpha1:SealedSecret";
const container = "sealed-secrets-controller-deployment";

describe("sealed Secrets", () => {
  it("are objects of the stack, which the update waits for, and which come after what opens them", async () => {
    const { one } = await component([sealed("inventory-database")]);
    const { inputs, dependsOn } = one(sealedType, "sealed-secrets-inventory-inventory-database");
    expect(inputs.spec).to.deep.equal(sealed("inventory-database").spec);
    expect(inputs.metadata).to.deep.include({ name: "inventory-database", namespace: "inventory" });
    expect(at(inputs, "metadata", "annotations")).to.deep.equal({
      "technova.io/by": "npm run secrets",
      "pulumi.com/waitFor": "condition=Synced",
    });
    expect(dependsOn).to.include(container);
    const controller = one("technova:addons:SealedSecretsController", "sealed-secrets-controller");
    expect(controller.dependsOn).to.include.members([
      "sealed-secrets-definition-customresourcedefinition-sealedsecrets.bitnami.com",
      "sealed-secrets-access-inventory-binding",
    ]);
  });

  it("are opened by a controller that looks where the settings say, and renews its key when they say", async () => {
    const { one } = await component([], { namespaces: ["inventory", "gateway"], keyRenewalDays: 7 });
    const { spec } = one(types.deployment, container).inputs;
    expect(spec).to.deep.include({ replicas: 1, strategy: { type: "Recreate" } });
    const pod = at(spec, "template", "spec");
    expect(at(pod, "containers", 0, "args")).to.include.members([
      "--all-namespaces=false",
      "--additional-namespaces=inventory,gateway",
      "--key-renew-period=168h",
    ]);
    expect(at(pod, "containers", 0, "image")).to.match(
      /docker\.io\/bitnami\/sealed-secrets-controller:0\.40\.0$/,
    );
    expect(at(pod, "securityContext")).to.deep.include({
      runAsNonRoot: true,
      appArmorProfile: { type: "RuntimeDefault" },
    });
    expect(at(pod, "containers", 0, "securityContext")).to.include({ readOnlyRootFilesystem: true });
    expect(at(spec, "template", "metadata", "annotations")).to.deep.include({ "prometheus.io/port": "8081" });
  });

  it("give the controller the Secrets that are sealed by name, and no other outside of its namespace", async () => {
    const { all, one } = await component([sealed("a"), sealed("b"), sealed("tls", "gateway")]);
    expect(all(types.clusterRole)).to.deep.equal([]);
    const secretsOf = (role: string) =>
      rulesOf(one(types.role, `sealed-secrets-access-${role}-role`)).filter(({ resources }) =>
        resources.includes("secrets"),
      );
    expect(secretsOf("inventory")).to.deep.equal([
      { apiGroups: [""], resources: ["secrets"], resourceNames: [], verbs: ["create"] },
      { apiGroups: [""], resources: ["secrets"], resourceNames: ["a", "b"], verbs: ["get", "update"] },
    ]);
    expect(secretsOf("gateway")[1]?.resourceNames).to.deep.equal(["tls"]);
  });

  it("give it none where nothing is sealed, for no names would be all names", async () => {
    const { one } = await component();
    const rules = rulesOf(one(types.role, "sealed-secrets-access-inventory-role"));
    expect(rules.flatMap(({ resources }) => resources)).to.not.include("secrets");
  });
});

describe("the files of sealed Secrets", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "sealed-"));
    mkdirSync(join(root, "secrets/staging"), { recursive: true });
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const put = (name: string, content: object | string) =>
    writeFileSync(
      join(root, "secrets/staging", name),
      typeof content === "string" ? content : stringify(content),
    );
  const read = (namespaces = ["inventory"]) => readSealedFiles(root, "staging", namespaces);

  it("are read in the order of their names, and nothing else is", () => {
    put("b.yaml", sealed("b"));
    put("a.yaml", sealed("a"));
    put("README.md", "Notes.");
    expect(read().problems).to.deep.equal([]);
    expect(read().files.map(({ path }) => path)).to.deep.equal([
      "secrets/staging/a.yaml",
      "secrets/staging/b.yaml",
    ]);
    expect(readSealedFiles(root, "production", ["inventory"])).to.deep.equal({ files: [], problems: [] });
  });

  const sentinel = "correct-horse-battery";
  const wrong: readonly (readonly [what: string, content: object | string, told: RegExp])[] = [
    [
      "a Secret",
      { apiVersion: "v1", kind: "Secret", metadata: { name: "a", namespace: "inventory" } },
      /it takes bitnami/,
    ],
    [
      "a value that is not sealed",
      changed(sealed("a"), ["spec", "encryptedData", "url"], sentinel),
      /encryptedData\.url: it takes a sealed value/,
    ],
    [
      "the encoding of a value",
      changed(sealed("a"), ["spec", "encryptedData", "url"], Buffer.from(sentinel).toString("base64")),
      /a sealed value/,
    ],
    [
      "a value beside the sealed ones",
      changed(sealed("a"), ["spec", "template", "data"], { url: sentinel }),
      /template: data would be readable/,
    ],
    [
      "a value in the old form",
      changed(sealed("a"), ["spec", "data"], sentinel),
      /spec: data would be readable/,
    ],
    ["nothing but a kind", { kind: "SealedSecret" }, /spec: it takes an object with encryptedData/],
    [
      "no namespace",
      changed(sealed("a"), ["metadata", "namespace"], undefined),
      /metadata\.namespace: it takes a name/,
    ],
    [
      "another namespace than the controller's",
      sealed("a", "gateway"),
      /is for gateway; technova:sealedSecrets\.namespaces has inventory/,
    ],
    ["no YAML", `a: b: ${sentinel}`, /is not YAML of one object/],
    ["two objects", `${stringify(sealed("a"))}---\n${stringify(sealed("b"))}`, /is not YAML of one object/],
  ];
  for (const [what, content, told] of wrong) {
    it(`are refused with ${what}, which is not shown`, () => {
      put("a.yaml", content);
      const { files, problems } = read();
      expect(files).to.deep.equal([]);
      expect(problems.join("\n"))
        .to.match(/^secrets\/staging\/a\.yaml: /)
        .and.match(told);
      expect(problems.join("\n")).to.not.contain(sentinel);
    });
  }

  it("are refused where two are for the same Secret, and where nothing would open them", () => {
    put("a.yaml", sealed("a"));
    expect(read([]).problems).to.deep.equal([
      "secrets/staging/a.yaml: technova:sealedSecrets is off, so nothing opens it",
    ]);
    put("b.yaml", sealed("a"));
    expect(read().problems).to.deep.equal([
      "secrets/staging/b.yaml: is for inventory/a, as secrets/staging/a.yaml is",
    ]);
  });
});
