import { accessSync, constants, existsSync, mkdirSync, readFileSync, readdirSync, statfsSync } from "node:fs";
import { freemem } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { ClusterError } from "./errors";
import { writeAtomically } from "./files";
import { network, ports } from "./network";
import type { ClusterPaths } from "./paths";

const ownCluster =
  "Point the `local` stack at a cluster of your own instead: " +
  "`npm run pulumi -- config set kubernetes:context <context> --stack local` (kind works).";

const gibibyte = 1024 ** 3;
/** What a first `up` leaves in the cache and takes while it compiles. */
const coldCacheGib = 12;
const rootGib = 3;
const memoryGib = 2.5;

/** Refuses where the embedded cluster cannot work at all. */
export function requireLinuxRoot(platform: string = process.platform, uid = process.getuid?.()): void {
  if (platform !== "linux") {
    throw new ClusterError(`The embedded cluster needs Linux; this is ${platform}. ${ownCluster}`);
  }
  if (uid !== 0) throw new ClusterError(`The embedded cluster needs root. ${ownCluster}`);
}

/** Checks what a new node needs; call it only when no node is there. */
export function requireResources(paths: ClusterPaths, cache: string, warm: boolean): void {
  const missing = ["unshare", "nsenter", "mount", "openssl", "apt-get", "dpkg-deb", "tar", "nice"].filter(
    (program) => findProgram(program) === undefined,
  );
  if (missing.length > 0) throw new ClusterError(`Missing on PATH: ${missing.join(", ")}. ${ownCluster}`);
  if (!warm && findProgram("go") === undefined) {
    throw new ClusterError(
      "Kubernetes is built from source here and needs Go 1.26.4 or newer on PATH. " + ownCluster,
    );
  }
  requireSpace(cache, warm ? 1 : coldCacheGib, "the cache");
  requireSpace(paths.root, rootGib, "the cluster");
  const available = availableMemory() / gibibyte;
  if (available < memoryGib) {
    throw new ClusterError(
      `The cluster needs ${memoryGib} GiB of free memory; ${available.toFixed(1)} GiB are free. End other programs first.`,
    );
  }
  const taken = listeningPorts().filter((port) => port === ports.api || port === ports.registry);
  if (taken.length > 0) {
    throw new ClusterError(
      `Port ${taken.join(" and ")} of this machine is taken by another program (ss -ltnp shows it). ` +
        `The cluster answers there (API ${ports.api}, registry ${ports.registry}): end that program first.`,
    );
  }
  if (existsSync(`/sys/class/net/${network.hostInterface}`)) {
    throw new ClusterError(
      `The interface ${network.hostInterface} belongs to another embedded cluster. ` +
        "Take that one down first: TECHNOVA_CLUSTER_DIR=<its folder> npm run cluster -- down",
    );
  }
}

/** File that says that a folder is a cluster's and may be removed. */
export const ownershipMarker = ".technova-cluster";

/** Takes a new or empty folder for the cluster. Any other one is refused: `down` removes the whole folder. */
export function claimFolder(paths: ClusterPaths): void {
  mkdirSync(paths.root, { recursive: true, mode: 0o755 });
  if (isOwnFolder(paths)) return;
  const strange = readdirSync(paths.root).filter((name) => !name.startsWith("lock"));
  if (strange.length > 0) {
    throw new ClusterError(
      `${paths.root} holds something else (${strange.slice(0, 3).join(", ")}). ` +
        "Set TECHNOVA_CLUSTER_DIR to an empty folder.",
    );
  }
  writeAtomically(
    join(paths.root, ownershipMarker),
    "Made by `npm run cluster -- up`, removed by `npm run cluster -- down`.\n",
  );
}

export function isOwnFolder(paths: ClusterPaths): boolean {
  return existsSync(join(paths.root, ownershipMarker));
}

export function findProgram(name: string, path: string = process.env.PATH ?? ""): string | undefined {
  return path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

function requireSpace(folder: string, gib: number, what: string): void {
  let existing = folder;
  while (!existsSync(existing)) existing = dirname(existing);
  const { bavail, bsize } = statfsSync(existing);
  const free = (bavail * bsize) / gibibyte;
  if (free >= gib) return;
  throw new ClusterError(`${what} needs ${gib} GiB in ${folder}; ${free.toFixed(1)} GiB are free there.`);
}

function availableMemory(): number {
  const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
  return kibibytes === undefined ? freemem() : Number(kibibytes) * 1024;
}

function listeningPorts(): number[] {
  return ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((file) =>
    existsSync(file) ? parseListeningPorts(readFileSync(file, "utf8")) : [],
  );
}

/** Ports in state LISTEN that answer on 127.0.0.1, out of the text of /proc/net/tcp or tcp6. */
export function parseListeningPorts(table: string): number[] {
  const answering = /^(0100007F|0{8}|0{32}|0{16}FFFF0{4}0100007F|0{24}01000000)$/;
  return table.split("\n").flatMap((line) => {
    const [, address, , state] = line.trim().split(/\s+/);
    const [host, port] = (address ?? "").split(":");
    if (state !== "0A" || host === undefined || port === undefined) return [];
    return answering.test(host) ? [parseInt(port, 16)] : [];
  });
}
