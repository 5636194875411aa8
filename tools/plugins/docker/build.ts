import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { docker, DockerError, type DockerOptions } from "./cli";

export interface BuildOptions {
  readonly name: string;
  readonly context: string;
  readonly dockerfile: string;
  readonly args: Record<string, string>;
  readonly target: string;
  readonly platform: string;
  readonly network: string;
  readonly addHosts: string[];
  readonly cacheFrom: string[];
  /** False for the builder that came before BuildKit. */
  readonly buildKit: boolean;
}

/** Builds an image and returns its id. Uses BuildKit where this docker can. */
export async function build(options: BuildOptions, run: DockerOptions): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "docker-build-"));
  const idFile = join(folder, "id");
  const attempt = (buildKit: boolean) =>
    docker(buildArguments(options, idFile), {
      ...run,
      env: {
        ...hiddenArguments(options.args),
        DOCKER_BUILDKIT: buildKit ? "1" : "0",
        BUILDKIT_PROGRESS: "plain",
      },
    });
  try {
    await attempt(options.buildKit).catch((error: unknown) => {
      if (!options.buildKit || !lacksBuildKit(error)) throw error;
      return attempt(false);
    });
    return (await readFile(idFile, "utf8")).trim();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Names that mean something to the docker command itself, so that they cannot carry a value for the build. */
const SETTINGS_OF_DOCKER = /^(PATH|HOME|DOCKER_.*|BUILDKIT_.*)$/;

/** Build arguments go by the environment of the docker command: other users can read its command line. */
function hiddenArguments(args: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(args).filter(([name]) => !SETTINGS_OF_DOCKER.test(name)));
}

export function buildArguments(options: BuildOptions, idFile: string): string[] {
  const flag = (name: string, value: string) => (value ? [`--${name}`, value] : []);
  return [
    "build",
    ...flag("tag", options.name),
    ...flag("file", options.dockerfile),
    ...flag("iidfile", idFile),
    ...flag("platform", options.platform),
    ...flag("target", options.target),
    ...flag("network", options.network),
    ...options.addHosts.flatMap((host) => flag("add-host", host)),
    ...options.cacheFrom.flatMap((image) => flag("cache-from", image)),
    ...Object.entries(options.args).flatMap(([name, value]) =>
      flag("build-arg", SETTINGS_OF_DOCKER.test(name) ? `${name}=${value}` : name),
    ),
    options.context,
  ];
}

function lacksBuildKit(error: unknown): boolean {
  return (
    error instanceof DockerError &&
    /buildx component is missing|buildkit not supported|buildkit is (currently )?disabled/i.test(error.output)
  );
}
