import { expect } from "chai";
import { parse } from "yaml";
import { readKnown, withImageOf, withRecovery } from "../../../tools/recover/settings";
import {
  readSecrets,
  sealedSecrets,
  sealingNotes,
  secretsToBring,
  storeKeys,
} from "../../../tools/recover/secrets";
import { readCertificate } from "../../../tools/secrets/certificate";
import { fingerprintOf, type SealingKey } from "../../../tools/secrets/keys";
import { sealInto } from "../../../tools/secrets/sealedFile";
import { temporaryFolder, write } from "../engine/support";
import { sealingKey } from "../secrets/sealingKeys";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";

const text = `config:
  technova:gateway:
    tls: { mode: existingSecret, secretName: inventory-tls }
  technova:velero: { store: { existingSecret: velero-store } }
  technova:application:
    # What runs.
    version: 1.0.1
    image: { repository: technova/inventory, digest: "sha256:new" }
    schemaRevision: "0005"
    database: { type: inCluster, storage: 1Gi }
    backup:
      store: { bucket: backups, region: north, existingSecret: inventory-backup }
      walArchiving: {}
`;

describe("the settings of a recovery", () => {
  it("know which Secrets no state has, and where backups are", () => {
    const known = readKnown(text, "Pulumi.x.yaml", "technova");
    expect(known.outsideSecrets.map(({ namespace, name }) => `${namespace}/${name}`)).to.deep.equal([
      "inventory/inventory-backup",
      "gateway/inventory-tls",
      "backup/velero-store",
    ]);
    expect(known.backup).to.deep.include({ logged: true });
    expect(known.databaseType).to.equal("inCluster");
    const off = text.replace("walArchiving: {}", "walArchiving: { enabled: false }");
    expect(readKnown(off, "x", "technova").backup?.logged).to.equal(false);
  });

  it("take image, version and schema from the archive, and leave everything else", () => {
    const then = {
      "technova:application": {
        version: "1.0.0",
        image: { repository: "technova/inventory", digest: "sha256:old" },
        schemaRevision: "0005",
        replicas: 9,
      },
    };
    const changed = withImageOf(text, then, "technova");
    expect(changed.changed).to.deep.equal(["version", "image"]);
    expect(changed.text).to.contain("# What runs.");
    const { config } = parse(changed.text) as { config: Record<string, Record<string, unknown>> };
    expect(config["technova:application"]).to.deep.include({
      version: "1.0.0",
      image: { repository: "technova/inventory", digest: "sha256:old" },
    });
    expect(config["technova:application"]).to.not.have.property("replicas");
    expect(withImageOf(changed.text, then, "technova")).to.deep.equal({ text: changed.text, changed: [] });
    expect(withImageOf(text, {}, "technova").text).to.equal(text);
  });

  it("say where the data comes from for one update, and are the same without", () => {
    const filled = withRecovery(text, { time: "latest" }, "technova");
    const { config } = parse(filled) as { config: Record<string, { database: unknown }> };
    expect(config["technova:application"]?.database).to.deep.equal({
      type: "inCluster",
      storage: "1Gi",
      recovery: { time: "latest" },
    });
    expect(parse(withRecovery(filled, undefined, "technova"))).to.deep.equal(parse(text));
  });

  it("name a time in quotes, as the CLI would take it for something else", () => {
    const time = "2026-01-31T12:00:00.5Z";
    expect(withRecovery(text, { time }, "technova")).to.contain(`recovery: { time: "${time}" }`);
  });
});

