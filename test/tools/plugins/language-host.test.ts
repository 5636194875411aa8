import { expect } from "chai";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Workspace } from "./workspace";

const PROGRAM = `
const pulumi = require("@pulumi/pulumi");
const random = require("@pulumi/random");
const config = new pulumi.Config();
if (config.get("fail") === "message") throw new pulumi.RunError("the user's own message");
if (config.get("fail") === "error") throw new Error("something broke");
if (config.get("fail") === "code") process.exit(7);
if (config.get("fail") === "typescript") {
  require("tsx/cjs");
  require("./broken.ts");
}
new random.RandomString("label", { length: config.requireNumber("length"), special: false });
exports.facts = {
  organization: pulumi.getOrganization(),
  project: pulumi.getProject(),
  stack: pulumi.getStack(),
  secretKeys: JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS),
  nodeArguments: process.execArgv.slice(2),
  dryRun: pulumi.runtime.isDryRun(),
};
exports.secret = config.requireSecret("token");
const seven = 7;
if (config.get("serialize")) {
  exports.captures = pulumi.runtime.serializeFunction(() => seven).then(({ text }) => text.includes("seven: 7"));
}
`;

/** Reads the stack while it loads, as packs that differ by stack do. */
const POLICY_PACK = `
const pulumi = require("@pulumi/pulumi");
const { PolicyPack } = require("@pulumi/policy");
const stack = pulumi.getStack() + " of " + pulumi.getProject();
new PolicyPack("pack", {
  policies: [{
    name: "long-labels",
    description: "Labels have to be long.",
    enforcementLevel: "mandatory",
    validateResource: (args, reportViolation) => {
      if (args.type === "random:index/randomString:RandomString" && args.props.length < 8) {
        reportViolation(args.name + " is too short in " + stack);
      }
    },
  }],
});
`;

describe("plugins under the real CLI: the language host", function () {
  this.timeout(300_000);
  let workspace: Workspace;

  before(async () => {
    workspace = await Workspace.create(PROGRAM, ["random"]);
    const project = await workspace.read("Pulumi.yaml");
    await workspace.write(
      "Pulumi.yaml",
      `${project}    nodeargs: --max-old-space-size=512 --title='a program'\n`,
    );
    await workspace.succeed(
      "config",
      "set-all",
      "--plaintext",
      "length=12",
      "--secret",
      "token=sentinel-0815",
    );
  });
  after(() => workspace?.remove());

  it("gives the program its stack, its configuration and its Node arguments", async () => {
    const output = await workspace.succeed("up", "--yes", "--skip-preview");
    expect(output).not.to.contain("sentinel-0815");
    expect(JSON.parse(await workspace.succeed("stack", "output", "--json"))).to.deep.equal({
      facts: {
        organization: "organization",
        project: "program",
        stack: "test",
        secretKeys: ["program:token"],
        nodeArguments: ["--max-old-space-size=512", "--title=a program"],
        dryRun: false,
      },
      secret: "[secret]",
    });
  });

  it("lets a program serialize its functions", async () => {
    const output = await workspace.succeed("preview", "--config", "program:serialize=true");
    expect(output).to.match(/captures *: true/);
  });

  it("enforces a policy pack, which knows the stack while it loads", async () => {
    await mkdir(join(workspace.folder, "pack"));
    await workspace.write(
      "pack/PulumiPolicy.yaml",
      "runtime:\n  name: nodejs\n  options:\n    typescript: false\n",
    );
    await workspace.write(
      "pack/package.json",
      JSON.stringify({ name: "pack", version: "0.0.1", main: "index.js" }),
    );
    await workspace.write("pack/index.js", POLICY_PACK);
    await workspace.succeed("preview", "--policy-pack", "pack");
    await workspace.succeed("config", "set", "length", "4");
    const { code, output } = await workspace.run("preview", "--policy-pack", "pack");
    expect(code).not.to.equal(0);
    expect(output)
      .to.match(/long-labels/)
      .and.to.match(/label is too short in test of program/);
  });

  it("says why a policy pack does not start", async () => {
    await workspace.write("pack/index.js", 'throw new Error("the pack is broken");');
    const { code, output } = await workspace.run("preview", "--policy-pack", "pack");
    expect(code).not.to.equal(0);
    expect(output).to.contain("the pack is broken");
  });

  it("leaves it at the message of a program that has told the user", async () => {
    await workspace.succeed("config", "set", "fail", "message");
    const { code, output } = await workspace.run("preview");
    expect(code).not.to.equal(0);
    expect(output).to.contain("the user's own message").and.not.to.contain("exited with");
  });

  it("shows an error of the program, at the program's own position", async () => {
    await workspace.succeed("config", "set", "fail", "error");
    const { code, output } = await workspace.run("preview");
    expect(code).not.to.equal(0);
    expect(output)
      .to.contain("something broke")
      .and.to.match(/index\.js:\d+/);
  });

  it("shows an error of a TypeScript program where its TypeScript has it", async () => {
    await workspace.write(
      "broken.ts",
      'interface Gone {}\n\nexport const line: number = 3;\nthrow new Error("broke");\n',
    );
    await workspace.succeed("config", "set", "fail", "typescript");
    const { output } = await workspace.run("preview");
    // One line of what runs stands for all of the source, and only tsx knows which is which.
    expect(output).to.match(/Error: broke\n.*broken\.ts:4:7\b/);
  });

  it("reports the exit code of a program that said nothing", async () => {
    await workspace.succeed("config", "set", "fail", "code");
    expect((await workspace.run("preview")).output).to.contain("the program exited with code 7");
  });

  it("answers `pulumi about`", async () => {
    const output = await workspace.succeed("about", "--json");
    const about = JSON.parse(output.slice(output.indexOf("{"))) as {
      runtime: { language: string; version: string };
    };
    expect(about.runtime).to.deep.include({ language: "nodejs", version: process.version });
  });
});
