import { expect } from "chai";
import { atLeast, findCli, type CliSources } from "../../../tools/engine/cli";
import { checkoutWith, messageOfFailure, temporaryFolder, write } from "./support";

describe("the choice of a Pulumi CLI", () => {
  let root: string;
  let env: NodeJS.ProcessEnv;
  let asked: string[];

  beforeEach(() => {
    root = checkoutWith({});
    const home = temporaryFolder();
    env = { PATH: "", PULUMI_HOME: `${home}/pulumi`, XDG_CACHE_HOME: `${home}/cache` };
    asked = [];
  });

  function sources(answers: Partial<{ version: string; reachable: boolean; go: boolean }>): CliSources {
    return {
      versionOf: async (path) => (asked.push("version"), path === "/broken" ? undefined : answers.version),
      downloadsReachable: async () => (asked.push("network"), answers.reachable ?? false),
      download: async () => (asked.push("download"), "/downloaded"),
      build: async () => {
        asked.push("build");
        if (answers.go === false) throw new Error("spawn go ENOENT");
        return "/built";
      },
    };
  }

  function putOnPath(): string {
    const folder = temporaryFolder();
    env.PATH = `/nowhere:${folder}`;
    return write(folder, "pulumi", "", 0o755);
  }

  it("takes the one on PATH when it is new enough, and asks neither network nor compiler", async () => {
    const path = putOnPath();
    expect(await findCli(root, env, sources({ version: "3.245.0" }))).to.deep.equal({
      path,
      version: "3.245.0",
      origin: "path",
    });
    expect(asked).to.deep.equal(["version"]);
  });

  it("passes over one on PATH that is too old", async () => {
    putOnPath();
    const fakes = sources({ reachable: true });
    fakes.versionOf = async (path) => (path === "/downloaded" ? "3.265.0" : "3.244.9");
    expect(await findCli(root, env, fakes)).to.include({ path: "/downloaded", origin: "npm" });
  });

  it("passes over a file on PATH that cannot be executed, and a folder of that name", async () => {
    const folder = temporaryFolder();
    write(folder, "pulumi", "", 0o644);
    const other = temporaryFolder();
    write(other, "pulumi/readme", "");
    env.PATH = `${folder}:${other}`;
    expect(await findCli(root, env, sources({ version: "3.256.0" }))).to.include({ origin: "build" });
  });

  it("does not take the downloader that npm puts on PATH for a CLI", async () => {
    write(root, "node_modules/.bin/pulumi", "", 0o755);
    env.PATH = `${root}/node_modules/.bin`;
    expect(await findCli(root, env, sources({ version: "3.256.0" }))).to.include({ origin: "build" });
    expect(asked).to.deep.equal(["network", "build", "version"]);
  });

  it("uses what was downloaded or built before without asking the network", async () => {
    const built = write(env.XDG_CACHE_HOME ?? "", "technova-platform/pulumi/3.256.0/pulumi", "", 0o755);
    expect(await findCli(root, env, sources({}))).to.deep.equal({
      path: built,
      version: "3.256.0",
      origin: "build",
    });
    const downloaded = write(env.PULUMI_HOME ?? "", "versions/3.265.0/bin/pulumi", "", 0o755);
    expect(await findCli(root, env, sources({}))).to.include({ path: downloaded, origin: "npm" });
    expect(asked).to.deep.equal([]);
  });

  it("builds when the download cannot be reached, without trying it", async () => {
    expect(await findCli(root, env, sources({ version: "3.256.0" }))).to.include({
      path: "/built",
      origin: "build",
    });
    expect(asked).to.deep.equal(["network", "build", "version"]);
  });

  it("builds when what was downloaded does not run", async () => {
    const fakes = sources({ reachable: true });
    fakes.versionOf = async (path) => (path === "/built" ? "3.256.0" : undefined);
    expect(await findCli(root, env, fakes)).to.include({ origin: "build" });
  });

  it("names all three ways and what each needs when there is none", async () => {
    const message = await messageOfFailure(() => findCli(root, env, sources({ go: false })));
    expect(message).to.match(/on PATH: there is none; install Pulumi 3\.245\.0 or newer/);
    expect(message).to.match(/npm package `pulumi`.*get\.pulumi\.com\/ does not answer/);
    expect(message).to.match(/Go module registry.*ENOENT.*install Go/);
  });

  it("keeps to one way when TECHNOVA_PULUMI_CLI says so, and rejects other values", async () => {
    env.TECHNOVA_PULUMI_CLI = "build";
    putOnPath();
    expect(await findCli(root, env, sources({ version: "3.300.0" }))).to.include({ origin: "build" });
    env.TECHNOVA_PULUMI_CLI = "brew";
    expect(await messageOfFailure(() => findCli(root, env, sources({})))).to.include("path, npm, build");
  });

  for (const [version, minimum, expected] of [
    ["3.245.0", "3.245.0", true],
    ["3.245.1-alpha.1", "3.245.0", true],
    ["3.9.0", "3.245.0", false],
    ["4.0.0", "3.245.0", true],
    ["3.244.99", "3.245.0", false],
    ["garbage", "3.245.0", false],
  ] as const) {
    it(`${version} is ${expected ? "" : "not "}at least ${minimum}`, () => {
      expect(atLeast(version, minimum)).to.equal(expected);
    });
  }
});
