import { expect } from "chai";
import { execFile, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { preparePlugins } from "../../../tools/plugins";

const OWN = ["docker", "kubernetes", "random", "tls"];

describe("plugins: preparation", function () {
  this.timeout(300_000);

  it("offers exactly what was asked for, so that no official plugin is hidden", async () => {
    const one = await preparePlugins({ packages: ["random"], languageHost: false });
    expect(readdirSync(one)).to.deep.equal(["pulumi-resource-random"]);
    const two = await preparePlugins({ packages: ["github", "tls"], languageHost: true });
    expect(readdirSync(two).sort()).to.deep.equal([
      "pulumi-language-nodejs",
      "pulumi-resource-github",
      "pulumi-resource-tls",
    ]);
    expect(readdirSync(one)).to.deep.equal(["pulumi-resource-random"]);
  });

  it("starts the generic plugin for a package without one, with the version of its official plugin", async () => {
    const bin = await preparePlugins({ packages: ["github", "datadog"], languageHost: false });
    expect(readFileSync(join(bin, "pulumi-resource-github"), "utf8")).to.match(
      /generic\.\w+\/main\.cjs' 'github' '6\.15\.0' "\$@"/,
    );
    expect(readFileSync(join(bin, "pulumi-resource-datadog"), "utf8")).to.match(
      /main\.cjs' 'datadog' '' "\$@"/,
    );
  });

  it("comes to the same result in several processes at once", async () => {
    const script = `require("./tools/plugins").preparePlugins({ packages: ${JSON.stringify(OWN)}, languageHost: true }).then(console.log)`;
    const run = promisify(execFile);
    const results = await Promise.all(
      [1, 2].map(() =>
        run(process.execPath, ["--import", "tsx", "-e", script], { cwd: resolve(__dirname, "../../..") }),
      ),
    );
    const folders = results.map(({ stdout }) => stdout.trim());
    expect(folders[0]).to.equal(folders[1]);
    expect(readdirSync(folders[0] ?? "")).to.have.length(OWN.length + 1);
  });

  for (const name of [...OWN.map((each) => `resource-${each}`), "resource-github", "language-nodejs"]) {
    it(`${name} prints its port and ends with its engine`, async () => {
      const bin = await preparePlugins({ packages: [...OWN, "github"], languageHost: true });
      const child = spawn(join(bin, `pulumi-${name}`), [], { stdio: ["pipe", "pipe", "inherit"] });
      const port = await new Promise<string>((done) =>
        child.stdout.once("data", (chunk: Buffer) => done(chunk.toString())),
      );
      expect(Number(port)).to.be.within(1024, 65535);
      const ended = new Promise<number | null>((done) => child.once("exit", done));
      child.stdin.end();
      expect(await ended).to.equal(0);
    });
  }
});
