import { credentials, status, type ServiceError } from "@grpc/grpc-js";
import { LanguageRuntimeClient } from "@pulumi/pulumi/proto/language_grpc_pb";
import * as language from "@pulumi/pulumi/proto/language_pb";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import * as provider from "@pulumi/pulumi/proto/provider_pb";
import { expect } from "chai";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { preparePlugins } from "../../../tools/plugins";

const README = resolve(__dirname, "../../../tools/plugins/README.md");

/** The answer to a call, or its error. */
function answer<Response>(
  send: (done: (error: ServiceError | null, response: Response) => void) => unknown,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    send((error, response) => (error ? reject(error) : resolve(response)));
  });
}

describe("plugins: the protocol, without a CLI", function () {
  this.timeout(60_000);
  const children: ChildProcess[] = [];
  let tls: ResourceProviderClient;
  let host: LanguageRuntimeClient;

  async function start(bin: string, name: string): Promise<string> {
    const child = spawn(join(bin, name), [], { stdio: ["pipe", "pipe", "inherit"] });
    children.push(child);
    const port = await new Promise<string>((done) =>
      child.stdout.once("data", (chunk: Buffer) => done(chunk.toString())),
    );
    return `127.0.0.1:${port.trim()}`;
  }

  before(async () => {
    const bin = await preparePlugins({ packages: ["tls"], languageHost: true });
    tls = new ResourceProviderClient(await start(bin, "pulumi-resource-tls"), credentials.createInsecure());
    host = new LanguageRuntimeClient(
      await start(bin, "pulumi-language-nodejs"),
      credentials.createInsecure(),
    );
  });
  after(() => {
    tls?.close();
    host?.close();
    for (const child of children) child.stdin?.end();
  });

  it("says who it is", async () => {
    expect((await answer<PluginInfo>((done) => tls.getPluginInfo(new Empty(), done))).getVersion()).to.equal(
      "5.6.1",
    );
    expect((await answer<PluginInfo>((done) => host.getPluginInfo(new Empty(), done))).getVersion()).to.match(
      /^3\.\d+\.\d+$/,
    );
    const handshake = await answer<provider.ProviderHandshakeResponse>((done) =>
      tls.handshake(new provider.ProviderHandshakeRequest(), done),
    );
    expect(handshake.getAcceptSecrets()).to.equal(true);
    const configured = await answer<provider.ConfigureResponse>((done) =>
      tls.configure(new provider.ConfigureRequest(), done),
    );
    expect([configured.getAcceptsecrets(), configured.getSupportspreview()]).to.deep.equal([true, true]);
    expect(
      (
        await answer<provider.GetSchemaResponse>((done) =>
          tls.getSchema(new provider.GetSchemaRequest(), done),
        )
      ).getSchema(),
    ).to.equal("{}");
  });

  it("answers what it does not do with a status that the engine understands", async () => {
    const codes = await Promise.all(
      [
        answer((done) => tls.parameterize(new provider.ParameterizeRequest(), done)),
        answer((done) => tls.call(new provider.CallRequest(), done)),
        answer((done) => tls.construct(new provider.ConstructRequest(), done)),
        answer((done) => host.getRequiredPlugins(new language.GetRequiredPluginsRequest(), done)),
        answer((done) => host.generateProgram(new language.GenerateProgramRequest(), done)),
        answer((done) => host.generatePackage(new language.GeneratePackageRequest(), done)),
        answer((done) => host.pack(new language.PackRequest(), done)),
      ].map((sent: Promise<unknown>) =>
        sent.then(
          () => undefined,
          (error: ServiceError) => error.code,
        ),
      ),
    );
    expect(new Set(codes)).to.deep.equal(new Set([status.UNIMPLEMENTED]));
  });

  it("names the official plugin for a function that it lacks", async () => {
    const request = new provider.InvokeRequest();
    request.setTok("tls:index/getCertificate:getCertificate");
    request.setArgs(Struct.fromJavaScript({ url: "https://127.0.0.1" }));
    const error = await answer((done) => tls.invoke(request, done)).catch((reason: ServiceError) => reason);
    expect(String(error)).to.contain("pulumi plugin install resource tls 5.6.1");
    const ssh = new provider.InvokeRequest();
    ssh.setTok("tls:index/getPublicKey:getPublicKey");
    ssh.setArgs(Struct.fromJavaScript({ privateKeyOpenssh: "key" }));
    expect(
      String(await answer((done) => tls.invoke(ssh, done)).catch((reason: ServiceError) => reason)),
    ).to.match(/OpenSSH format is not supported/);
  });

  it("refuses a type that it does not know, by name", async () => {
    const request = new provider.CheckRequest();
    request.setUrn("urn:pulumi:test::program::tls:index/other:Other::name");
    const error = await answer((done) => tls.check(request, done)).catch((reason: ServiceError) => reason);
    expect(String(error)).to.contain("there is no resource type tls:index/other:Other");
  });

  it("is the subject of a README whose tests exist", () => {
    const rows = readFileSync(README, "utf8").matchAll(/^\|[^|]+\|[^|]+\|[^|]+\| `([\w/-]+)` +\|$/gm);
    const tests = [...new Set([...rows].map(([, test]) => test))];
    expect(tests).to.have.length.above(5);
    expect(tests.filter((test) => !existsSync(join(__dirname, `${test}.test.ts`)))).to.deep.equal([]);
  });
});
