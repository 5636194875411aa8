import { expect } from "chai";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { programDependencies, requiredPackages } from "../../../../tools/plugins/language-nodejs/packages";

describe("language host: the packages of a program", () => {
  let folder: string;

  async function manifest(path: string, content: object): Promise<void> {
    const file = join(folder, path, "package.json");
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, JSON.stringify(content));
  }

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "packages-test-"));
    await manifest("program", {
      dependencies: { "@pulumi/random": "*", components: "*", left: "*" },
      devDependencies: { tool: "*" },
    });
    await manifest("program/node_modules/@pulumi/random", {
      name: "@pulumi/random",
      version: "4.21.2",
      dependencies: { "@pulumi/pulumi": "*" },
      pulumi: { resource: true },
    });
    await manifest("program/node_modules/components", {
      name: "components",
      version: "1.0.0",
      peerDependencies: { "@pulumi/pulumi": "*" },
      dependencies: { "third-party": "*" },
    });
    await manifest("program/node_modules/components/node_modules/third-party", {
      name: "third-party",
      version: "2.0.0",
      pulumi: { resource: true, name: "third", version: "2.1.0", server: "https://example.com" },
    });
    await manifest("program/node_modules/left", {
      name: "left",
      version: "3.0.0",
      dependencies: { right: "*" },
    });
    await manifest("node_modules/right", {
      name: "right",
      version: "4.0.0",
      pulumi: { resource: true, name: "right" },
    });
    await manifest("node_modules/tool", { name: "tool", version: "5.0.0" });
    await manifest("node_modules/unused", {
      name: "unused",
      version: "6.0.0",
      pulumi: { resource: true, name: "unused" },
    });
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("need the plugins of its dependencies, and of components among them", () => {
    expect(requiredPackages(join(folder, "program"))).to.deep.equal([
      { name: "random", version: "v4.21.2", server: "" },
      { name: "third", version: "v2.1.0", server: "https://example.com" },
    ]);
  });

  it("are found from a folder below, too", async () => {
    await mkdir(join(folder, "program/src"));
    expect(requiredPackages(join(folder, "program/src"))).to.have.length(2);
  });

  it("count once, however many links lead to them", async () => {
    await symlink(
      join(folder, "program/node_modules/@pulumi/random"),
      join(folder, "program/node_modules/left/random"),
    );
    await manifest("program", { dependencies: { "@pulumi/random": "*", alias: "*" } });
    await symlink(join(folder, "program/node_modules/@pulumi/random"), join(folder, "node_modules/alias"));
    expect(requiredPackages(join(folder, "program"))).to.have.length(1);
  });

  it("have to name their plugin when they are not Pulumi's", async () => {
    await manifest("program/node_modules/components/node_modules/third-party", {
      name: "third-party",
      version: "1.0.0",
      pulumi: { resource: true },
    });
    expect(() => requiredPackages(join(folder, "program"))).to.throw(/third-party .* lacks pulumi\.name/);
  });

  it("are listed with their versions, direct ones or all", () => {
    const names = (transitive: boolean) =>
      programDependencies(join(folder, "program"), transitive).map(({ name }) => name);
    expect(names(false)).to.have.members(["tool", "@pulumi/random", "components", "left"]);
    expect(names(true)).to.have.members([
      "tool",
      "@pulumi/random",
      "components",
      "third-party",
      "left",
      "right",
    ]);
  });

  it("are none without a package.json", () => {
    expect(requiredPackages(join(folder, "nowhere"))).to.deep.equal([]);
  });
});
