import { expect } from "chai";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { merge } from "../../../../tools/plugins/docker/credentials";
import { dockerProvider } from "../../../../tools/plugins/docker/provider";
import { parseReference, withDigest } from "../../../../tools/plugins/docker/references";
import { Secret, Unknown, type PropertyMap } from "../../../../tools/plugins/rpc/values";
import { resource } from "../operations";

const IMAGE_ID = `sha256:${"1".repeat(64)}`;
const DIGEST = `sha256:${"2".repeat(64)}`;

/** Stands in for the docker command: notes how it was called, and answers as docker does. */
const DOCKER = `#!/usr/bin/env node
const fs = require("fs"), path = require("path");
const args = process.argv.slice(2);
const config = process.env.DOCKER_CONFIG && path.join(process.env.DOCKER_CONFIG, "config.json");
fs.appendFileSync(process.env.FAKE_LOG, JSON.stringify({
  args,
  buildKit: process.env.DOCKER_BUILDKIT,
  token: process.env.TOKEN,
  config: config && fs.existsSync(config) && JSON.parse(fs.readFileSync(config, "utf8")),
  mode: config && fs.existsSync(config) && (fs.statSync(config).mode & 0o777),
}) + "\\n");
if (process.env.FAKE_FAILURE) {
  console.error(process.env.FAKE_FAILURE);
  process.exit(1);
}
if (args[0] === "build") {
  if (process.env.FAKE_NO_BUILDKIT && process.env.DOCKER_BUILDKIT === "1") {
    console.error("ERROR: BuildKit is enabled but the buildx component is missing or broken.");
    process.exit(1);
  }
  fs.writeFileSync(args[args.indexOf("--iidfile") + 1], "${IMAGE_ID}");
}
if (args[0] === "push") console.log("1.0: digest: ${DIGEST} size: 1234");
`;

interface Call {
  args: string[];
  buildKit?: string;
  token?: string;
  config?: { auths: Record<string, { auth: string }> };
  mode?: number;
}

