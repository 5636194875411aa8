import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ClusterError } from "./errors";
import { exec } from "./exec";

/**
 * Debian packages as plain files: downloaded with everything they depend on and unpacked into a folder of their
 * own. Nothing is installed on the machine and no maintainer script runs.
 */
export interface PackageSet {
  readonly name: string;
  readonly include: readonly string[];
  /** Dependencies that the unpacked programs do not need. */
  readonly exclude?: readonly string[];
  /** Paths that are not unpacked, as tar patterns. */
  readonly prune?: readonly string[];
}

export const documentation = [
  "./usr/share/doc/*",
  "./usr/share/man/*",
  "./usr/share/info/*",
  "./usr/share/locale/*",
  "./usr/share/lintian/*",
  "./usr/share/bash-completion/*",
  "./usr/share/bug/*",
];

export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
}

/** The packages that `apt-get install --simulate` would install. */
export function parseSimulation(output: string): DebianPackage[] {
  const packages: DebianPackage[] = [];
  for (const match of output.matchAll(/^Inst (\S+) \((\S+) .*?\[(\S+?)\]\)/gm)) {
    const [, name, version, architecture] = match;
    if (name && version && architecture)
      packages.push({ name: name.split(":")[0] ?? name, version, architecture });
  }
  return packages;
}

/** Name of the file that apt keeps a package in. */
export function archiveName(item: DebianPackage): string {
  return `${item.name}_${item.version.replaceAll(":", "%3a")}_${item.architecture}.deb`;
}

/** apt that works in a folder of its own: an empty package database, own lists, own archive. */
function aptEnvironment(folder: string): NodeJS.ProcessEnv {
  for (const part of ["lists/partial", "archives/partial"])
    mkdirSync(join(folder, part), { recursive: true });
  writeFileSync(join(folder, "status"), "");
  const configuration = join(folder, "apt.conf");
  writeFileSync(
    configuration,
    [
      `Dir::State "${folder}";`,
      `Dir::State::status "${folder}/status";`,
      `Dir::State::lists "${folder}/lists";`,
      `Dir::Cache "${folder}";`,
      `Dir::Cache::archives "${folder}/archives";`,
      `Dir::Log "${folder}";`,
      'APT::Install-Recommends "false";',
      'APT::Sandbox::User "root";',
      'Acquire::Languages "none";',
      'Acquire::Retries "3";',
      'Acquire::http::Timeout "20";',
      "",
    ].join("\n"),
  );
  return { ...process.env, APT_CONFIG: configuration, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" };
}

/** Downloads package sets of Debian 12 and unpacks each once into the cache. */
export class PackageStore {
  private readonly folder: string;
  private queue: Promise<unknown> = Promise.resolve();
  private updated = false;

  constructor(private readonly cache: string) {
    this.folder = join(cache, "debian");
  }

  /** Folder that holds the unpacked set; it is complete and is never written again. */
  async unpack(set: PackageSet, report: (text: string) => void): Promise<string> {
    const target = join(this.cache, `${set.name}@debian12-${fingerprint(set)}`);
    if (existsSync(target)) return target;
    const packages = await this.exclusively(() => this.download(set, report));
    const temporary = `${target}.${process.pid}.tmp`;
    rmSync(temporary, { recursive: true, force: true });
    for (const folder of ["bin", "sbin", "lib", "lib64"]) {
      mkdirSync(join(temporary, "usr", folder), { recursive: true });
      symlinkSync(`usr/${folder}`, join(temporary, folder));
    }
    const prune = [...documentation, ...(set.prune ?? [])]
      .map((pattern) => `--exclude='${pattern}'`)
      .join(" ");
    let done = 0;
    for (const item of packages) {
      report(`unpacking ${item.name} (${++done} of ${packages.length})`);
      const archive = join(this.folder, "archives", archiveName(item));
      // Debian's packages still hold /bin and /lib; the links above lead them to /usr.
      const script = `set -e; dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --keep-directory-symlink --no-same-owner ${prune}`;
      await exec("bash", ["-o", "pipefail", "-c", script, "unpack", archive, temporary]);
    }
    writeFileSync(
      join(temporary, ".packages"),
      packages.map((item) => `${item.name} ${item.version}\n`).join(""),
    );
    renameSync(temporary, target);
    return target;
  }

  private async download(set: PackageSet, report: (text: string) => void): Promise<DebianPackage[]> {
    requireBookworm();
    const env = aptEnvironment(this.folder);
    if (!this.updated) {
      report("apt-get update");
      await exec("apt-get", ["update", "-qq"], { env });
      this.updated = true;
    }
    const wanted = ["install", "-y", "-qq", ...set.include];
    const simulated = parseSimulation(await exec("apt-get", ["--simulate", ...wanted], { env }));
    const excluded = new Set(set.exclude ?? []);
    const packages = simulated.filter((item) => !excluded.has(item.name));
    const missing = packages.filter((item) => !existsSync(join(this.folder, "archives", archiveName(item))));
    if (missing.length > 0) {
      report(`downloading ${missing.length} packages`);
      const specs = missing.map((item) => `${item.name}=${item.version}`);
      await exec("apt-get", ["download", "-qq", ...specs], { env, cwd: join(this.folder, "archives") });
    }
    return packages;
  }

  /** One apt at a time: they would wait for each other's lock and fail. */
  private exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.queue.then(work, work);
    this.queue = result.catch(() => undefined);
    return result;
  }
}

function fingerprint(set: PackageSet): string {
  const content = JSON.stringify([set.include, set.exclude ?? [], set.prune ?? [], documentation]);
  return createHash("sha256").update(content).digest("hex").slice(0, 10);
}

function requireBookworm(): void {
  let release = "";
  try {
    release = readFileSync("/etc/os-release", "utf8");
  } catch {
    // handled below
  }
  if (/^VERSION_CODENAME="?bookworm"?$/m.test(release)) return;
  const name = /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(release)?.[1] ?? "not Debian";
  throw new ClusterError(
    `The embedded cluster takes its node from the packages of Debian 12; this machine is ${name}. ` +
      "Point the `local` stack at a cluster of your own instead: set `kubernetes:context` (kind works).",
  );
}
