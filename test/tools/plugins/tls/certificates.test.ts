import { expect } from "chai";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { kindsProvider } from "../../../../tools/plugins/rpc/kinds";
import { Secret, withoutSecrets, type PropertyMap } from "../../../../tools/plugins/rpc/values";
import { certRequest, locallySignedCert, selfSignedCert } from "../../../../tools/plugins/tls/certificates";
import { getPublicKey, privateKey } from "../../../../tools/plugins/tls/keys";
import { resource } from "../operations";

type Made = Record<
  | "privateKeyPem"
  | "privateKeyPemPkcs8"
  | "privateKeyOpenssh"
  | "publicKeyPem"
  | "publicKeyOpenssh"
  | "publicKeyFingerprintMd5"
  | "publicKeyFingerprintSha256"
  | "certPem"
  | "certRequestPem"
  | "validityStartTime"
  | "validityEndTime",
  string
>;

const provider = kindsProvider("5.6.1", {
  CertRequest: certRequest,
  LocallySignedCert: locallySignedCert,
  PrivateKey: privateKey,
  SelfSignedCert: selfSignedCert,
});
const kind = (name: string) => resource(provider, name);

async function make(name: string, inputs: PropertyMap): Promise<Made> {
  return withoutSecrets((await kind(name).create(inputs)).properties) as unknown as Made;
}

const makeKey = (algorithm = "ECDSA", ecdsaCurve = "P256") => make("PrivateKey", { algorithm, ecdsaCurve });

async function makeAuthority(key: Made) {
  return make("SelfSignedCert", {
    privateKeyPem: key.privateKeyPem,
    subject: { commonName: "authority", organization: "Technova" },
    isCaCertificate: true,
    allowedUses: ["cert_signing", "crl_signing"],
    validityPeriodHours: 48,
  });
}

describe("tls: private keys", () => {
  it("are secret, in every form", async () => {
    const { properties } = await kind("PrivateKey").create({ algorithm: "ECDSA", ecdsaCurve: "P256" });
    for (const name of ["privateKeyPem", "privateKeyPemPkcs8", "privateKeyOpenssh"]) {
      expect(properties[name], name).to.be.instanceOf(Secret);
    }
  });

  for (const [algorithm, curve, ssh] of [
    ["ECDSA", "P256", "ecdsa-sha2-nistp256"],
    ["ECDSA", "P384", "ecdsa-sha2-nistp384"],
    ["ECDSA", "P521", "ecdsa-sha2-nistp521"],
    ["RSA", "P224", "ssh-rsa"],
    ["ED25519", "P224", "ssh-ed25519"],
  ] as const) {
    it(`${algorithm} ${curve}: all forms are the same key`, async () => {
      const key = await makeKey(algorithm, curve);
      const spki = (pem: string) =>
        createPublicKey(createPrivateKey(pem)).export({ type: "spki", format: "pem" });
      expect(spki(key.privateKeyPem)).to.equal(key.publicKeyPem);
      expect(spki(key.privateKeyPemPkcs8)).to.equal(key.publicKeyPem);
      const [type, blob] = key.publicKeyOpenssh.trim().split(" ");
      expect(type).to.equal(ssh);
      const openssh = Buffer.from(key.privateKeyOpenssh.split("\n").slice(1, -2).join(""), "base64");
      expect(openssh.includes(Buffer.from(blob ?? "missing", "base64"))).to.equal(true);
      expect(key.publicKeyFingerprintSha256).to.match(/^SHA256:[A-Za-z0-9+/]{43}$/);
      expect(key.publicKeyFingerprintMd5).to.match(/^([0-9a-f]{2}:){15}[0-9a-f]{2}$/);
    });
  }

  it("P224 has no OpenSSH form", async () => {
    expect(await makeKey("ECDSA", "P224")).to.include({ publicKeyOpenssh: "", privateKeyOpenssh: "" });
  });

  it("refuse an algorithm or a curve that does not exist", async () => {
    const { failures } = await kind("PrivateKey").check({ algorithm: "DSA", ecdsaCurve: "P1" });
    expect(failures?.map(({ property }) => property)).to.deep.equal(["algorithm", "ecdsaCurve"]);
  });

  it("tell their public key, and no secret when they are broken", async () => {
    const key = await makeKey();
    expect(getPublicKey({ privateKeyPem: key.privateKeyPem })).to.include({
      publicKeyPem: key.publicKeyPem,
      algorithm: "ECDSA",
    });
    const broken = key.privateKeyPem.replace(/A/g, "?");
    expect(() => getPublicKey({ privateKeyPem: broken })).to.throw(
      /^privateKeyPem is not a private key in PEM format$/,
    );
  });
});

