import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

export interface Credentials {
  /** Host of the registry, or the address that Docker Hub goes by. */
  readonly server: string;
  readonly username: string;
  readonly password: string;
}

interface DockerConfig {
  auths?: Record<string, unknown>;
  credHelpers?: Record<string, string>;
}

const DOCKER_HUB_ADDRESS = "https://index.docker.io/v1/";

/**
 * Calls `use` with an environment in which docker knows `credentials` besides all it knows otherwise. They are in
 * a file that only this user can read and that is removed afterwards: never on a command line, never in the
 * user's own configuration.
 */
export async function withCredentials<T>(
  credentials: Credentials[],
  use: (environment: Record<string, string>) => Promise<T>,
): Promise<T> {
  if (!credentials.length) return use({});
  const own = process.env.DOCKER_CONFIG ?? join(homedir(), ".docker");
  const folder = await mkdtemp(join(tmpdir(), "docker-config-")); // mode 0700
  try {
    // Contexts and command plugins are found beside the configuration.
    for (const name of await readdir(own).catch(() => [])) {
      if (name !== "config.json") await symlink(join(own, name), join(folder, name));
    }
    const config = merge(await readConfig(join(own, "config.json")), credentials);
    await writeFile(join(folder, "config.json"), JSON.stringify(config), { mode: 0o600 });
    return await use({ DOCKER_CONFIG: folder });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readConfig(file: string): Promise<DockerConfig> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as DockerConfig;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new Error(`cannot read Docker's configuration in ${file}: ${String(error)}`);
  }
}

/** Docker's configuration with the credentials in it. A helper for the same server would win, so it is taken out. */
export function merge(config: DockerConfig, credentials: Credentials[]): DockerConfig {
  const auths = { ...config.auths };
  const credHelpers = { ...config.credHelpers };
  for (const { server, username, password } of credentials) {
    const host = registryKey(server);
    auths[host] = { auth: Buffer.from(`${username}:${password}`).toString("base64") };
    credHelpers[host] = "";
  }
  return { ...config, auths, credHelpers };
}

function registryKey(server: string): string {
  const host = server.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
  return /^(index\.)?docker\.io$|^registry-1\.docker\.io$/.test(host) ? DOCKER_HUB_ADDRESS : host;
}
