const DOCKER_HUB = "docker.io";

export interface ImageReference {
  /** Host and port of the registry. */
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  readonly digest?: string;
}

/** Reads an image name as Docker does: what looks like a host is one, everything else is on Docker Hub. */
export function parseReference(name: string): ImageReference {
  const [rest, digest] = splitOnce(name, "@");
  const slash = rest.indexOf("/");
  const first = rest.slice(0, Math.max(0, slash));
  const hasHost = first.includes(".") || first.includes(":") || first === "localhost";
  const registry = hasHost ? first.replace(/^index\.docker\.io$/, DOCKER_HUB) : DOCKER_HUB;
  const path = hasHost ? rest.slice(slash + 1) : rest;
  const [repository, tag] = splitOnce(path, ":");
  if (!/^[a-z0-9]+([._/-]+[a-z0-9]+)*$/.test(repository)) {
    throw new Error(`"${name}" is not an image name: it takes [registry/]repository[:tag]`);
  }
  const official = registry === DOCKER_HUB && !repository.includes("/");
  return {
    registry,
    repository: official ? `library/${repository}` : repository,
    tag: tag ?? "latest",
    ...(digest && { digest }),
  };
}

/** `registry/repository@digest`: the name of an image that can never be another one. */
export function withDigest(name: string, digest: string): string {
  const { registry, repository } = parseReference(name);
  return `${registry}/${repository}@${digest}`;
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
