import { basename, dirname } from "node:path";
import { messageOf, UserError } from "../engine/report";
import { openState } from "../engine/state";
import { openerFor } from "../history/secrets";
import { readArchive, type Archive } from "./archive";
import { contentOf, type Content } from "./content";
import { openPlace } from "./place";

export interface Verified {
  readonly archive: Archive;
  readonly content: Content;
  /** Whether the passphrase at hand opens every secret; undefined where that cannot be told here. */
  readonly opens: boolean | undefined;
}

/**
 * Reads all of an archive and checks it: sums, structure, that it holds what it says, and whether its secrets
 * can be opened here. Nothing of a secret leaves this function.
 * @param path a file, or `s3://bucket/folder/name` with the parameters that a backend's address may have
 * @throws UserError when it is not to be trusted
 */
export async function verify(path: string, root: string, env: NodeJS.ProcessEnv): Promise<Verified> {
  return verifyBytes(await readBytes(path, env), path, root, env);
}

/** The same of an archive that was read already. @param path for people */
export async function verifyBytes(
  bytes: Buffer,
  path: string,
  root: string,
  env: NodeJS.ProcessEnv,
): Promise<Verified> {
  const archive = await readArchive(bytes, path);
  const content = contentOf(archive);
  const { manifest } = archive;
  if (content.urns.length !== manifest.resources || content.updates !== manifest.updates)
    throw new UserError(
      `${path} holds ${content.urns.length} resources and ${content.updates} updates, but says others.`,
    );
  const provider = content.deployment.secrets_providers ?? undefined;
  const opener = openerFor(provider, openState(root, env), env);
  const opens = opener === undefined ? undefined : content.ciphertexts.every(opener);
  return { archive, content, opens: content.ciphertexts.length === 0 ? true : opens };
}

async function readBytes(path: string, env: NodeJS.ProcessEnv): Promise<Buffer> {
  const { folder, name } = parts(path);
  if (path.startsWith("s3://") && !isArchive(name)) throw await unnamed(path, env);
  try {
    return await openPlace(folder, env).read(name);
  } catch (error) {
    throw error instanceof UserError ? error : new UserError(`${path} cannot be read: ${messageOf(error)}`);
  }
}

/** A bucket's folder may have many archives, and of many stacks. */
async function unnamed(path: string, env: NodeJS.ProcessEnv): Promise<UserError> {
  const place = openPlace(path, env);
  const found = (await place.list()).filter(isArchive).sort();
  const known = found.length === 0 ? "there is none" : `there are: ${found.slice(-5).join(", ")}`;
  return new UserError(`${path} is no archive. Name one in it, as ${place.name}/<name>.tar.gz; ${known}.`);
}

const isArchive = (name: string): boolean => /\.t(ar\.)?gz$/.test(name);

/** The place of an archive and its name there. What a bucket's address says of its store stands behind the name. */
function parts(path: string): { readonly folder: string; readonly name: string } {
  const [file = "", parameters] = path.startsWith("s3://") ? path.split("?", 2) : [path];
  const query = parameters === undefined ? "" : `?${parameters}`;
  return { folder: `${dirname(file)}${query}`, name: basename(file) };
}

/** What there is to say of an archive, for people. */
export function describe(verified: Verified): string[] {
  const { archive, content } = verified;
  const { stack, project, backend, created, versions, parts } = archive.manifest;
  const { urns, updates, ciphertexts, pending } = content;
  return [
    `${project}/${stack}, from a backend of kind ${backend}, ${created}, platform ${versions.platform}`,
    `${urns.length} resources, ${updates} updates, ${ciphertexts.length} secrets, ${parts.length} parts: ` +
      "sums and structure are right",
    secrecyOf(verified),
    ...(pending > 0 ? [`warning: operations under way: ${pending}; the next update settles them`] : []),
  ];
}

function secrecyOf({ archive, opens }: Verified): string {
  if (opens === true) return "every secret can be opened with what is at hand";
  if (opens === undefined) {
    const kind = archive.manifest.secretsProvider?.type ?? "no provider";
    return `warning: whether its secrets can be opened was not looked at (${kind})`;
  }
  return (
    "warning: the passphrase at hand does not open its secrets; " +
    "give the one of the backup in PULUMI_CONFIG_PASSPHRASE"
  );
}
