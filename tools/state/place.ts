import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { UserError } from "../engine/report";
import { stateDirectory } from "../engine/state";

// The client for S3 alone takes a third of a second to load.
const load = createRequire(__filename);

/** Where archives are kept: a folder, or a folder of a bucket. */
export interface ArchivePlace {
  /** For people, such as `s3://bucket/archives`. */
  readonly name: string;
  /** Names of all files in it. */
  list(): Promise<readonly string[]>;
  read(name: string): Promise<Buffer>;
  /** Writes a file whole or not at all. */
  write(name: string, content: Buffer): Promise<void>;
  remove(name: string): Promise<void>;
}

/** Where `npm run state -- backup` puts archives when nobody says otherwise. */
export function defaultPlace(root: string): string {
  return join(stateDirectory(root), "archives");
}

/**
 * @param place a folder, or `s3://bucket/folder` with the parameters that a backend's address may have
 * @param env with the bucket's keys as STATE_ARCHIVES_KEY_ID and STATE_ARCHIVES_KEY where the state's do not open it
 */
export function openPlace(place: string, env: NodeJS.ProcessEnv): ArchivePlace {
  return place.startsWith("s3://") ? bucketPlace(place, withOwnKeys(env)) : folderPlace(place);
}

function withOwnKeys(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { STATE_ARCHIVES_KEY_ID: id, STATE_ARCHIVES_KEY: key } = env;
  if (!id || !key) return env;
  return { ...env, AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: key, AWS_SESSION_TOKEN: undefined };
}

function folderPlace(folder: string): ArchivePlace {
  return {
    name: folder,
    list: () =>
      Promise.resolve(existsSync(folder) && statSync(folder).isDirectory() ? readdirSync(folder) : []),
    read: (name) => Promise.resolve(readFileSync(join(folder, name))),
    write: (name, content) => {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const temporary = join(folder, `${name}.${process.pid}.tmp`);
      writeFileSync(temporary, content, { mode: 0o600, flush: true });
      renameSync(temporary, join(folder, name));
      return Promise.resolve();
    },
    remove: (name) => Promise.resolve(rmSync(join(folder, name), { force: true })),
  };
}

const advice =
  "Check its name, region and endpoint, and that the credentials of the environment (STATE_ARCHIVES_KEY_ID and " +
  "STATE_ARCHIVES_KEY, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE) allow s3:ListBucket, s3:GetObject and, for backups, s3:PutObject and " +
  "s3:DeleteObject.";

function bucketPlace(url: string, env: NodeJS.ProcessEnv): ArchivePlace {
  if (!URL.canParse(url) || new URL(url).hostname === "") {
    throw new UserError(`${url} is no place for archives: it takes s3://bucket/folder.`);
  }
  const { Objects } = load("./objects") as typeof import("./objects");
  const objects = Objects.at(url, "", advice, env);
  return {
    name: url.replace(/\?.*$/, ""),
    list: async () => (await objects.list("", true)).map(({ name }) => basename(name)),
    read: (name) => objects.read(name),
    write: (name, content) => objects.write(name, content),
    remove: (name) => objects.remove(name),
  };
}

const time = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z\.tar\.gz$/;

/** The name of an archive that was made at a time; names sort by it. */
export function archiveName(project: string, stack: string, at: Date): string {
  return `${project}-${stack}-${at.toISOString().replaceAll(":", "-")}.tar.gz`;
}

/** The stack's archives among the files of a place, oldest first. */
export function archivesOf(names: readonly string[], project: string, stack: string): string[] {
  const beginning = `${project}-${stack}-`;
  return names.filter((name) => name.startsWith(beginning) && time.test(name.slice(beginning.length))).sort();
}
