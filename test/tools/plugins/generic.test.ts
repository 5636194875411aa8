import { expect } from "chai";
import { Workspace } from "./workspace";

const PROGRAM = `
const pulumi = require("@pulumi/pulumi");
const github = require("@pulumi/github");
const config = new pulumi.Config();
const repository = new github.Repository("repository", { description: config.get("description") || "old" });
exports.name = repository.fullName;
`;

const INSTALL = /pulumi plugin install resource github 6\.15\.0/;

/** A repository that the official plugin made. */
function stateOf(stack: { deployment: { resources?: unknown[] } }): void {
  const base = "urn:pulumi:test::program::";
  const provider = `${base}pulumi:providers:github::default_6_15_0`;
  const providerId = "6f0e4ee5-5a8f-4f7e-9a0a-1f6d0a6a3c11";
  stack.deployment.resources = [
    { urn: `${base}pulumi:pulumi:Stack::program-test`, custom: false, type: "pulumi:pulumi:Stack" },
    {
      urn: provider,
      custom: true,
      id: providerId,
      type: "pulumi:providers:github",
      inputs: { version: "6.15.0" },
      outputs: { version: "6.15.0" },
    },
    {
      urn: `${base}github:index/repository:Repository::repository`,
      custom: true,
      id: "repository-1a2b3c",
      type: "github:index/repository:Repository",
      inputs: { __defaults: ["name"], description: "old" },
      outputs: { description: "old", fullName: "technova/repository-1a2b3c", id: "repository-1a2b3c" },
      parent: `${base}pulumi:pulumi:Stack::program-test`,
      provider: `${provider}::${providerId}`,
    },
  ];
}

describe("plugins under the real CLI: a package without a plugin", function () {
  this.timeout(300_000);
  let workspace: Workspace;

  before(async () => {
    workspace = await Workspace.create(PROGRAM, ["github"]);
  });
  after(() => workspace?.remove());

  it("previews it, with what it would put out unknown", async () => {
    expect(await workspace.succeed("preview"))
      .to.match(/name: \[unknown\]/)
      .and.to.match(/\+ 2 to create/);
  });

  it("refuses to create it and says what to install", async () => {
    const { code, output } = await workspace.run("up", "--yes", "--skip-preview");
    expect(code).not.to.equal(0);
    expect(output)
      .to.match(/cannot create repository/)
      .and.to.match(INSTALL);
    expect((await workspace.resources()).map(({ type }) => type)).not.to.include(
      "github:index/repository:Repository",
    );
  });

  describe("with a resource that the official plugin made", () => {
    before(async () => {
      const stack = JSON.parse(await workspace.succeed("stack", "export")) as {
        deployment: { resources?: unknown[] };
      };
      stateOf(stack);
      await workspace.write("state.json", JSON.stringify(stack));
      await workspace.succeed("stack", "import", "--file", "state.json");
    });

    it("sees no change where there is none", async () => {
      expect(await workspace.succeed("up", "--yes", "--skip-preview")).to.match(/2 unchanged/);
      expect(await workspace.output("name")).to.equal("technova/repository-1a2b3c");
    });

    it("previews an update", async () => {
      await workspace.succeed("config", "set", "description", "new");
      expect(await workspace.succeed("preview", "--diff"))
        .to.match(/description: "old" => "new"/)
        .and.to.match(/1 to update/);
    });

    for (const command of ["up", "refresh", "destroy"]) {
      it(`${command} refuses and leaves the state as it was`, async () => {
        const { code, output } = await workspace.run(command, "--yes", "--skip-preview");
        expect(code).not.to.equal(0);
        expect(output).to.match(INSTALL);
        const { outputs } = await workspace.resource("repository");
        expect(outputs).to.deep.include({ description: "old", fullName: "technova/repository-1a2b3c" });
      });
    }
  });
});
