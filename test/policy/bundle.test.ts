import { bundlePolicyPack } from "../../policy/bundle";
import { expect } from "chai";
import { isAlive } from "../../tools/engine/processes";
import { join } from "node:path";
import { once } from "node:events";
import { readdirSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { spawn } from "node:child_process";

/** Starts the command, tells its process id, and stays. */
const PARENT = `
const { spawn } = require("node:child_process");
const pack = spawn(process.argv[1], { cwd: process.argv[2], stdio: ["ignore", "pipe", "inherit"] });
pack.stdout.once("data", () => console.log(pack.pid));
`;

describe("policy/bundle", function () {
  this.timeout(120_000);

  it("bundles once, whole, and leaves nothing of older sources", async () => {
    const bundled = await Promise.all([bundlePolicyPack(), bundlePolicyPack()]);
    const [{ folder, path, executable }] = bundled;
    const files = readdirSync(folder).filter((name) => !name.endsWith(".tmp"));
    expect(files).to.have.length(4).and.to.include.members(["PulumiPolicy.yaml", "bin", "package.json"]);
    expect(statSync(join(path, executable)).mode & 0o111).not.to.equal(0);
    const before = statSync(join(folder, "package.json")).mtimeMs;
    expect(await bundlePolicyPack()).to.deep.equal(bundled[0]);
    expect(statSync(join(folder, "package.json")).mtimeMs).to.equal(before);
  });

  it("makes a pack that ends when what started it is killed", async () => {
    const { folder, path, executable } = await bundlePolicyPack();
    const parent = spawn(process.execPath, ["-e", PARENT, join(path, executable), folder]);
    const [line] = (await once(parent.stdout, "data")) as [Buffer];
    const pack = Number(line.toString());
    expect(isAlive(pack)).to.be.true;
    parent.kill("SIGKILL");
    while (isAlive(pack)) await sleep(50);
  });
});
