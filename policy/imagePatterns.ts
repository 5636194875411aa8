import { escaped, parseImage } from "./images";

/** How those who verify signatures say which images they mean. */

/** A glob of a ClusterImagePolicy: `*` stands for anything but a slash, `**` for anything. */
export function fitsGlob(image: string, glob: string): boolean {
  const hub: Readonly<Record<string, string>> = {
    "*": "index.docker.io/library/*",
    "*/*": "index.docker.io/*/*",
  };
  const source = (hub[glob] ?? glob)
    .split(/(\*\*|\*)/)
    .map((part) => ({ "**": ".*", "*": "[^/]*" })[part] ?? escaped(part));
  return names(image, "index.docker.io").some((name) => new RegExp(`^${source.join("")}$`).test(name));
}

/** A reference of Kyverno's: `*` stands for anything, `?` for one character. */
export function fitsWildcard(image: string, pattern: string): boolean {
  const source = pattern.split(/([*?])/).map((part) => ({ "*": ".*", "?": "." })[part] ?? escaped(part));
  return names(image, "docker.io").some((name) => new RegExp(`^${source.join("")}$`).test(name));
}

/** As it is written, and in full: with its registry, and with one of tag and digest. */
function names(image: string, hub: string): readonly string[] {
  const { repository, tag = "latest", digest } = parseImage(image);
  const version = digest === undefined ? `:${tag}` : `@${digest}`;
  return [image, `${inFull(repository, hub)}${version}`];
}

function inFull(repository: string, hub: string): string {
  const [host = "", ...path] = repository.split("/");
  if (path.length === 0) return `${hub}/library/${repository}`;
  if (!/[.:]|^localhost$/.test(host)) return `${hub}/${repository}`;
  return host === "docker.io" ? `${hub}/${path.join("/")}` : repository;
}
