import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ensureManifests } from "../manifests/ensure";
import { describeCli, findCli } from "./cli";
import { runCaptured, runForeground, type Captured } from "./processes";
import { projectRoot as root } from "./project";
import { report, UserError, withProgress } from "./report";

/** Totals of one part of a check. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** Runs all unit tests and ends with one line that counts them; 0 only when some ran and none failed. */
export async function test(): Promise<number> {
  await prepare();
  // Before the tests that use it, whose time limits are not made for building it.
  report(describeCli(await findCli(root, process.env)));
  // Two cores: TypeScript on one, Python on the other.
  const results = await Promise.all([typescriptTests(), pythonTests()]);
  return conclude(results.flat());
}

/** Python that runs in the cluster, outside of the service; each folder is a program. */
const clusterScripts = [
  "components/delivery/outcome",
  "components/addons/falco/receiver",
  "components/monitoring/githubAudit",
];

export async function lint(): Promise<number> {
  await pythonTool("setup");
  const parts: [string, string[]][] = [
    [bin("eslint"), ["."]],
    [bin("prettier"), ["--check", "."]],
    [join(root, "app/check"), ["lint"]],
    [join(root, "app/.venv/bin/ruff"), ["check", "--config=app/pyproject.toml", ...clusterScripts]],
    [
      join(root, "app/.venv/bin/ruff"),
      ["format", "--check", "--config=app/pyproject.toml", ...clusterScripts],
    ],
    ...clusterScripts.map((each): [string, string[]] => [
      join(root, "app/.venv/bin/mypy"),
      ["--strict", each],
    ]),
  ];
  let failed = 0;
  for (const [command, args] of parts) {
    const code = await runForeground(command, args, { cwd: root, env: process.env });
    if (code !== 0) failed += 1;
  }
  report(failed === 0 ? "lint: nothing found" : `lint: ${failed} of ${parts.length} tools found something`);
  return failed === 0 ? 0 : 1;
}

/** Writes the golden files anew; what changed is then reviewed with git. */
export async function golden(): Promise<number> {
  await prepare();
  return mocha([goldenTest], { UPDATE_GOLDEN: "1" });
}

export async function endToEnd(suites: readonly string[]): Promise<number> {
  const known = testFiles("e2e").map((file) => /([^/]+)\.test\.ts$/.exec(file)?.[1] ?? file);
  const wanted = suites.length === 0 ? ["core"] : suites.includes("all") ? known : suites;
  const unknown = wanted.filter((suite) => !known.includes(suite));
  if (unknown.length > 0) {
    throw new UserError(`There is no suite ${unknown.join(", ")}; there are ${known.join(", ")}, and all.`);
  }
  const files = wanted.map((suite) => join("test/e2e", `${suite}.test.ts`));
  return conclude([await counted("e2e", () => streamed(bin("mocha"), [...mochaFlags, ...files]))]);
}

export function bench(suites: readonly string[]): Promise<number> {
  const args = [join(root, "test/bench/main.ts"), ...suites];
  return runForeground(bin("tsx"), args, { cwd: root, env: process.env });
}

/** The test that compares with the golden files, and that writes them. */
export const goldenTest = "test/components/stacks.test.ts";

/** Nothing but the files given: the configuration's own list of files would be added to them. */
const mochaFlags = ["--no-config", "--import=tsx", "--extension=ts", "--timeout=600000"];

function mocha(files: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return runForeground(bin("mocha"), [...mochaFlags, ...files], {
    cwd: root,
    env: { ...process.env, ...env },
  });
}

async function prepare(): Promise<void> {
  await ensureManifests(root, { log: report });
  await pythonTool("setup");
}

async function typescriptTests(): Promise<Counts[]> {
  const types = await counted("types", () => streamed(bin("tsc"), ["--noEmit"]), false);
  return [types, await counted("TypeScript", () => streamed(bin("mocha"), []))];
}

/** Shown when they are done, so that two test runs do not write into each other's lines. */
async function pythonTests(): Promise<Counts> {
  return counted("Python", async () => {
    const result = await withProgress(
      (elapsed) => `Python tests run beside these, ${elapsed}`,
      () => runCaptured(join(root, "app/check"), ["test"], { cwd: root, env: process.env }),
      60_000,
    );
    process.stdout.write(`${result.stdout}${result.stderr}`);
    return result;
  });
}

function streamed(command: string, args: readonly string[]): Promise<Captured> {
  return runCaptured(command, args, { cwd: root, env: process.env, echo: true });
}

async function counted(name: string, run: () => Promise<Captured>, counting = true): Promise<Counts> {
  const counts = countsOf(await run(), counting);
  report(`${name}: ${counts.passed} passed, ${counts.failed} failed`);
  return counts;
}

/**
 * Reads the totals that mocha (`12 passing`) and pytest (`12 passed`) end with. A part that fails without counting a
 * failure (types, a crash, a coverage limit) is one failure.
 * @param counting whether it ends with totals: without them it was interrupted, whatever its exit code; one that only
 * checks is one pass
 */
export function countsOf({ code, stdout, stderr }: Captured, counting = true): Counts {
  const last = (pattern: RegExp): number => {
    const found = [...`${stdout}\n${stderr}`.matchAll(pattern)].at(-1)?.[1];
    return found === undefined ? 0 : Number(found);
  };
  const passed = last(/^\s*(\d+) passing\b/gm) + last(/\b(\d+) passed\b/g);
  const failed = last(/^\s*(\d+) failing\b/gm) + last(/\b(\d+) failed\b/g) + last(/\b(\d+) errors? in \d/g);
  if (failed > 0) return { passed, failed };
  if (code !== 0 || (counting && passed === 0)) return { passed, failed: 1 };
  return { passed: counting ? passed : 1, failed };
}

function conclude(counts: readonly Counts[]): number {
  const passed = counts.reduce((sum, count) => sum + count.passed, 0);
  const failed = counts.reduce((sum, count) => sum + count.failed, 0);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

/** Runs one task of the application's own tool, which keeps the Python side's environment. */
async function pythonTool(task: string): Promise<void> {
  const code = await runForeground(join(root, "app/check"), [task], { cwd: root, env: process.env });
  if (code !== 0) throw new UserError(`app/check ${task} failed; what it printed above says why.`);
}

function testFiles(folder: string): string[] {
  const path = join(root, "test", folder);
  if (!existsSync(path)) return [];
  const names = readdirSync(path, { recursive: true, encoding: "utf8" });
  return names.filter((name) => name.endsWith(".test.ts")).map((name) => join("test", folder, name));
}

function bin(name: string): string {
  return join(root, "node_modules/.bin", name);
}
