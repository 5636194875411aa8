import { accessSync, constants, readFileSync, statSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { buildCli, builtCliPath, pinnedVersion } from "./build";
import { pulumiHome } from "./cache";
import { pulumiDownloads, reachable } from "./network";
import { runCaptured } from "./processes";
import { messageOf, report, UserError, withProgress } from "./report";

/** The oldest CLI that the pinned `@pulumi/pulumi` is made for. */
export const minimumVersion = "3.245.0";

const origins = ["path", "npm", "build"] as const;
export type CliOrigin = (typeof origins)[number];

export interface Cli {
  readonly path: string;
  readonly version: string;
  readonly origin: CliOrigin;
}

/** What choosing a CLI needs of the world; exchanged in tests. */
export interface CliSources {
  /** Version that a binary says it has; undefined when it does not run. */
  versionOf(path: string): Promise<string | undefined>;
  downloadsReachable(): Promise<boolean>;
  /** Lets the npm package `pulumi` download the CLI of its own version; returns the binary. */
  download(): Promise<string>;
  build(): Promise<string>;
}

/**
 * Finds a Pulumi CLI: on PATH when new enough, else one that the npm package `pulumi` downloads, else one built
 * from the Go module registry. What was downloaded or built before is used before the network is asked again.
 * `TECHNOVA_PULUMI_CLI` (`path`, `npm` or `build`) allows one way only.
 * @throws UserError naming every way and what it lacks.
 */
export async function findCli(
  root: string,
  env: NodeJS.ProcessEnv,
  sources = realSources(root, env),
): Promise<Cli> {
  const allowed = allowedOrigins(env);
  const reasons: string[] = [];

  if (allowed.includes("path")) {
    const path = onPath("pulumi", withoutScripts(root, env));
    const version = path === undefined ? undefined : await sources.versionOf(path);
    if (path !== undefined && version !== undefined && atLeast(version, minimumVersion)) {
      return { path, version, origin: "path" };
    }
    const found =
      path === undefined ? "there is none" : `${path} has version ${version ?? "(it does not run)"}`;
    reasons.push(`on PATH: ${found}; install Pulumi ${minimumVersion} or newer`);
  }
  const ready = cached(root, env).find((cli) => allowed.includes(cli.origin) && isExecutable(cli.path));
  if (ready !== undefined) return ready;
  if (allowed.includes("npm")) {
    const obtained = await obtain(sources, "npm", async () => {
      if (!(await sources.downloadsReachable())) throw new UserError(`${pulumiDownloads} does not answer`);
      return sources.download();
    });
    if (typeof obtained !== "string") return obtained;
    reasons.push(`downloaded by the npm package \`pulumi\`: ${obtained}; open the way to ${pulumiDownloads}`);
  }
  if (allowed.includes("build")) {
    const obtained = await obtain(sources, "build", () => sources.build());
    if (typeof obtained !== "string") return obtained;
    reasons.push(
      `built from the Go module registry: ${obtained}; install Go 1.21 or newer and let it reach its registry`,
    );
  }
  throw new UserError(`No Pulumi CLI can be had. One of these is needed:\n  - ${reasons.join("\n  - ")}`);
}

/** One line for the user. */
export function describeCli(cli: Cli): string {
  const how = {
    path: "from PATH",
    npm: "downloaded by the npm package",
    build: "built from the Go module registry",
  };
  return `Pulumi ${cli.version}, ${how[cli.origin]} (${cli.path})`;
}

/** Compares dotted numbers; a pre-release counts as its release. */
export function atLeast(version: string, minimum: string): boolean {
  const numbers = (text: string): number[] => text.split("-", 1).join().split(".").map(Number);
  const [have, want] = [numbers(version), numbers(minimum)];
  for (const [index, part] of want.entries()) {
    const other = have[index] ?? 0;
    if (other !== part) return other > part;
  }
  return true;
}

/** Absolute path of an executable on PATH. */
export function onPath(name: string, env: NodeJS.ProcessEnv): string | undefined {
  return (env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/** npm puts the downloader's own `pulumi` on PATH, which is the next way and no CLI of the user's. */
function withoutScripts(root: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const scripts = join(root, "node_modules/.bin");
  const folders = (env.PATH ?? "").split(delimiter).filter((folder) => folder !== scripts);
  return { ...env, PATH: folders.join(delimiter) };
}

async function obtain(
  sources: CliSources,
  origin: CliOrigin,
  get: () => Promise<string>,
): Promise<Cli | string> {
  try {
    const path = await get();
    const version = await sources.versionOf(path);
    return version === undefined ? `${path} does not run` : { path, version, origin };
  } catch (error) {
    return messageOf(error);
  }
}

/** Where earlier runs have put a CLI. Both places hold complete ones only, so their version need not be asked. */
function cached(root: string, env: NodeJS.ProcessEnv): Cli[] {
  const version = npmVersion(root);
  return [
    { origin: "npm", version, path: join(pulumiHome(env), "versions", version, "bin", "pulumi") },
    { origin: "build", version: pinnedVersion(root), path: builtCliPath(root, env) },
  ];
}

function allowedOrigins(env: NodeJS.ProcessEnv): readonly CliOrigin[] {
  const wanted = env.TECHNOVA_PULUMI_CLI;
  if (!wanted) return origins;
  const origin = origins.find((known) => known === wanted);
  if (origin === undefined)
    throw new UserError(`TECHNOVA_PULUMI_CLI is "${wanted}"; it takes ${origins.join(", ")}.`);
  return [origin];
}

function npmVersion(root: string): string {
  const path = join(root, "node_modules/pulumi/package.json");
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function realSources(root: string, env: NodeJS.ProcessEnv): CliSources {
  const quiet = { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" };
  return {
    async versionOf(path) {
      const options = { cwd: dirname(path), env: quiet, timeoutMs: 20_000 };
      const result = await runCaptured(path, ["version"], options).catch(() => undefined);
      return result?.code === 0 ? result.stdout.trim().replace(/^v/, "") || undefined : undefined;
    },
    downloadsReachable: () => reachable(pulumiDownloads),
    async download() {
      const version = npmVersion(root);
      report(`downloading Pulumi ${version} from ${pulumiDownloads}`);
      const script = join(root, "node_modules/pulumi/run.js");
      const result = await withProgress(
        (elapsed) => `  still downloading, ${elapsed}`,
        () =>
          runCaptured(process.execPath, [script, "version"], {
            cwd: root,
            env: { ...quiet, PULUMI_VERSION: version },
            timeoutMs: 300_000,
          }),
      );
      if (result.code !== 0) throw new UserError(result.stderr.trim().split("\n").slice(-3).join(" "));
      return join(pulumiHome(env), "versions", version, "bin", "pulumi");
    },
    build: () => buildCli(root, env),
  };
}
