import { mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheDirectory } from "./cache";
import { withLock } from "./lockfile";
import { runCaptured } from "./processes";
import { report, UserError, withProgress } from "./report";

const cliPackage = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
const versionVariable = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";

/** Folder of the pinned `go.mod` and `go.sum` of the CLI. */
export function cliModule(root: string): string {
  return join(root, "tools/engine/cli");
}

/** The version that `go.mod` pins, without the leading `v`. */
export function pinnedVersion(root: string): string {
  const goMod = readFileSync(join(cliModule(root), "go.mod"), "utf8");
  const version = /^\s*github\.com\/pulumi\/pulumi\/pkg\/v3 v(\S+)/m.exec(goMod)?.[1];
  if (version === undefined)
    throw new Error("tools/engine/cli/go.mod does not pin github.com/pulumi/pulumi/pkg/v3");
  return version;
}

/** Where the built CLI is kept, whether it is there or not. */
export function builtCliPath(root: string, env: NodeJS.ProcessEnv): string {
  return join(cacheDirectory(env), "pulumi", pinnedVersion(root), "pulumi");
}

/**
 * Builds the CLI from the Go module registry into the cache; about 4 minutes on 2 cores with nothing cached.
 * Two builds at once do it once, and a killed one leaves nothing that looks finished.
 * @throws UserError with the end of the compiler's output.
 */
export async function buildCli(root: string, env: NodeJS.ProcessEnv): Promise<string> {
  const target = builtCliPath(root, env);
  mkdirSync(dirname(target), { recursive: true });
  return withLock(join(dirname(target), "build.lock"), "building the Pulumi CLI", async () => {
    // The process that was waited for has built it.
    if (await runs(target, env)) return target;
    const version = pinnedVersion(root);
    report(`building Pulumi ${version} from the Go module registry: once, about 4 minutes on 2 cores`);
    const temporary = `${target}.tmp`;
    try {
      await compile(root, env, version, temporary);
      if (!(await runs(temporary, env))) throw new UserError("the Pulumi CLI was built but does not run");
      renameSync(temporary, target);
    } finally {
      rmSync(temporary, { force: true });
    }
    return target;
  });
}

async function compile(root: string, env: NodeJS.ProcessEnv, version: string, output: string): Promise<void> {
  let compiled = 0;
  let downloaded = 0;
  const flags = ["-ldflags", `-s -w -X ${versionVariable}=v${version}`, "-v", "-o", output];
  const result = await withProgress(
    (elapsed) => `  ${downloaded} modules downloaded, ${compiled} packages compiled, ${elapsed}`,
    () =>
      runCaptured("go", ["build", ...flags, cliPackage], {
        cwd: cliModule(root),
        // Nothing of the user's own Go set-up may exchange what the module pins.
        env: { ...env, GOFLAGS: "-mod=readonly", GOWORK: "off" },
        onLine: (line) => {
          if (line.startsWith("go: downloading")) downloaded += 1;
          else if (isProgress(line)) compiled += 1;
        },
      }),
    10_000,
  );
  if (result.code === 0) return;
  const problems = result.stderr.split("\n").filter((line) => !isProgress(line) && line !== "");
  throw new UserError(`go build ended with ${result.code}\n${problems.slice(-12).join("\n")}`.trim());
}

/** What `go build -v` prints when nothing is wrong: downloads, and the path of each package. */
function isProgress(line: string): boolean {
  return line.startsWith("go: downloading") || /^[a-z0-9.-]+(\/\S+)*$/.test(line);
}

async function runs(path: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const result = await runCaptured(path, ["version"], {
    cwd: "/",
    env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" },
    timeoutMs: 20_000,
  }).catch(() => undefined);
  return result?.code === 0;
}
