import { readFile } from "node:fs/promises";
import { messageOf, UserError } from "../engine/report";
import { openState } from "../engine/state";
import { openerFor } from "../history/secrets";
import { readArchive, type Archive } from "./archive";
import { contentOf, type Content } from "./content";

export interface Verified {
  readonly archive: Archive;
  readonly content: Content;
  /** Whether the passphrase at hand opens every secret; undefined where that cannot be told here. */
  readonly opens: boolean | undefined;
}

/**
 * Reads all of an archive and checks it: sums, structure, that it holds what it says, and whether its secrets
 * can be opened here. Nothing of a secret leaves this function.
 * @throws UserError when it is not to be trusted
 */
export async function verify(path: string, root: string, env: NodeJS.ProcessEnv): Promise<Verified> {
  return verifyBytes(await readBytes(path), path, root, env);
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

async function readBytes(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new UserError(`${path} cannot be read: ${messageOf(error)}`);
  }
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
