import { existsSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { projectName } from "../engine/project";
import { UserError } from "../engine/report";
import { archivesOf, defaultPlace, openPlace } from "../state/place";
import { verifyBytes, type Verified } from "../state/verify";

export interface FoundArchive extends Verified {
  /** Where it came from, for people. */
  readonly from: string;
  readonly bytes: Buffer;
}

/**
 * Reads and checks the archive that is named, or the newest of a place that has resources: what was kept of an empty
 * stack is nothing to recover.
 * @param given a file, a folder or `s3://bucket/folder`; where archives are put by default if left out
 * @throws UserError when there is none, or it is not to be trusted, or of another stack
 */
export async function findArchive(
  root: string,
  stack: string,
  given: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<FoundArchive> {
  const project = projectName(root);
  const isFile =
    given !== undefined && !given.startsWith("s3://") && existsSync(given) && statSync(given).isFile();
  const place = openPlace(isFile ? dirname(given) : (given ?? defaultPlace(root)), env);
  const names = isFile ? [basename(given)] : archivesOf(await place.list(), project, stack).reverse();
  for (const name of names) {
    const from = `${place.name}/${name}`;
    const bytes = await place.read(name);
    const verified = await verifyBytes(bytes, from, root, env);
    const { manifest } = verified.archive;
    if (manifest.stack !== stack || manifest.project !== project) {
      throw new UserError(`${from} is of ${manifest.project}/${manifest.stack}, not of ${project}/${stack}.`);
    }
    if (verified.content.urns.length > 0 || isFile) return { ...verified, from, bytes };
  }
  throw new UserError(
    `There is no archive of ${project}/${stack} in ${place.name}. Name one with --state <file, folder or ` +
      "s3://bucket/folder>; npm run state -- backup makes them.",
  );
}
