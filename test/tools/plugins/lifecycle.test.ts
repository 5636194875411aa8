import { expect } from "chai";
import { Workspace } from "./workspace";

const PROGRAM = `
const pulumi = require("@pulumi/pulumi");
const random = require("@pulumi/random");
const tls = require("@pulumi/tls");
const config = new pulumi.Config();
const password = new random.RandomPassword("password", {
  length: config.getNumber("length") || 24,
  minSpecial: 2,
  keepers: { generation: config.get("generation") || "first" },
});
const label = new random.RandomString("label", { length: 6, special: false });
const key = new tls.PrivateKey("key", { algorithm: "ECDSA", ecdsaCurve: "P256" });
const certificate = new tls.SelfSignedCert("certificate", {
  privateKeyPem: key.privateKeyPem,
  subject: { commonName: label.result },
  dnsNames: ["inventory.localhost"],
  allowedUses: ["server_auth"],
  validityPeriodHours: 24,
  earlyRenewalHours: config.getNumber("earlyRenewalHours") || 1,
});
exports.password = password.result;
exports.label = label.result;
exports.certificate = certificate.certPem;
exports.plain = config.requireSecret("token").apply((token) => token.length);
`;

describe("plugins under the real CLI: life of a stack", function () {
  this.timeout(300_000);
  let workspace: Workspace;

  before(async () => {
    workspace = await Workspace.create(PROGRAM, ["random", "tls"]);
    await workspace.succeed("config", "set", "--secret", "token", "sentinel-4711");
  });
  after(() => workspace?.remove());

  it("previews without making anything", async () => {
    const output = await workspace.succeed("preview");
    expect(output).to.match(/\+ 5 to create/);
    expect(await workspace.resources()).to.have.length(0);
  });

  it("creates, and keeps every secret encrypted", async () => {
    await workspace.succeed("up", "--yes", "--skip-preview");
    const password = await workspace.output("password");
    expect(password).to.have.length(24);
    const state = JSON.stringify(await workspace.resources());
    expect(state).not.to.contain(password).and.not.to.contain("sentinel-4711");
    expect(state).not.to.contain("PRIVATE KEY");
    expect((await workspace.resource("password")).outputs).to.include({
      id: "none",
      __meta: '{"schema_version":"3"}',
    });
  });

  it("changes nothing the second time, and refresh finds nothing", async () => {
    expect(await workspace.succeed("up", "--yes", "--skip-preview", "--refresh")).to.match(/5 unchanged/);
  });

  it("updates in place what does not need another one", async () => {
    await workspace.succeed("config", "set", "earlyRenewalHours", "2");
    const before = await workspace.output("certificate");
    expect(await workspace.succeed("up", "--yes", "--skip-preview")).to.match(/~ 1 updated/);
    expect(await workspace.output("certificate")).to.equal(before);
  });

  it("replaces when a keeper changes, and only then", async () => {
    const [password, label] = [await workspace.output("password"), await workspace.output("label")];
    await workspace.succeed("config", "set", "generation", "second");
    expect(await workspace.succeed("preview", "--diff"))
      .to.match(/keepers/)
      .and.to.match(/1 to replace/);
    expect(await workspace.succeed("up", "--yes", "--skip-preview")).to.match(/1 replaced/);
    expect(await workspace.output("password")).not.to.equal(password);
    expect(await workspace.output("label")).to.equal(label);
  });

  it("replaces a certificate that is due", async () => {
    await workspace.succeed("config", "set", "earlyRenewalHours", "25");
    expect(await workspace.succeed("preview", "--diff"))
      .to.match(/readyForRenewal/)
      .and.to.match(/1 to replace/);
    await workspace.succeed("config", "set", "earlyRenewalHours", "2");
  });

  it("refuses bad arguments before anything happens", async () => {
    await workspace.succeed("config", "set", "length", "1");
    const { code, output } = await workspace.run("up", "--yes", "--skip-preview");
    await workspace.succeed("config", "set", "length", "24");
    expect(code).not.to.equal(0);
    expect(output).to.match(/length is 1, but minUpper, minLower, minNumeric and minSpecial add up to 2/);
  });

  it("imports a value that exists", async () => {
    const type = "random:index/randomString:RandomString";
    await workspace.succeed(
      "import",
      type,
      "adopted",
      "already-here",
      "--yes",
      "--generate-code=false",
      "--protect=false",
    );
    expect((await workspace.resource("adopted")).outputs).to.include({ result: "already-here", length: 12 });
  });

  it("destroys everything", async () => {
    await workspace.succeed("destroy", "--yes", "--skip-preview");
    expect(await workspace.resources()).to.have.length(0);
  });
});
