import { expect } from "chai";
import {
  pluginCommand,
  policyEnvironment,
  programCommand,
  type ProgramRun,
} from "../../../../tools/plugins/language-nodejs/command";
import {
  installArguments,
  packageManager,
  runningVersion,
} from "../../../../tools/plugins/language-nodejs/installation";
import { parseRuntimeOptions, splitArguments } from "../../../../tools/plugins/language-nodejs/options";
import { locateRunner, programOutcome } from "../../../../tools/plugins/language-nodejs/program";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const RUNNER = { path: "/sdk/run.js", preload: "/plugins/preload.cjs" };

const RUN: ProgramRun = {
  monitorAddress: "127.0.0.1:1",
  engineAddress: "127.0.0.1:2",
  organization: "organization",
  project: "program",
  stack: "test",
  rootDirectory: "/srv",
  programDirectory: "/srv/program",
  entryPoint: ".",
  dryRun: true,
  parallel: 16,
  config: { "program:token": "sentinel" },
  secretKeys: ["program:token"],
  args: [],
};

describe("language host: runtime options", () => {
  it("have defaults", () => {
    expect(parseRuntimeOptions({})).to.deep.equal({
      typescript: true,
      nodeargs: [],
      packagemanager: "auto",
      production: false,
    });
  });

  for (const [options, message] of [
    [{ typescript: "yes" }, 'runtime option typescript is "yes"; it takes a boolean'],
    [{ nodeargs: 1 }, "runtime option nodeargs is 1; it takes a string"],
    [
      { packagemanager: "cargo" },
      'runtime option packagemanager is "cargo"; it takes auto, npm, yarn, pnpm, bun',
    ],
    [{ nodeargs: "--title='a" }, "runtime option nodeargs has an unclosed ' in: --title='a"],
  ] as const) {
    it(`refuse ${JSON.stringify(options)}`, () => {
      expect(() => parseRuntimeOptions(options)).to.throw(message);
    });
  }

  for (const [line, words] of [
    ["", []],
    ["  --a  -b=1 ", ["--a", "-b=1"]],
    [`--title='two words' "and \\"more\\" $x"`, ["--title=two words", 'and "more" $x']],
    ["one\\ word ''", ["one word", ""]],
  ] as const) {
    it(`split ${JSON.stringify(line)}`, () => {
      expect(splitArguments(line)).to.deep.equal(words);
    });
  }
});

describe("language host: commands", () => {
  it("run a program with everything that the SDK reads, and its configuration in the environment only", () => {
    const { args, env } = programCommand(RUN, parseRuntimeOptions({ nodeargs: "--inspect" }), RUNNER);
    expect(args.join(" ")).to.equal(
      "--require /plugins/preload.cjs --inspect /sdk/run.js --monitor 127.0.0.1:1 --engine 127.0.0.1:2 " +
        "--organization organization --project program --root-directory /srv --stack test --pwd /srv/program " +
        "--parallel 16 --dry-run .",
    );
    expect(env).to.deep.equal({
      PULUMI_CONFIG: '{"program:token":"sentinel"}',
      PULUMI_CONFIG_SECRET_KEYS: '["program:token"]',
      PULUMI_NODEJS_TYPESCRIPT: "true",
    });
  });

  it("leave out what is not known, and TypeScript where it is switched off", () => {
    const options = parseRuntimeOptions({ typescript: false, tsconfig: "tsconfig.pulumi.json" });
    const { args, env } = programCommand({ ...RUN, organization: "", dryRun: false }, options, RUNNER);
    expect(args).not.to.include.members(["--organization"]).and.not.to.include("--dry-run");
    expect(env).to.have.property("PULUMI_NODEJS_TSCONFIG_PATH", "tsconfig.pulumi.json");
    expect(env).not.to.have.property("PULUMI_NODEJS_TYPESCRIPT");
  });

  it("give the folder last to policy packs and first to other plugins", () => {
    const command = (kind: string) =>
      pluginCommand(
        { kind, programDirectory: "/pack", args: ["127.0.0.1:2"] },
        parseRuntimeOptions({}),
        RUNNER,
      ).args;
    expect(command("analyzer").slice(-2)).to.deep.equal(["127.0.0.1:2", "/pack"]);
    expect(command("resource").slice(-2)).to.deep.equal(["/pack", "127.0.0.1:2"]);
  });

  it("tell a policy pack its stack", () => {
    const stack = {
      organization: "",
      project: "program",
      stack: "test",
      dryRun: true,
      config: { "program:a": "1" },
    };
    expect(policyEnvironment(stack)).to.deep.equal({
      PULUMI_NODEJS_PROJECT: "program",
      PULUMI_NODEJS_STACK: "test",
      PULUMI_NODEJS_DRY_RUN: "true",
      PULUMI_CONFIG: '{"program:a":"1"}',
    });
  });
});

describe("language host: the end of a program", () => {
  it("is told by its exit code", () => {
    expect(programOutcome({ code: 0, killedBy: null }, "")).to.deep.equal({});
    expect(programOutcome({ code: 32, killedBy: null }, "")).to.deep.equal({ bail: true });
    expect(programOutcome({ code: null, killedBy: "SIGKILL" }, "").error).to.equal(
      "the program was ended by SIGKILL",
    );
    expect(programOutcome({ code: 7, killedBy: null }, "").error).to.equal("the program exited with code 7");
  });

  it("names a lack of memory", () => {
    const { error } = programOutcome({ code: 134, killedBy: null }, "...\n<--- Last few GCs --->\n...");
    expect(error).to.match(/ran out of memory.*--max-old-space-size/);
  });

  it("says what to do when the SDK is missing", () => {
    expect(() => locateRunner("@pulumi/pulumi/cmd/run", tmpdir())).to.throw(/is not installed for .*npm ci/);
    expect(locateRunner("@pulumi/pulumi/cmd/run", __dirname).path).to.match(
      /@pulumi\/pulumi\/cmd\/run\/index\.js$/,
    );
  });
});

describe("language host: package manager", () => {
  let folder: string;
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "manager-test-"))));
  afterEach(() => rm(folder, { recursive: true }));

  it("is the one that the options name, else the one of the lock file, else npm", async () => {
    expect(packageManager(parseRuntimeOptions({}), folder)).to.equal("npm");
    await writeFile(join(folder, "pnpm-lock.yaml"), "");
    expect(packageManager(parseRuntimeOptions({}), join(folder, "below"))).to.equal("pnpm");
    expect(packageManager(parseRuntimeOptions({ packagemanager: "bun" }), folder)).to.equal("bun");
  });

  it("has a version that is known where it started the process itself", () => {
    const userAgent = "npm/11.19.1 node/v20.20.2 linux x64 workspaces/false";
    expect(runningVersion("npm", userAgent)).to.equal("11.19.1");
    expect(runningVersion("pnpm", userAgent)).to.equal(undefined);
    expect(runningVersion("npm")).to.equal(undefined);
  });

  it("is told to leave out what is for development only", () => {
    expect(installArguments("npm", true)).to.deep.equal(["install", "--omit=dev"]);
    expect(installArguments("npm", false)).to.deep.equal(["install"]);
  });
});