describe("tls: certificates", function () {
  this.timeout(30_000);

  for (const [algorithm, curve] of [
    ["ECDSA", "P256"],
    ["ECDSA", "P384"],
    ["RSA", "P224"],
    ["ED25519", "P224"],
  ] as const) {
    it(`${algorithm} ${curve}: a server's certificate that its authority vouches for`, async () => {
      const caKey = await makeKey(algorithm, curve);
      const ca = await makeAuthority(caKey);
      const key = await makeKey(algorithm, curve);
      const request = await make("CertRequest", {
        privateKeyPem: key.privateKeyPem,
        subject: { commonName: "server" },
        dnsNames: ["inventory.localhost"],
        ipAddresses: ["127.0.0.1"],
        uris: ["spiffe://technova/inventory"],
      });
      const server = await make("LocallySignedCert", {
        certRequestPem: request.certRequestPem,
        caCertPem: ca.certPem,
        caPrivateKeyPem: caKey.privateKeyPem,
        allowedUses: ["digital_signature", "server_auth"],
        validityPeriodHours: 24,
      });
      const [authority, certificate] = [new X509Certificate(ca.certPem), new X509Certificate(server.certPem)];
      expect(authority.ca).to.equal(true);
      expect(authority.verify(authority.publicKey)).to.equal(true);
      expect(certificate.ca).to.equal(false);
      expect(certificate.checkIssued(authority)).to.equal(true);
      expect(certificate.verify(authority.publicKey)).to.equal(true);
      expect(certificate.checkHost("inventory.localhost")).to.equal("inventory.localhost");
      expect(certificate.checkIP("127.0.0.1")).to.equal("127.0.0.1");
      expect(certificate.subjectAltName).to.contain("URI:spiffe://technova/inventory");
      expect(certificate.keyUsage).to.deep.equal(["1.3.6.1.5.5.7.3.1"]);
      expect(certificate.checkPrivateKey(createPrivateKey(key.privateKeyPem))).to.equal(true);
      expect(Date.parse(certificate.validTo)).to.equal(Date.parse(server.validityEndTime));
      expect(Date.parse(server.validityEndTime) - Date.parse(server.validityStartTime)).to.equal(
        24 * 3600 * 1000,
      );
    });
  }

  it("are not signed by a key that is not the authority's", async () => {
    const ca = await makeAuthority(await makeKey());
    const key = await makeKey();
    const request = await make("CertRequest", { privateKeyPem: key.privateKeyPem });
    const signing = make("LocallySignedCert", {
      certRequestPem: request.certRequestPem,
      caCertPem: ca.certPem,
      caPrivateKeyPem: key.privateKeyPem,
      allowedUses: [],
      validityPeriodHours: 1,
    });
    expect(await signing.catch((error: Error) => error.message)).to.match(/caPrivateKeyPem is not the key/);
  });

  it("are not made with a P224 key, and say which curves work", async () => {
    const key = await makeKey("ECDSA", "P224");
    const message = await makeAuthority(key).then(String, (error: Error) => error.message);
    expect(message).to.match(/use P256, P384 or P521$/);
  });

  it("refuse uses, addresses and subjects that do not exist", async () => {
    const { failures } = await kind("SelfSignedCert").check({
      privateKeyPem: "x",
      allowedUses: ["serve"],
      ipAddresses: ["localhost"],
      subject: { comonName: "x" },
      validityPeriodHours: 1,
    });
    expect(failures?.map(({ property }) => property)).to.have.members([
      "subject.comonName",
      "ipAddresses",
      "allowedUses",
    ]);
  });
});

describe("tls: renewal", () => {
  const inputs = {
    privateKeyPem: "x",
    allowedUses: ["server_auth"],
    validityPeriodHours: 24,
    earlyRenewalHours: 6,
  };
  const ending = (inHours: number) => ({
    ...inputs,
    readyForRenewal: false,
    validityEndTime: new Date(Date.now() + inHours * 3600 * 1000).toISOString(),
  });

  it("is not due before its time", async () => {
    expect(await kind("SelfSignedCert").diff(ending(7), inputs)).to.include({ changes: false });
  });

  it("is due in the hours before the end, and after it", async () => {
    for (const hours of [5, -1]) {
      expect((await kind("SelfSignedCert").diff(ending(hours), inputs)).replaces).to.deep.equal([
        "readyForRenewal",
      ]);
    }
  });

  it("shows after a refresh", async () => {
    const read = await kind("SelfSignedCert").read("1", ending(5), inputs);
    expect(read?.properties.readyForRenewal).to.equal(true);
  });

  it("can be moved without another certificate", async () => {
    const moved = { ...inputs, earlyRenewalHours: 5 };
    expect(await kind("SelfSignedCert").diff(ending(7), moved)).to.deep.include({
      changes: true,
      replaces: [],
    });
    expect(await kind("SelfSignedCert").update(ending(7), moved)).to.deep.include({ earlyRenewalHours: 5 });
  });
});