describe("Secrets that people have put into a cluster", () => {
  const { outsideSecrets } = readKnown(text, "Pulumi.x.yaml", "technova");
  const secret = (
    namespace: string,
    name: string,
    stringData: Record<string, string> = { key: "value" },
  ) => ({
    kind: "Secret",
    metadata: { namespace, name },
    stringData,
  });
  const others = [secret("gateway", "inventory-tls"), secret("backup", "velero-store")];
  const env = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "sentinel" };

  it("are those given, and for the backups' bucket the keys at hand", () => {
    const keys = storeKeys(outsideSecrets, others, env);
    const made = secretsToBring(outsideSecrets, others, keys);
    expect(made.map(({ metadata }) => metadata.name)).to.have.members([
      "inventory-tls",
      "velero-store",
      "inventory-backup",
    ]);
    const given = secret("inventory", "inventory-backup", { access_key_id: "a", secret_access_key: "b" });
    expect(storeKeys(outsideSecrets, [given], env)).to.deep.equal({
      access_key_id: "a",
      secret_access_key: "b",
    });
    expect(secretsToBring(outsideSecrets, [...others, given], keys)).to.have.length(3);
  });

  it("are named where nobody has them, and no value of any", () => {
    expect(() => secretsToBring(outsideSecrets, [], storeKeys(outsideSecrets, [], env))).to.throw(
      /gateway\/inventory-tls \(technova:gateway\.tls\.secretName\)\n  backup\/velero-store/,
    );
    expect(storeKeys(outsideSecrets, [], {})).to.equal(undefined);
  });

  it("are another one in each namespace, though they have the same name", () => {
    const needed = outsideSecrets.map((each) => ({ ...each, name: "same" }));
    const keys = { access_key_id: "id", secret_access_key: "sentinel" };
    expect(() => secretsToBring(needed, [secret("gateway", "same")], keys)).to.throw("backup/same");
  });

  it("are read from files as kubectl writes them", () => {
    const folder = mkdtempSync(join(tmpdir(), "secrets-test-"));
    try {
      const list = { kind: "List", items: others };
      writeFileSync(join(folder, "a.json"), JSON.stringify(list));
      writeFileSync(join(folder, "b.yaml"), `${JSON.stringify(secret("inventory", "x"))}\n---\n`);
      expect(readSecrets(folder).map(({ metadata }) => metadata.name)).to.deep.equal([
        "inventory-tls",
        "velero-store",
        "x",
      ]);
      writeFileSync(join(folder, "c.yaml"), "kind: ConfigMap\ndata: { a: sentinel-value }\n");
      expect(() => readSecrets(folder)).to.throw(/c\.yaml has something that is no Secret/);
      expect(() => readSecrets(join(folder, "none"))).to.throw(/there is no/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("Secrets that are sealed in the repository", () => {
  const [stack, namespaces] = ["x", ["inventory"]];
  let key: SealingKey;
  let root: string;
  before(async () => (key = await sealingKey()));
  beforeEach(() => {
    root = temporaryFolder();
    const certificate = readCertificate(key.certificate, "x", new Date());
    const sealing = { key: "access_key_id", value: Buffer.from("sentinel"), scope: "strict" } as const;
    sealInto(root, stack, { ...sealing, namespace: "inventory", name: "inventory-backup" }, certificate);
  });

  it("are neither asked for nor brought: their controller makes none beside those of others", () => {
    const { outsideSecrets } = readKnown(text, "Pulumi.x.yaml", "technova");
    const sealed = sealedSecrets(root, stack, namespaces);
    const given = ["inventory/inventory-backup", "gateway/inventory-tls", "backup/velero-store"].map(
      (each) => {
        const [namespace = "", name = ""] = each.split("/");
        return { metadata: { namespace, name }, stringData: { access_key_id: "a", secret_access_key: "b" } };
      },
    );
    const keys = storeKeys(outsideSecrets, given, {});
    expect(keys).to.deep.equal({ access_key_id: "a", secret_access_key: "b" });
    const names = (brought: ReturnType<typeof secretsToBring>) =>
      brought.map(({ metadata }) => metadata.name);
    expect(names(secretsToBring(outsideSecrets, given, keys, sealed))).to.deep.equal([
      "inventory-tls",
      "velero-store",
    ]);
    expect(names(secretsToBring(outsideSecrets, given.slice(1), undefined, sealed))).to.have.length(2);
  });

  it("need their keys, which is said where nobody gives them", () => {
    const sealed = sealedSecrets(root, stack, namespaces);
    expect(sealingNotes(stack, sealed, namespaces, undefined).join()).to.match(
      /secrets\/x only the old cluster's keys open.*--sealing-keys.*restore-key <file> --stack x/,
    );
    expect(sealingNotes(stack, [], namespaces, undefined)).to.deep.equal([]);
    expect(sealingNotes(stack, sealed, namespaces, [key])).to.deep.equal([]);
  });

  it("are not to be had with other keys, without a controller, or when they are none", async () => {
    const other = await sealingKey("sealed-secrets-key2");
    const sealed = sealedSecrets(root, stack, namespaces);
    expect(() => sealingNotes(stack, sealed, namespaces, [other])).to.throw(
      `secrets/x/inventory.inventory-backup.yaml (${fingerprintOf(key)})`,
    );
    expect(() => sealingNotes(stack, [], [], [key])).to.throw(/no controller for sealed Secrets/);
    write(root, "secrets/x/broken.yaml", "kind: Secret");
    expect(() => sealedSecrets(root, stack, namespaces)).to.throw(
      /put right:\n {2}secrets\/x\/broken\.yaml: /,
    );
  });

  it("are those of the namespaces that the settings name, where they have a controller", () => {
    const sealing = (value: string) =>
      readKnown(text.replace("config:", `config:\n  technova:sealedSecrets: ${value}`), "x", "technova")
        .sealingNamespaces;
    expect(sealing("{}")).to.deep.equal(["inventory"]);
    expect(sealing("{ namespaces: [gateway, backup] }")).to.deep.equal(["gateway", "backup"]);
    expect(sealing("{ enabled: false }")).to.deep.equal([]);
    expect(readKnown(text, "x", "technova").sealingNamespaces).to.deep.equal([]);
  });
});
