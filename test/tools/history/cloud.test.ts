import { expect } from "chai";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { CloudHistory } from "../../../tools/history/cloud";
import { messageOfFailure, temporaryFolder, write } from "../engine/support";
import { checkpointText, imageOf } from "./support";

const token = "pul-0123456789";
const updates = "/api/stacks/acme/technova/staging/updates";

/** A Pulumi Cloud with one stack, as its documentation describes it: newest first, in pages. */
class FakeCloud {
  readonly asked: string[] = [];
  operation: object | undefined;
  /** What the service answers about the user's default organisation; nothing, as older ones. */
  organisation: object | undefined;
  private server: Server | undefined;

  constructor(private readonly count: number) {}

  async start(): Promise<string> {
    const server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "", "http://x");
      this.asked.push(request.url ?? "");
      const body =
        request.headers.authorization === `token ${token}` ? this.answer(pathname, searchParams) : 401;
      response.writeHead(typeof body === "number" ? body : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(typeof body === "number" ? { code: body } : body));
    });
    this.server = server;
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server?.close();
    this.server?.closeAllConnections();
  }

  private answer(path: string, query: URLSearchParams): object | number {
    if (path === "/api/user") return { githubLogin: this.organisation ? "alice" : "acme", name: "Acme" };
    if (path === "/api/user/organizations/default") return this.organisation ?? 404;
    if (path === "/api/stacks/acme/technova/staging") {
      return { orgName: "acme", stackName: "staging", currentOperation: this.operation };
    }
    if (/\/export(\/\d+)?$/.test(path)) {
      const number = Number(/\d+$/.exec(path)?.[0] ?? this.count);
      const { latest } = (JSON.parse(checkpointText(number)) as { checkpoint: { latest: object } })
        .checkpoint;
      return number > this.count ? 404 : { version: 3, deployment: latest };
    }
    if (path !== updates) return 404;
    const [page, size] = [Number(query.get("page")), Number(query.get("pageSize"))];
    const all = Array.from({ length: this.count }, (_, index) => this.entry(this.count - index));
    return { updates: all.slice((page - 1) * size, page * size), itemsPerPage: size, total: this.count };
  }

  private entry(version: number): object {
    return {
      info: {
        kind: "update",
        startTime: 1_795_590_000 + version,
        endTime: 1_795_590_010 + version,
        message: `number ${version}`,
        environment: { "git.head": "ab".repeat(20) },
        config: {
          "technova:application": {
            string: JSON.stringify({ version: `1.0.${version}`, deep: { secure: "v1:a:b" } }),
            secret: true,
            object: true,
          },
          "technova:single": { string: "v1:c:d", secret: true },
          "kubernetes:context": { string: "here" },
        },
        result: version === 2 ? "failed" : "succeeded",
        version,
        resourceChanges: { same: 1 },
      },
      updateID: `id-${version}`,
      version,
      latestVersion: this.count,
      requestedBy: { name: "Alice", githubLogin: "alice", avatarUrl: "" },
    };
  }
}

describe("a history in a Pulumi Cloud", () => {
  let cloud: FakeCloud;
  let url: string;
  const reference = { project: "technova", stack: "staging" };
  const open = (env: NodeJS.ProcessEnv = { PULUMI_ACCESS_TOKEN: token, PULUMI_HOME: "/nowhere" }) =>
    CloudHistory.open(`${url}/`, reference, env);
  beforeEach(async () => {
    cloud = new FakeCloud(250);
    url = await cloud.start();
  });
  afterEach(() => cloud.stop());

  it("is read whole in pages, oldest first, with settings as a stack's file has them", async () => {
    const found = await open().updates();
    expect(found.map(({ number }) => number)).to.deep.equal(Array.from({ length: 250 }, (_, i) => i + 1));
    expect(cloud.asked.filter((path) => path.startsWith(updates))).to.have.length(3);
    const [first, second] = found;
    expect(first).to.deep.include({ id: "1", requestedBy: "alice", succeeded: true, message: "number 1" });
    expect(second?.succeeded).to.equal(false);
    expect(first?.config).to.deep.equal({
      "technova:application": { version: "1.0.1", deep: { secure: "v1:a:b" } },
      "technova:single": { secure: "v1:c:d" },
      "kubernetes:context": "here",
    });
  });

  it("is asked for no more than is wanted", async () => {
    expect((await open().updates(20)).map(({ number }) => number)).to.deep.equal(
      Array.from({ length: 20 }, (_, index) => 231 + index),
    );
    expect(cloud.asked.filter((path) => path.startsWith(updates))).to.have.length(1);
    expect((await open().updates(150)).map(({ number }) => number)[0]).to.equal(101);
  });

  it("tells what an update left behind, what is there now, and who has the stack", async () => {
    const history = open();
    expect((await history.leftBehind("3"))?.image).to.equal(imageOf("3"));
    expect((await history.leftBehind("3"))?.release).to.equal("release-3");
    expect((await history.current())?.secretsProvider).to.deep.include({ type: "passphrase" });
    expect(await history.leftBehind("999")).to.equal(undefined);
    expect(await history.lockedBy()).to.equal(undefined);
    cloud.operation = { kind: "update", author: "bob", started: 1_795_590_000 };
    expect(await history.lockedBy()).to.equal("bob, update, since 2026-11-25T07:00:00.000Z");
  });

  it("takes the token and the organisation that the CLI has kept", async () => {
    const home = temporaryFolder();
    write(home, "credentials.json", JSON.stringify({ accessTokens: { [url]: token } }));
    write(home, "config.json", JSON.stringify({ backends: { [url]: { defaultOrg: "acme" } } }));
    expect(await open({ PULUMI_HOME: home }).updates(1)).to.have.length(1);
    expect(cloud.asked).not.to.include("/api/user");
  });

  it("takes the organisation that the service chooses for the user, before the user's own", async () => {
    cloud.organisation = { GitHubLogin: "acme", Messages: [] };
    expect(await open().updates(1)).to.have.length(1);
    expect(cloud.asked).not.to.include("/api/user");
    cloud.organisation = { GitHubLogin: "", Messages: [] };
    expect(await messageOfFailure(() => open().updates(1))).to.match(/There is no stack staging/);
    expect(cloud.asked.at(-1)).to.match(/^\/api\/stacks\/alice\//);
  });

  it("says what is wrong", async () => {
    const told = (env: NodeJS.ProcessEnv) => messageOfFailure(() => open(env).updates());
    expect(await told({ PULUMI_HOME: "/nowhere" })).to.match(/PULUMI_ACCESS_TOKEN, or run pulumi login/);
    expect(await told({ PULUMI_ACCESS_TOKEN: "wrong" })).to.match(/401.*token is not taken/);
    const other = CloudHistory.open(
      url,
      { project: "technova", stack: "other" },
      { PULUMI_ACCESS_TOKEN: token },
    );
    expect(await messageOfFailure(() => other.updates())).to.match(/There is no stack other/);
    cloud.stop();
    expect(await told({ PULUMI_ACCESS_TOKEN: token })).to.match(/does not answer/);
  });
});