describe("docker: Image", () => {
  let folder: string;
  let environment: NodeJS.ProcessEnv;
  const image = resource(dockerProvider("5.2.0"), "docker:index/image:Image");
  const calls = async (): Promise<Call[]> =>
    (await readFile(join(folder, "log"), "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Call);
  const inputs = async (more: PropertyMap = {}): Promise<PropertyMap> => {
    const build = {
      context: folder,
      args: { TOKEN: new Secret("sentinel"), VERSION: "1.0" },
      target: "final",
    };
    const { inputs, failures } = await image.check({
      imageName: "localhost:5050/inventory:1.0",
      build,
      ...more,
    });
    expect(failures).to.deep.equal([]);
    return inputs;
  };

  beforeEach(async () => {
    environment = { ...process.env };
    folder = await mkdtemp(join(tmpdir(), "image-test-"));
    await mkdir(join(folder, "bin"));
    await writeFile(join(folder, "bin/docker"), DOCKER);
    await chmod(join(folder, "bin/docker"), 0o755);
    await writeFile(join(folder, "Dockerfile"), "FROM scratch\n");
    await writeFile(join(folder, ".dockerignore"), "log\nbin\n");
    process.env.PATH = [join(folder, "bin"), process.env.PATH].join(delimiter);
    process.env.FAKE_LOG = join(folder, "log");
  });
  afterEach(async () => {
    process.env = environment;
    await rm(folder, { recursive: true });
  });

  it("is built, pushed, and known by the digest of its registry", async () => {
    const { id, properties } = await image.create(await inputs());
    expect(id).to.equal("localhost:5050/inventory:1.0");
    expect(properties).to.include({
      repoDigest: `localhost:5050/inventory@${DIGEST}`,
      imageName: "localhost:5050/inventory:1.0",
      baseImageName: "localhost:5050/inventory:1.0",
      context: folder,
      dockerfile: join(folder, "Dockerfile"),
    });
    const [build, push] = await calls();
    expect(build?.args).to.include.members([
      "--target",
      "final",
      "--platform",
      "--build-arg",
      "VERSION",
      "TOKEN",
    ]);
    expect(build?.buildKit).to.equal("1");
    expect(push?.args).to.deep.equal(["push", "localhost:5050/inventory:1.0"]);
  });

  it("keeps secret arguments off the command line, out of messages and secret in state", async () => {
    const checked = await inputs();
    const { properties } = await image.create(checked);
    const [build] = await calls();
    expect(build?.args.join(" ")).not.to.contain("sentinel");
    expect(build?.token).to.equal("sentinel");
    expect(properties.__inputs).to.be.instanceOf(Secret);
    expect(JSON.stringify({ ...properties, __inputs: null })).not.to.contain("sentinel");
    expect((checked.build as { args: PropertyMap }).args.TOKEN).to.be.instanceOf(Secret);
  });

  it("hands credentials over in a private file that is gone afterwards", async () => {
    const registry = { server: "localhost:5050", username: "robot", password: new Secret("sentinel") };
    await image.create(await inputs({ registry }));
    for (const call of await calls()) {
      expect(call.args.join(" ")).not.to.contain("sentinel");
      expect(call.mode).to.equal(0o600);
      const { auth } = call.config?.auths["localhost:5050"] ?? { auth: "" };
      expect(Buffer.from(auth, "base64").toString()).to.equal("robot:sentinel");
    }
  });

  it("is built without BuildKit where docker lacks it", async () => {
    process.env.FAKE_NO_BUILDKIT = "1";
    await image.create(await inputs());
    expect((await calls()).map(({ buildKit }) => buildKit).slice(0, 2)).to.deep.equal(["1", "0"]);
  });

  it("is not pushed when it should not be", async () => {
    const { properties } = await image.create(await inputs({ skipPush: true }));
    expect(properties.repoDigest).to.equal(IMAGE_ID);
    expect((await calls()).map(({ args }) => args[0])).to.deep.equal(["build"]);
  });

  it("is unknown in a preview, which runs nothing", async () => {
    const { properties } = await image.create(await inputs(), true);
    expect(properties.repoDigest).to.equal(Unknown.value);
    expect(properties.imageName).to.equal("localhost:5050/inventory:1.0");
    expect(await calls().catch(() => [])).to.deep.equal([]);
  });

  it("is the same while its files and arguments are", async () => {
    const before = await inputs({ registry: { server: "localhost:5050", username: "a", password: "b" } });
    const { properties } = await image.create(before);
    const other = await inputs({ registry: { server: "localhost:5050", username: "c", password: "d" } });
    expect(await image.diff(properties, other)).to.deep.include({ changes: false });
    await writeFile(join(folder, "Dockerfile"), "FROM busybox\n");
    const { changes, detailed, replaces } = await image.diff(
      properties,
      await inputs({ registry: other.registry ?? null }),
    );
    expect({ changes, replaces, paths: Object.keys(detailed ?? {}) }).to.deep.equal({
      changes: true,
      replaces: undefined,
      paths: ["build.contextDigest"],
    });
  });

  it("shows what docker said when the build fails", async () => {
    process.env.FAKE_FAILURE = "failed to solve: no such stage";
    const error = await image.create(await inputs()).catch((reason: Error) => reason);
    expect(String(error))
      .to.match(/docker build failed/)
      .and.to.match(/no such stage/);
  });

  it("says how to get a daemon when there is none, and docker when it is missing", async () => {
    process.env.FAKE_FAILURE =
      "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?";
    process.env.DOCKER_HOST = "unix:///x";
    const checked = await inputs();
    expect(String(await image.create(checked).catch((reason: Error) => reason))).to.match(
      /cannot be reached at unix:\/\/\/x. Start it, or point DOCKER_HOST/,
    );
    process.env.PATH = "";
    expect(String(await image.create(checked).catch((reason: Error) => reason))).to.match(
      /docker command is not on PATH/,
    );
  });

  it("refuses a Dockerfile that is not there, and points to where it is", async () => {
    const build = { context: folder, dockerfile: "Dockerfile.other" };
    await writeFile(join(folder, "Dockerfile.other"), "");
    const { failures } = await image.check({ imageName: "inventory", build });
    expect(failures?.[0]?.reason).to.contain(`try ${join(folder, "Dockerfile.other")}`);
  });

  describe("with a registry", () => {
    let server: Server;
    let answer: (request: IncomingMessage) => { status: number; headers?: Record<string, string> };
    let name: string;

    beforeEach(async () => {
      server = createServer((request, response) => {
        const { status, headers = {} } = answer(request);
        response.writeHead(status, headers).end();
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      name = `127.0.0.1:${(server.address() as AddressInfo).port}/inventory`;
    });
    afterEach(() => server.close());

    const read = (more: PropertyMap = {}) =>
      image.read("id", { repoDigest: `${name}@${DIGEST}` }, { imageName: `${name}:1.0`, ...more });

    it("is there as long as its registry has it", async () => {
      const asked: string[] = [];
      answer = ({ method, url, headers }) => {
        asked.push(`${method} ${url} ${headers.authorization}`);
        return { status: 200, headers: { "docker-content-digest": DIGEST } };
      };
      expect(await read({ registry: { username: "a", password: "b" } })).to.have.property("id", "id");
      expect(asked).to.deep.equal([`HEAD /v2/inventory/manifests/${DIGEST} Basic YTpi`]);
    });

    it("is gone when its registry has lost it", async () => {
      answer = () => ({ status: 404 });
      expect(await read()).to.equal(undefined);
    });

    it("is taken to be there when its registry cannot tell", async () => {
      answer = () => ({ status: 500 });
      expect(await read()).to.have.property("id", "id");
      expect(image.log.pop()).to.match(/^warning: cannot tell whether .* answered 500/);
    });
  });
});

describe("docker: names and credentials", () => {
  it("reads names as Docker does", () => {
    expect(parseReference("postgres")).to.deep.equal({
      registry: "docker.io",
      repository: "library/postgres",
      tag: "latest",
    });
    expect(parseReference("grafana/loki:3")).to.include({
      registry: "docker.io",
      repository: "grafana/loki",
      tag: "3",
    });
    expect(parseReference("localhost:5050/a/b:1@sha256:0")).to.include({
      registry: "localhost:5050",
      repository: "a/b",
      digest: "sha256:0",
    });
    expect(withDigest("ghcr.io/a/b:1", "sha256:0")).to.equal("ghcr.io/a/b@sha256:0");
    expect(() => parseReference("Not An Image")).to.throw(/is not an image name/);
  });

  it("adds credentials to Docker's own, in front of its helpers", () => {
    const own = { auths: { "ghcr.io": { auth: "x" } }, credHelpers: { "r.example": "helper" }, other: 1 };
    const merged = merge(own, [{ server: "https://r.example/v2/", username: "u", password: "p" }]);
    expect(merged).to.deep.equal({
      auths: { "ghcr.io": { auth: "x" }, "r.example": { auth: "dTpw" } },
      credHelpers: { "r.example": "" },
      other: 1,
    });
    expect(
      Object.keys(merge({}, [{ server: "docker.io", username: "u", password: "p" }]).auths ?? {}),
    ).to.deep.equal(["https://index.docker.io/v1/"]);
  });

  it("points to docker.Image where a build is asked for elsewhere", async () => {
    for (const type of ["registryImage:RegistryImage", "remoteImage:RemoteImage"]) {
      const other = resource(dockerProvider("5.2.0"), `docker:index/${type}`);
      const { failures } = await other.check({ name: "inventory", build: { context: "." } });
      expect(failures?.map(({ reason }) => reason).join()).to.contain("use docker.Image");
    }
  });

  it("names the official plugin for what is missing here", async () => {
    const network = resource(dockerProvider("5.2.0"), "docker:index/network:Network");
    const error = await Promise.resolve()
      .then(() => network.create({}))
      .catch((reason: Error) => reason);
    expect(String(error)).to.contain("pulumi plugin install resource docker 5.2.0");
  });
});
