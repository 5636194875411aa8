import { ClusterError } from "../errors";
import { registryHost } from "../network";

export interface Reference {
  /** Path in the local registry. */
  readonly repository: string;
  readonly tag: string;
}

/**
 * Where an image of this name belongs in the local registry: under the upstream registry's host, as a mirror has
 * it; a name of the local registry stays as it is. Throws for a name without tag, or with a digest.
 */
export function localReference(name: string): Reference {
  const match = /^(?:([^/]*[.:][^/]*|localhost)\/)?([a-z0-9._/-]+):([\w][\w.-]{0,127})$/.exec(name);
  const [, host = "docker.io", path, tag] = match ?? [];
  if (path === undefined || tag === undefined) {
    throw new ClusterError(`"${name}" is not an image name with a tag, such as docker.io/library/redis:8.0.`);
  }
  if (host === registryHost) return { repository: path, tag };
  const full = host === "docker.io" && !path.includes("/") ? `library/${path}` : path;
  return { repository: `${host}/${full}`, tag };
}
