import { z } from "zod";
import { UserError } from "../engine/report";
import type { Listed } from "../state/objects";
import { decrypt } from "./cipher";
import { takenAt, type Recovery, type Wanted } from "./wanted";

/** The part of a bucket that a survey reads. */
export interface Backups {
  list(prefix: string): Promise<readonly Listed[]>;
  read(name: string): Promise<Buffer>;
}

const end = ".enc";
const manifestFile = "manifest.json";

const manifest = z.looseObject({
  kind: z.enum(["dump", "base"]),
  name: z.string(),
  takenAt: z.string(),
  schemaRevision: z.string().nullish(),
  version: z.string().nullish(),
  /** Rows of each table when it was taken. */
  tables: z.record(z.string(), z.number()).nullish(),
  systemIdentifier: z.string().nullish(),
  startSegment: z.string().nullish(),
  files: z.record(z.string(), z.looseObject({ storedBytes: z.number() })),
});
export type BackupManifest = z.infer<typeof manifest>;

/** One backup that is whole, by its name; what is in it is encrypted. */
export interface Found {
  readonly name: string;
  readonly at: Date;
  readonly bytes: number;
}

/** How far the log leads on from a base backup without a gap. */
export interface Reach {
  readonly base: Found;
  /** When the last segment in a row was put there: what was written until shortly before is in it. */
  readonly until: Date;
  readonly segments: number;
  /** The segment that is missing in the middle, if one is. */
  readonly gap?: string;
}

/** What could be recovered, oldest first. */
export interface Survey {
  readonly dumps: readonly Found[];
  readonly reaches: readonly Reach[];
}

export async function survey(bucket: Backups): Promise<Survey> {
  const [dumps, bases, log] = await Promise.all(
    ["dumps/", "base/", "wal/"].map((folder) => bucket.list(folder)),
  );
  return {
    dumps: whole(dumps ?? []),
    reaches: whole(bases ?? []).map((base) => reachOf(base, log ?? [])),
  };
}

