// Entry of every npm script. It runs before anything is installed, so it uses Node alone: it checks the Node version,
// installs the dependencies when they are missing or not those of package-lock.json, and hands over to the program.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, "node_modules/.technova-lock");
const installLock = join(root, ".build/install.lock");

function say(line) {
  process.stderr.write(`${line}\n`);
}

/** Something that the user can put right: shown without a stack trace. */
class Failure extends Error {}

function readOr(path, otherwise) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return otherwise;
  }
}

function checkNode() {
  const wanted = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).engines.node;
  const [, major, minor] = /(\d+)\.(\d+)/.exec(wanted).map(Number);
  const [haveMajor, haveMinor] = process.versions.node.split(".").map(Number);
  if (haveMajor > major || (haveMajor === major && haveMinor >= minor)) return;
  throw new Failure(`Node ${wanted} is needed, this is ${process.versions.node} (${process.execPath}).`);
}

/**
 * Whether node_modules is what package-lock.json says. The stamp is written after an install; without it (someone
 * ran npm by hand) npm's own list of what it installed decides. Both are gone or missing while `npm ci` is under
 * way, so an install that was killed is noticed.
 */
function installed(lockText) {
  const hash = createHash("sha256").update(lockText).digest("hex");
  if (readOr(stamp, "") === hash) return true;
  const actual = JSON.parse(readOr(join(root, "node_modules/.package-lock.json"), "{}")).packages ?? {};
  const wanted = Object.entries(JSON.parse(lockText).packages).filter(([path]) => path !== "");
  const same = wanted.every(([path, { version, optional }]) =>
    actual[path] === undefined ? optional === true : actual[path].version === version,
  );
  const known = new Set(wanted.map(([path]) => path));
  if (!same || wanted.length === 0 || Object.keys(actual).some((path) => !known.has(path))) return false;
  writeFileSync(stamp, hash);
  return true;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** One install at a time in a checkout; the lock of a process that is gone counts for nothing. */
async function locked(work) {
  mkdirSync(dirname(installLock), { recursive: true });
  const mine = `${installLock}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    for (let waited = 0; ; waited += 1) {
      try {
        linkSync(mine, installLock);
        break;
      } catch (error) {
        if (error.code !== "EEXIST") throw error;
      }
      const holder = Number(readOr(installLock, "0"));
      if (holder > 0 && !isAlive(holder)) rmSync(installLock, { force: true });
      else {
        if (waited % 20 === 0) say(`waiting for process ${holder}, which is installing the dependencies`);
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
    try {
      await work();
    } finally {
      rmSync(installLock, { force: true });
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Runs `npm ci` quietly; resolves to undefined when it worked, else to what it printed. */
function npmInstall() {
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  // Under `npm run`, the same npm; otherwise the one on PATH.
  const npm = process.env.npm_execpath;
  const [command, given] = npm?.endsWith(".js") ? [process.execPath, [npm, ...args]] : ["npm", args];
  const started = Date.now();
  const timer = setInterval(
    () => say(`  still installing, ${Math.round((Date.now() - started) / 1000)} s`),
    10_000,
  );
  return new Promise((resolve) => {
    const child = spawn(command, given, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (text) => (output += text));
    child.stderr.on("data", (text) => (output += text));
    child.once("error", (error) => resolve(`${command}: ${error.message}`));
    child.once("close", (code) =>
      resolve(code === 0 ? undefined : output || `${command} ended with ${code}`),
    );
  }).finally(() => clearInterval(timer));
}

const hiccup = /ECONNRESET|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ENOTFOUND|ERR_SOCKET|network|\b(429|50[0234])\b/;

async function install(lockText) {
  say("installing the dependencies of package-lock.json (npm ci)");
  rmSync(stamp, { force: true });
  let problem = await npmInstall();
  if (problem !== undefined && hiccup.test(problem)) {
    say("  the registry did not answer as it should; trying once more");
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    problem = await npmInstall();
  }
  if (problem !== undefined) {
    const advice = hiccup.test(problem)
      ? "npm could not reach its registry; check the network and `npm config get registry`."
      : "Put right what npm says and try again.";
    throw new Failure(`the dependencies could not be installed. ${advice}\n${problem.trim()}`);
  }
  writeFileSync(stamp, createHash("sha256").update(lockText).digest("hex"));
}

async function prepare() {
  checkNode();
  const lockText = readOr(join(root, "package-lock.json"), undefined);
  if (lockText === undefined)
    throw new Failure(`there is no package-lock.json in ${root}; is the checkout complete?`);
  if (installed(lockText)) return;
  await locked(async () => {
    if (!installed(lockText)) await install(lockText);
  });
}

try {
  await prepare();
} catch (error) {
  say(`error: ${error instanceof Failure ? error.message : error.stack}`);
  process.exit(1);
}

// In this process: signals, terminal and exit code are then the program's own.
const require = createRequire(import.meta.url);
// Loaded before tsx, whose hook would look at each of their many files: it halves the time to start.
for (const library of ["zod", "yaml", "commander"]) require(library);
require("tsx/cjs");
require("./engine/main.ts");
