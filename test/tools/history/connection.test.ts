import { createServer as createHttpServer, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { connect, type AddressInfo } from "node:net";
import { expect } from "chai";
import { proxyFor } from "../../../tools/history/connection";
import { clientOptions } from "../../../tools/history/s3";
import { Objects } from "../../../tools/state/objects";
import { messageOfFailure, temporaryFolder, write } from "../engine/support";
import { sealingKey } from "../secrets/sealingKeys";

describe("the proxy for a store", () => {
  const proxyOf = (url: string, env: NodeJS.ProcessEnv) => proxyFor(new URL(url), env);
  const proxy = "http://proxy:3128";

  it("is the one of HTTPS_PROXY, which may leave the scheme out", () => {
    expect(proxyOf("https://s3.example.com", { HTTPS_PROXY: proxy })).to.equal(proxy);
    expect(proxyOf("https://s3.example.com", { https_proxy: "proxy:3128" })).to.equal(proxy);
    expect(proxyOf("https://s3.example.com", {})).to.equal(undefined);
  });

  it("is none for what has no TLS, for this machine, and where its kind is unknown", () => {
    for (const url of [
      "http://s3.example.com",
      "https://localhost:9000",
      "https://127.0.0.2",
      "https://[::1]",
    ])
      expect(proxyOf(url, { HTTPS_PROXY: proxy }), url).to.equal(undefined);
    expect(proxyOf("https://s3.example.com", { HTTPS_PROXY: "socks5://proxy:1080" })).to.equal(undefined);
  });

  const host = "https://bucket.s3.example.com";
  for (const [exceptions, url, direct] of [
    ["*", host, true],
    ["other.org, example.com", host, true],
    ["s3.EXAMPLE.com", host, true],
    [".example.com", host, true],
    ["*.example.com", host, true],
    ["bucket.s3.example.com:443", host, true],
    ["bucket.s3.example.com:8443", host, false],
    ["ample.com", host, false],
    ["", host, false],
    ["10.0.0.0/8", "https://10.1.2.3:9000", true],
    ["10.1.2.3", "https://10.1.2.3:9000", true],
    ["10.1.2.3:9000", "https://10.1.2.3:9000", true],
    ["10.0.0.0/8", "https://11.1.2.3", false],
    ["fd00::/8", "https://[fd00::1]", true],
    ["10.0.0.0/99,x/8", host, false],
  ] as const) {
    it(`is ${direct ? "none" : "there"} for ${url} with NO_PROXY=${exceptions}`, () => {
      const found = proxyOf(url, { HTTPS_PROXY: proxy, NO_PROXY: exceptions });
      expect(found).to.equal(direct ? undefined : proxy);
    });
  }
});

describe("a store behind a proxy, with a certificate of its own authority", () => {
  const servers: Server[] = [];
  let env: NodeJS.ProcessEnv;
  let asked: string[];

  async function listening(server: Server): Promise<number> {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  }

  beforeEach(async () => {
    asked = [];
    const { privateKey, certificate } = await sealingKey("bucket.store.example");
    const store = createHttpsServer({ key: privateKey, cert: certificate }, (_, response) =>
      response.end("an object"),
    );
    const port = await listening(store);
    const proxy = createHttpServer().on("connect", (request: { url?: string }, socket, head) => {
      asked.push(request.url ?? "");
      const upstream = connect(port, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        upstream.write(head);
        socket.pipe(upstream).pipe(socket);
      });
    });
    env = {
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_CA_BUNDLE: write(temporaryFolder(), "ca.pem", certificate),
      HTTPS_PROXY: `http://127.0.0.1:${await listening(proxy)}`,
    };
  });
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  });

  const read = (url: string) => Objects.at(url, "", "Check it.", env).read("name");

  it("is read through the proxy, and trusted", async () => {
    const found = await read("s3://bucket?endpoint=https://store.example");
    expect(found.toString()).to.equal("an object");
    expect(asked).to.deep.equal(["bucket.store.example:443"]);
  });

  it("names what AWS_CA_BUNDLE is to be when that is not there", async () => {
    env.AWS_CA_BUNDLE = "/nowhere/ca.pem";
    const url = "s3://bucket?endpoint=https://store.example";
    expect(await messageOfFailure(() => clientOptions(url, env))).to.match(
      /AWS_CA_BUNDLE .*\/nowhere\/ca\.pem/,
    );
  });
});

describe("a store that cannot be connected to", () => {
  before(() => void (process.env.AWS_MAX_ATTEMPTS = "1"));
  after(() => void Reflect.deleteProperty(process.env, "AWS_MAX_ATTEMPTS"));

  it("is given up in seconds", async () => {
    const silent = createHttpServer().on("connect", (_, socket) =>
      setTimeout(() => socket.destroy(), 20_000),
    );
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const env = {
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      HTTPS_PROXY: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
    };
    const objects = Objects.at("s3://bucket?endpoint=https://store.example", "", "Check it.", env);
    const told = await messageOfFailure(() => objects.read("name"));
    silent.close();
    expect(told).to.match(/did not establish a connection.*Check it\./);
  });
});