/** A backup without a manifest is not finished, or was given up. */
function whole(objects: readonly Listed[]): Found[] {
  const backups = new Map<string, Listed[]>();
  for (const each of objects) {
    const name = each.name.split("/")[1] ?? "";
    backups.set(name, [...(backups.get(name) ?? []), each]);
  }
  return [...backups]
    .filter(([, files]) => files.some(({ name }) => name.endsWith(`/${manifestFile}${end}`)))
    .flatMap(([name, files]) => {
      const at = takenAt(name);
      const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
      return at === undefined ? [] : [{ name, at, bytes }];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Segments of 16 MiB: 256 of them make one of the 4 GiB that the middle of a name counts. */
const perFile = 256n;

function reachOf(base: Found, log: readonly Listed[]): Reach {
  const [, , system = "", start = ""] = base.name.split("-");
  const there = new Map<bigint, Date>();
  for (const { name, modified } of log) {
    const [, folder, file = ""] = name.split("/");
    const segment = /^[0-9A-F]{24}/.exec(file)?.[0];
    if (folder !== system || segment === undefined || !/^[0-9A-F]{24}\.gz\.enc$/.test(file)) continue;
    const known = there.get(position(segment));
    if (known === undefined || known < modified) there.set(position(segment), modified);
  }
  let [at, until, segments] = [position(start), base.at, 0];
  for (let next = there.get(at); next !== undefined; next = there.get(++at)) {
    if (next > until) until = next;
    segments += 1;
  }
  const later = [...there.keys()].some((each) => each > at);
  return { base, until, segments, ...(later ? { gap: nameOf(at) } : {}) };
}

/** Where a segment lies in the log, whatever its timeline. */
function position(segment: string): bigint {
  return BigInt(`0x${segment.slice(8, 16) || "0"}`) * perFile + BigInt(`0x${segment.slice(16, 24) || "0"}`);
}

function nameOf(at: bigint): string {
  const part = (value: bigint) => value.toString(16).toUpperCase().padStart(8, "0");
  return `${part(at / perFile)}${part(at % perFile)}`;
}

/** What a recovery will use: for the settings, and the backup that has to be there for it. */
export interface Chosen {
  readonly recovery: Recovery;
  readonly kind: "dumps" | "base";
  readonly backup: Found;
  /** The moment up to which data comes back, as far as it is known before. */
  readonly until: Date;
}

/**
 * Finds what was asked for among what is there.
 * @param logged whether the stack's settings keep the log, without which no moment can be reached
 * @throws UserError when it is not there, naming what is
 */
export function choose(wanted: Wanted, found: Survey, logged: boolean): Chosen | undefined {
  if (wanted.kind === "none") return undefined;
  const reaches = logged ? found.reaches.filter(({ segments }) => segments > 0) : [];
  const last = reaches.at(-1);
  const dump = found.dumps.at(-1);
  if (wanted.kind === "time") return chosenMoment(wanted.at, reaches, logged);
  if (wanted.kind === "latest" && last !== undefined && (dump === undefined || last.until >= dump.at)) {
    if (last.gap !== undefined) {
      throw new UserError(
        `The log lacks ${last.gap} after ${text(last.until)}, so that it cannot be followed to its end. Take what it ` +
          `has before that (--snapshot ${text(last.until)})${dump === undefined ? "" : `, or a dump (--snapshot ${dump.name})`}.`,
      );
    }
    return { recovery: { time: "latest" }, kind: "base", backup: last.base, until: last.until };
  }
  const name = wanted.kind === "dump" ? wanted.name : dump?.name;
  const there = found.dumps.find((each) => each.name === name);
  if (there === undefined) {
    const names = found.dumps.slice(-5).map((each) => `\n  ${each.name}`);
    throw new UserError(
      wanted.kind === "dump"
        ? `There is no dump ${wanted.name} in the bucket; the newest are:${names.join("") || "\n  none"}`
        : "The bucket has no backup that is whole. Check application.backup.store of the stack (bucket, prefix).",
    );
  }
  return { recovery: { snapshot: there.name }, kind: "dumps", backup: there, until: there.at };
}

function chosenMoment(at: Date, reaches: readonly Reach[], logged: boolean): Chosen {
  if (!logged) {
    throw new UserError(
      "A moment is reached with the database's log alone, which application.backup.walArchiving keeps; this stack " +
        "does not. Choose a dump: npm run recover -- --list",
    );
  }
  const reach = reaches.filter(({ base }) => base.at <= at).at(-1);
  const [first, last] = [reaches[0], reaches.at(-1)];
  if (reach === undefined || at > reach.until) {
    const known =
      first === undefined || last === undefined
        ? "there is no base backup with its log"
        : `the log reaches from ${text(first.base.at)} to ${text(last.until)}` +
          (reach?.gap === undefined ? "" : `, and lacks ${reach.gap} after ${text(reach.until)}`);
    throw new UserError(`${text(at)} cannot be reached: ${known}.`);
  }
  // The log reaches as far as its last segment was put there, and the last change in that is older.
  return { recovery: { time: at.toISOString(), orEnd: true }, kind: "base", backup: reach.base, until: at };
}

const text = (time: Date): string => time.toISOString().replace(/\.\d{3}Z$/, "Z");

/** Reads what a backup says of itself, which only its key can. */
export async function readManifest(
  bucket: Backups,
  { kind, backup }: Pick<Chosen, "kind" | "backup">,
  keys: readonly string[],
): Promise<BackupManifest> {
  const name = `${kind}/${backup.name}/${manifestFile}`;
  const plain = decrypt(await bucket.read(`${name}${end}`), name, keys);
  const parsed = manifest.safeParse(JSON.parse(plain.toString("utf8")));
  if (!parsed.success || parsed.data.name !== backup.name)
    throw new UserError(`${name} does not say what it should.`);
  const sizes = new Map(
    (await bucket.list(`${kind}/${backup.name}/`)).map((each) => [each.name, each.bytes]),
  );
  for (const [file, { storedBytes }] of Object.entries(parsed.data.files)) {
    const path = `${kind}/${backup.name}/${file}`;
    if (sizes.get(`${path}${end}`) !== storedBytes)
      throw new UserError(`${path} is not there, or not as large as it was: the backup is not whole.`);
  }
  return parsed.data;
}
