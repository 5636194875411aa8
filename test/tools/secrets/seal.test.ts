import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { parse } from "yaml";
import { readSealedFiles, type SealedSecretObject } from "../../../components/addons/sealedSecrets/files";
import { noSecretsInMetadata, strictSealedSecrets } from "../../../policy/secrets";
import { readCertificate, type SealingCertificate } from "../../../tools/secrets/certificate";
import type { SealingKey } from "../../../tools/secrets/keys";
import { labelOf, sealValue } from "../../../tools/secrets/seal";
import { sealInto } from "../../../tools/secrets/sealedFile";
import { outcome } from "../../support/policy";
import { messageOfFailure, temporaryFolder, write } from "../engine/support";
import { sealingKey, unseal } from "./sealingKeys";

const sentinel = "correct-horse-battery-staple";
const now = new Date("2026-06-01");
const place = { namespace: "inventory", name: "inventory-database" };

describe("a sealed value", () => {
  let key: SealingKey;
  let certificate: SealingCertificate;
  before(async () => {
    key = await sealingKey();
    certificate = readCertificate(key.certificate, "the certificate", now);
  });

  const seal = (value: string, scope: Parameters<typeof labelOf>[1] = "strict") =>
    sealValue(certificate.publicKey, Buffer.from(value), labelOf(place, scope));

  it("is opened with the private key, under its name and in its namespace", () => {
    for (const value of [sentinel, "ü€😀\n\0", "x".repeat(100_000)]) {
      expect(unseal(seal(value), key.privateKey, "inventory/inventory-database")).to.equal(value);
    }
  });

  it("is opened under no other name, in no other namespace and with no other key", async () => {
    const sealed = seal(sentinel);
    const labels = [
      "inventory/other",
      "gateway/inventory-database",
      "inventory",
      "",
      "inventory/inventory-databas",
    ];
    for (const label of labels) expect(() => unseal(sealed, key.privateKey, label), label).to.throw();
    const other = await sealingKey("other");
    expect(() => unseal(sealed, other.privateKey, "inventory/inventory-database")).to.throw();
  });

  it("is not opened with one bit of it changed", () => {
    const bytes = Buffer.from(seal(sentinel), "base64");
    for (const at of [1, 2, 200, bytes.length - 20, bytes.length - 1]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const text = changed.toString("base64");
      expect(() => unseal(text, key.privateKey, "inventory/inventory-database"), `${at}`).to.throw();
    }
  });

  it("is another each time, and shows nothing of the value but its length", () => {
    const [one, other] = [seal(sentinel), seal(sentinel)];
    expect(one).to.not.equal(other);
    expect(Buffer.from(one, "base64")).to.have.length(2 + 256 + sentinel.length + 16);
    expect(Buffer.from(one, "base64").toString("latin1")).to.not.contain(sentinel.slice(0, 6));
  });

  it("is opened as widely as its scope says", () => {
    expect(unseal(seal("a", "namespace-wide"), key.privateKey, "inventory")).to.equal("a");
    expect(unseal(seal("a", "cluster-wide"), key.privateKey, "")).to.equal("a");
  });

  describe("in a file", () => {
    let root: string;
    beforeEach(() => {
      root = temporaryFolder();
    });
    const put = (changes: Partial<Parameters<typeof sealInto>[2]> = {}) =>
      sealInto(
        root,
        "staging",
        { ...place, key: "url", value: Buffer.from(sentinel), scope: "strict", ...changes },
        certificate,
      );
    const contentOf = (path: string) => parse(readFileSync(join(root, path), "utf8")) as SealedSecretObject;

    it("is what the program reads, breaks no policy, and says what it was sealed with", () => {
      const path = put({ type: "kubernetes.io/tls" });
      expect(path).to.equal("secrets/staging/inventory.inventory-database.yaml");
      const { files, problems } = readSealedFiles(root, "staging", ["inventory"]);
      expect(problems).to.deep.equal([]);
      const [object] = files.map((file) => file.object);
      expect(object?.metadata).to.deep.equal({
        ...place,
        annotations: { "technova.io/sealed-with": certificate.fingerprint },
      });
      expect(object?.spec.template).to.deep.equal({ type: "kubernetes.io/tls" });
      const type = "kubernetes:bitnami.com/v1alpha1:SealedSecret";
      for (const policy of [strictSealedSecrets, noSecretsInMetadata]) {
        const judged = outcome(policy, type, object ?? {});
        expect(judged, policy.name).to.deep.equal({ violations: [], undecided: [] });
      }
      expect(readFileSync(join(root, path), "utf8")).to.not.contain(sentinel);
    });

    it("leaves the other keys as they are, and takes the place of its own", () => {
      put();
      const path = put({ key: "password", value: Buffer.from("first") });
      const before = contentOf(path).spec.encryptedData;
      put({ key: "password", value: Buffer.from("second") });
      const after = contentOf(path).spec.encryptedData;
      expect(Object.keys(after)).to.deep.equal(["url", "password"]);
      expect(after.url).to.equal(before.url);
      const opened = (key_: string) =>
        unseal(after[key_] ?? "", key.privateKey, "inventory/inventory-database");
      expect([opened("url"), opened("password")]).to.deep.equal([sentinel, "second"]);
    });

    it("is bound to its name and namespace only, unless somebody says otherwise", () => {
      const path = put({ scope: "namespace-wide" });
      const type = "kubernetes:bitnami.com/v1alpha1:SealedSecret";
      expect(outcome(strictSealedSecrets, type, contentOf(path)).violations).to.have.length(1);
    });

    it("changes nothing where the file is somebody else's, or its keys would not open", async () => {
      const path = put();
      const before = readFileSync(join(root, path), "utf8");
      expect(await messageOfFailure(() => put({ scope: "cluster-wide" }))).to.contain(
        "with the scope strict",
      );
      expect(await messageOfFailure(() => put({ type: "kubernetes.io/tls" }))).to.contain(
        "is of type Opaque",
      );
      expect(readFileSync(join(root, path), "utf8")).to.equal(before);
      write(root, path, before.replace("name: inventory-database", "name: other"));
      expect(await messageOfFailure(() => put())).to.contain("is for inventory/other");
      for (const content of ["kind: Secret", `a: b: ${sentinel}`]) {
        write(root, path, content);
        const message = await messageOfFailure(() => put());
        expect(message).to.contain("is no sealed Secret").and.not.contain(sentinel);
        expect(readFileSync(join(root, path), "utf8")).to.equal(content);
      }
    });
  });
});

describe("a certificate to seal with", () => {
  const told = (pem: string) => messageOfFailure(() => readCertificate(pem, "cert.pem", now));

  it("is the controller's, and not over", async () => {
    expect(await told("no PEM")).to.equal("cert.pem is no certificate in PEM.");
    const over = await sealingKey("over", { from: "2020-01-01", to: "2026-05-31" });
    expect(await told(over.certificate)).to.contain("valid until 2026-05-31 only");
    const short = await sealingKey("short", { bits: 1024 });
    expect(await told(short.certificate)).to.contain("2048 bits or more");
  });

  it("is never taken for a private key", async () => {
    const { privateKey } = await sealingKey();
    expect(await told(privateKey)).to.equal("cert.pem is no certificate in PEM.");
  });
});
