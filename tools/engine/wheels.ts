import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "./lockfile";
import { runCaptured } from "./processes";
import { report, UserError, withProgress } from "./report";

/** The Python version and libc of the application's base image. */
const pythonVersion = "3.11";
const manylinux = ["manylinux_2_28", "manylinux_2_17", "manylinux2014"];

const machines: Partial<Record<NodeJS.Architecture, string>> = { x64: "x86_64", arm64: "aarch64" };

/**
 * Makes `app/wheels` hold exactly the wheels of `app/requirements.lock`, verified by the hashes in it. The image is
 * built from them without a network, because a container build need not reach the package registry.
 * @throws UserError with pip's last lines.
 */
export async function ensureWheels(root: string, env: NodeJS.ProcessEnv): Promise<void> {
  const app = join(root, "app");
  const lock = join(app, "requirements.lock");
  const wheels = join(app, "wheels");
  const wanted = createHash("sha256").update(readFileSync(lock)).update(process.arch).digest("hex");
  const stamp = join(wheels, ".complete");
  const complete = (): boolean => existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;
  if (complete()) return;
  await withLock(join(root, ".build/wheels.lock"), "downloading the application's wheels", async () => {
    if (complete()) return;
    report("downloading the application's wheels");
    const temporary = join(app, "wheels.tmp");
    rmSync(temporary, { recursive: true, force: true });
    mkdirSync(temporary, { recursive: true });
    await download(lock, temporary, env);
    writeFileSync(join(temporary, ".complete"), wanted);
    rmSync(wheels, { recursive: true, force: true });
    renameSync(temporary, wheels);
  });
}

async function download(lock: string, folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const machine = machines[process.arch];
  if (machine === undefined) throw new UserError(`The application's image is not built for ${process.arch}.`);
  const platforms = manylinux.flatMap((name) => ["--platform", `${name}_${machine}`]);
  const args = ["-m", "pip", "download", "--disable-pip-version-check", "--no-deps", "--require-hashes"];
  args.push("--only-binary=:all:", "--implementation", "cp", "--python-version", pythonVersion);
  args.push(...platforms, "--dest", folder, "--requirement", lock);
  const result = await withProgress(
    (elapsed) => `  still downloading, ${elapsed}`,
    () => runCaptured("python3", args, { cwd: folder, env, timeoutMs: 600_000 }),
  ).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(
      `python3 could not be started (${error.code}); the application's wheels need it and pip.`,
    );
  });
  if (result.code !== 0) {
    throw new UserError(`The application's wheels could not be downloaded:\n${lastLines(result.stderr, 8)}`);
  }
}

function lastLines(text: string, count: number): string {
  return text.trim().split("\n").slice(-count).join("\n");
}
