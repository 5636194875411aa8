import { expect } from "chai";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { temporaryFolder, write } from "./support";

const checkout = join(__dirname, "../../..");

/** Installs what bootstrap needs by linking it, as `npm ci` would: first remove, then write, npm's own list last. */
const fakeNpm = `
const { appendFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } = require("node:fs");
appendFileSync("npm.log", process.argv.slice(2).join(" ") + "\\n");
const behaviour = readFileSync("npm.behaviour", "utf8").split("\\n");
writeFileSync("npm.behaviour", behaviour.slice(1).join("\\n"));
rmSync("node_modules", { recursive: true, force: true });
mkdirSync("node_modules");
for (const name of ["tsx", "zod", "yaml", "commander"]) symlinkSync("${checkout}/node_modules/" + name, "node_modules/" + name);
if (behaviour[0] === "hang") setInterval(() => {}, 1000);
else if (behaviour[0]) { console.error(behaviour[0]); process.exit(1); }
else writeFileSync("node_modules/.package-lock.json", readFileSync("package-lock.json", "utf8").replace('"":{},', ""));
`;

describe("the bootstrap", function () {
  this.timeout(20_000);
  let root: string;

  beforeEach(() => {
    root = temporaryFolder();
    write(
      root,
      "tools/engine/main.ts",
      "console.log('ran', ...process.argv.slice(2)); process.exitCode = 7;",
    );
    copyFileSync(join(checkout, "tools/bootstrap.mjs"), join(root, "tools/bootstrap.mjs"));
    write(root, "package.json", JSON.stringify({ engines: { node: ">=20.19" } }));
    write(root, "fake-npm.js", fakeNpm);
    write(root, "npm.behaviour", "");
    lock("1.0.0");
  });

  function lock(version: string): void {
    write(
      root,
      "package-lock.json",
      JSON.stringify({ packages: { "": {}, "node_modules/example": { version } } }),
    );
  }
  const env = () => ({ ...process.env, npm_execpath: join(root, "fake-npm.js") });
  const installs = (): number =>
    existsSync(join(root, "npm.log"))
      ? readFileSync(join(root, "npm.log"), "utf8").trim().split("\n").length
      : 0;
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join(root, "tools/bootstrap.mjs"), ...args], {
      env: env(),
      encoding: "utf8",
    });

  it("installs what is missing, then runs the program with its arguments and exit code", () => {
    const result = run("up", "--stack", "local");
    expect(result.stdout, result.stderr).to.equal("ran up --stack local\n");
    expect(result.status).to.equal(7);
    expect(readFileSync(join(root, "npm.log"), "utf8")).to.match(/^ci --ignore-scripts /);
    expect(result.stderr).to.include("npm ci");
  });

  it("does not install again", () => {
    run();
    expect(run().stderr).to.equal("");
    expect(installs()).to.equal(1);
  });

  it("installs again when the lock changes", () => {
    run();
    lock("1.0.1");
    run();
    expect(installs()).to.equal(2);
  });

  it("accepts what someone installed by hand, when it is what the lock says", () => {
    run();
    rmSync(join(root, "node_modules/.technova-lock"));
    expect(run().stderr).to.equal("");
    lock("1.0.1");
    const installed = readFileSync(join(root, "package-lock.json"), "utf8").replace('"":{},', "");
    writeFileSync(join(root, "node_modules/.package-lock.json"), installed);
    expect(run().stderr).to.equal("");
    expect(installs()).to.equal(1);
  });

  it("notices an install that was killed", async () => {
    run();
    lock("1.0.1");
    writeFileSync(join(root, "npm.behaviour"), "hang");
    const killed = spawn(process.execPath, [join(root, "tools/bootstrap.mjs")], {
      env: env(),
      detached: true,
    });
    while (installs() < 2) await sleep(50);
    if (killed.pid === undefined) throw new Error("it never started");
    process.kill(-killed.pid, "SIGKILL");
    await once(killed, "exit");
    expect(run().status).to.equal(7);
    expect(installs()).to.equal(3);
  });

  it("tries a second time when the registry hiccups, and only then", () => {
    write(root, "npm.behaviour", "npm error code ECONNRESET");
    expect(run().status).to.equal(7);
    expect(installs()).to.equal(2);
  });

  it("says what to look at when the registry stays away", () => {
    write(root, "npm.behaviour", "npm error network ETIMEDOUT\nnpm error network ETIMEDOUT");
    const result = run();
    expect(result.status).to.equal(1);
    expect(result.stderr).to.include("check the network").and.to.include("ETIMEDOUT");
    expect(installs()).to.equal(2);
  });

  it("shows what npm says when it is no hiccup", () => {
    write(root, "npm.behaviour", "npm error code EUSAGE: lock file and package.json differ");
    const result = run();
    expect(result.status).to.equal(1);
    expect(result.stderr).to.include("EUSAGE");
    expect(installs()).to.equal(1);
  });

  it("refuses a Node that is too old", () => {
    write(root, "package.json", JSON.stringify({ engines: { node: ">=99.1" } }));
    const result = run();
    expect(result.status).to.equal(1);
    expect(result.stderr).to.include("Node >=99.1 is needed, this is").and.to.include(process.execPath);
    expect(installs()).to.equal(0);
  });

  it("installs once when two commands start at the same time", async () => {
    const start = () =>
      spawn(process.execPath, [join(root, "tools/bootstrap.mjs")], { env: env(), stdio: "ignore" });
    const codes = await Promise.all(
      [start(), start()].map(async (child) => (await once(child, "exit"))[0] as number),
    );
    expect(codes).to.deep.equal([7, 7]);
    expect(installs()).to.equal(1);
  });
});
