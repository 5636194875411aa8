import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { extract, pack } from "tar-stream";
import { messageOf, UserError } from "../engine/report";
import { formatVersion, manifestName, manifestSchema, mayContain, type Manifest } from "./manifest";

/*
 * An archive is a tar.gz that every tar reads: manifest.json first, then the parts in the manifest's order.
 * It ends with an empty gzip member whose comment is the SHA-256 of all bytes before it, so that no byte of
 * the file is without a sum, the paddings and headers of the formats included.
 */

export interface Archive {
  readonly manifest: Manifest;
  /** Contents by name, without the manifest. */
  readonly parts: ReadonlyMap<string, Buffer>;
}

/** Far more than a state has: what is larger is no archive, or one that is made to fill the memory. */
const mostBytes = 2 ** 30;

export function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

/** The bytes of an archive; its manifest gets the list of its parts. */
export async function writeArchive(
  manifest: Omit<Manifest, "parts">,
  parts: ReadonlyMap<string, Buffer>,
): Promise<Buffer> {
  const listed = [...parts].map(([name, content]) => ({
    name,
    bytes: content.length,
    sha256: sha256(content),
  }));
  const complete: Manifest = { ...manifest, parts: listed };
  const tar = pack();
  const put = (name: string, content: Buffer) =>
    tar.entry({ name, mode: 0o600, mtime: new Date(manifest.created) }, content);
  put(manifestName, Buffer.from(`${JSON.stringify(complete, undefined, 2)}\n`));
  for (const [name, content] of parts) put(name, content);
  tar.finalize();
  const compressed = await promisify(gzip)(await collected(tar));
  return sealed(compressed);
}

/**
 * Reads an archive, whole or not at all.
 * @throws UserError saying what is wrong with it
 */
export async function readArchive(bytes: Buffer, path: string): Promise<Archive> {
  const refuse = (reason: string) => new UserError(`${path} is no archive that can be trusted: ${reason}.`);
  const body = bytes.subarray(0, Math.max(0, bytes.length - sealBytes));
  if (!seal(body).equals(bytes.subarray(body.length)))
    throw refuse("it is not as it was written (its last checksum is wrong), or it was cut off");
  let files: Map<string, Buffer>;
  try {
    files = await unpack(await promisify(gunzip)(body, { maxOutputLength: mostBytes }));
  } catch (error) {
    throw error instanceof UserError ? refuse(error.message) : refuse(messageOf(error));
  }
  const manifest = parseManifest(files.get(manifestName), refuse);
  files.delete(manifestName);
  const listed = new Set(manifest.parts.map(({ name }) => name));
  if (listed.size !== manifest.parts.length) throw refuse("its manifest lists a part twice");
  const odd = [...files.keys(), ...listed].find((name) => !mayContain(manifest, name));
  if (odd !== undefined) throw refuse(`${JSON.stringify(odd)} has no place in it`);
  const extra = [...files.keys()].find((name) => !listed.has(name));
  if (extra !== undefined) throw refuse(`${extra} is not in its manifest`);
  for (const { name, bytes: size, sha256: sum } of manifest.parts) {
    const content = files.get(name);
    if (content === undefined) throw refuse(`${name} is missing`);
    if (content.length !== size || sha256(content) !== sum) throw refuse(`${name} is not as it was written`);
  }
  return { manifest, parts: files };
}

function parseManifest(content: Buffer | undefined, refuse: (reason: string) => UserError): Manifest {
  if (content === undefined) throw refuse(`${manifestName} is missing`);
  try {
    const value = JSON.parse(content.toString("utf8")) as { version?: unknown };
    if (typeof value.version === "number" && value.version > formatVersion) {
      throw new UserError(
        `it has form ${value.version}, this version reads forms up to ${formatVersion}: update the platform`,
      );
    }
    return manifestSchema.parse(value);
  } catch (error) {
    throw refuse(error instanceof UserError ? error.message : `${manifestName} cannot be read`);
  }
}

/** @throws UserError for anything but plain files with names of their own. */
async function unpack(tar: Buffer): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const extraction = extract();
  extraction.end(tar);
  for await (const entry of extraction) {
    const { name, type } = entry.header;
    const content = await collected(entry);
    if (type !== "file") throw new UserError(`${JSON.stringify(name)} is no plain file`);
    if (files.has(name)) throw new UserError(`${JSON.stringify(name)} is in it twice`);
    files.set(name, content);
  }
  return files;
}

async function collected(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** gzip: magic number, deflate, "has a comment", no time, no hints, unknown system. */
const emptyHeader = Buffer.from([0x1f, 0x8b, 8, 0x10, 0, 0, 0, 0, 0, 0xff]);
/** One empty block; then CRC-32 and length of nothing. */
const emptyBody = Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

/** What was compressed, with its seal. */
export function sealed(compressed: Buffer): Buffer {
  return Buffer.concat([compressed, seal(compressed)]);
}

function seal(before: Buffer): Buffer {
  return Buffer.concat([emptyHeader, Buffer.from(`sha256:${sha256(before)}\0`), emptyBody]);
}
const sealBytes = seal(Buffer.alloc(0)).length;
