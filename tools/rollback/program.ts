import { existsSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { runCaptured } from "../engine/processes";
import { UserError, withProgress } from "../engine/report";
import { ensureManifests } from "../manifests/ensure";
import { report } from "../engine/report";
import { rollbackFolder } from "./journal";

/** Why the program of a commit cannot be had; undefined when it can. */
export async function programProblem(root: string, commit: string | undefined): Promise<string | undefined> {
  if (commit === undefined) return "That update does not say which commit its program was.";
  if ((await git(root, "cat-file", "-e", `${commit}^{commit}`)).code === 0) return undefined;
  return (
    `The commit ${commit.slice(0, 12)} of that update's program is not in this checkout: get it with git fetch ` +
    "(a shallow clone with git fetch --unshallow), or take today's program."
  );
}

/**
 * Lays the program of a commit beside this one, with its own dependencies.
 * @returns its folder; `removeProgram` takes it away
 */
export async function layProgram(root: string, stack: string, commit: string): Promise<string> {
  const folder = programFolder(root, stack);
  await removeProgram(root, stack);
  await done(git(root, "worktree", "add", "--detach", "--force", folder, commit));
  const lock = "package-lock.json";
  const same =
    existsSync(join(folder, lock)) &&
    readFileSync(join(folder, lock), "utf8") === readFileSync(join(root, lock), "utf8");
  if (same || !existsSync(join(folder, lock))) {
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  } else {
    report(`installing the dependencies of ${commit.slice(0, 12)}`);
    const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    await withProgress(
      (elapsed) => `  still installing, ${elapsed}`,
      () => done(runCaptured("npm", args, { cwd: folder, env: process.env })),
    );
  }
  if (existsSync(join(folder, "components/manifests.lock.json"))) {
    await ensureManifests(folder, { log: report });
  }
  return folder;
}

export async function removeProgram(root: string, stack: string): Promise<void> {
  const folder = programFolder(root, stack);
  if (!existsSync(folder)) return;
  rmSync(folder, { recursive: true, force: true });
  await git(root, "worktree", "prune");
}

function programFolder(root: string, stack: string): string {
  return join(rollbackFolder(root, stack), "program");
}

function git(root: string, ...args: string[]) {
  return runCaptured("git", args, { cwd: root, env: process.env });
}

async function done(result: ReturnType<typeof runCaptured>): Promise<void> {
  const { code, stderr } = await result;
  if (code !== 0) throw new UserError(`The program of then cannot be had:\n${stderr.trim()}`);
}
