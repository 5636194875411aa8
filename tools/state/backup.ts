import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { projectName, stackFile } from "../engine/project";
import { report, UserError } from "../engine/report";
import { capturePulumi } from "../engine/run";
import { openState } from "../engine/state";
import { historyFiles, historyFolder, stateFile, stateFolder } from "../history/names";
import { inParallel } from "../history/parallel";
import { openHistory } from "../history/source";
import { sha256, writeArchive } from "./archive";
import { readContent } from "./content";
import {
  backendFolder,
  cloudHistory,
  cloudState,
  formatVersion,
  settingsPart,
  type Manifest,
} from "./manifest";
import { giveUpAdvice } from "./lock";
import { archiveName, archivesOf, defaultPlace, openPlace, type ArchivePlace } from "./place";
import { openStore, type Store } from "./store";
import { verifyBytes, type Verified } from "./verify";

const atOnce = 16;
const attempts = 3;

export interface BackupOptions {
  readonly stack: string;
  /**
   * A file, a folder or `s3://bucket/folder` for files that are named after their time. Default: below the checkout's
   * state.
   */
  readonly out?: string;
  /** How many archives of the stack the folder keeps; all of them by default. */
  readonly retain?: number;
  /** Longest time to wait for a command that has the stack locked. Default 0: it is refused. */
  readonly waitSeconds: number;
}

export interface Backup extends Verified {
  readonly path: string;
  readonly removed: readonly string[];
}

/**
 * Copies a stack's state, history and settings into one archive, and reads that again: one that did not
 * come back whole does not stay. What is encrypted stays so, and what opens it is not in it. Nothing is changed in the backend.
 * @throws UserError when the stack is not there, locked, or changes all the time
 */
export async function backup(root: string, options: BackupOptions, env: NodeJS.ProcessEnv): Promise<Backup> {
  const { stack } = options;
  const project = projectName(root);
  const state = openState(root, env);
  const store = openStore(state, env);
  const history = await openHistory(root, stack, env, state);
  const parts = await unchanging(stack, async () => {
    await untilUnlocked(stack, () => history.lockedBy(), options.waitSeconds);
    return store === undefined
      ? fromCloud(root, stack, env, await history.updates())
      : fromFiles(store, { project, stack });
  });
  const settings = stackFile(root, stack);
  if (existsSync(settings)) parts.set(settingsPart(stack), readFileSync(settings));
  const created = new Date();
  const kind = store?.kind ?? "cloud";
  const content = readContent({ project, stack, backend: kind }, parts);
  const provider = content.deployment.secrets_providers;
  const manifest: Omit<Manifest, "parts"> = {
    format: "technova-state",
    version: formatVersion,
    created: created.toISOString(),
    project,
    stack,
    backend: kind,
    versions: {
      platform: platformVersion(),
      node: process.versions.node,
      pulumi: content.deployment.manifest?.version,
    },
    ...(provider ? { secretsProvider: { type: provider.type, state: provider.state ?? undefined } } : {}),
    resources: content.urns.length,
    updates: content.updates,
  };
  const bytes = await writeArchive(manifest, parts);
  const { place, name } = target(root, project, stack, options.out, created, env);
  const path = `${place.name}/${name}`;
  // Before it takes the place of anything.
  const verified = await verifyBytes(bytes, path, root, env);
  await place.write(name, bytes);
  if (!(await place.read(name)).equals(bytes)) {
    await place.remove(name);
    throw new UserError(`${path} did not come back as it was written: the place cannot be trusted.`);
  }
  return { ...verified, path, removed: await retain(place, project, stack, options.retain) };
}

/** Waits for whoever has the stack locked; says so at once and every ten seconds. */
export async function untilUnlocked(
  stack: string,
  lockedBy: () => Promise<string | undefined>,
  waitSeconds: number,
): Promise<void> {
  const started = Date.now();
  for (let said = -Infinity; ;) {
    const holder = await lockedBy();
    if (holder === undefined) return;
    const waited = (Date.now() - started) / 1000;
    if (waited >= waitSeconds) {
      const advice = waitSeconds > 0 ? "" : " Wait for it with --wait <seconds>.";
      throw new UserError(`The stack ${stack} is locked: ${holder}.${advice} ${giveUpAdvice(stack)}`);
    }
    if (waited - said >= 10) report(`waiting for ${holder}, ${Math.round(waited)} s`);
    if (waited - said >= 10) said = waited;
    await sleep(Math.min(1_000, (waitSeconds - waited) * 1_000));
  }
}

/** A state that changes while it is copied is copied again: twice the same is one state. */
async function unchanging(
  stack: string,
  copy: () => Promise<Map<string, Buffer>>,
): Promise<Map<string, Buffer>> {
  const fingerprint = (parts: Map<string, Buffer>) =>
    JSON.stringify([...parts].map(([name, content]) => [name, sha256(content)]));
  let before = await copy();
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const after = await copy();
    if (fingerprint(before) === fingerprint(after)) return after;
    before = after;
  }
  throw new UserError(`The stack ${stack} is being changed all the time: try again when no update runs.`);
}

async function fromFiles(
  store: Store,
  reference: { readonly project: string; readonly stack: string },
): Promise<Map<string, Buffer>> {
  const checkpoint = stateFile(await store.list(stateFolder(reference)), reference);
  if (checkpoint === undefined) throw new UserError(`There is no stack ${reference.stack} in this backend.`);
  const names = await store.list(historyFolder(reference));
  const entries = [...historyFiles(names, "history"), ...historyFiles(names, "checkpoint")];
  const paths = [
    `${stateFolder(reference)}/${checkpoint}`,
    ...entries.map(({ name }) => `${historyFolder(reference)}/${name}`).sort(),
  ];
  const contents = await inParallel(paths, atOnce, (path) => store.read(path));
  return new Map(paths.map((path, index) => [`${backendFolder}${path}`, contents[index] ?? Buffer.alloc(0)]));
}

async function fromCloud(
  root: string,
  stack: string,
  env: NodeJS.ProcessEnv,
  updates: readonly unknown[],
): Promise<Map<string, Buffer>> {
  const { code, stdout, stderr } = await capturePulumi(root, ["stack", "export", "--stack", stack], env);
  if (code !== 0) throw new UserError(`The state of ${stack} cannot be read: ${stderr.trim()}`);
  return new Map([
    [cloudState, Buffer.from(stdout)],
    [cloudHistory, Buffer.from(`${JSON.stringify(updates, undefined, 2)}\n`)],
  ]);
}

const packageFile = z.looseObject({ version: z.string() });

function platformVersion(): string {
  return packageFile.parse(JSON.parse(readFileSync(join(__dirname, "../../package.json"), "utf8"))).version;
}

function target(
  root: string,
  project: string,
  stack: string,
  out: string | undefined,
  at: Date,
  env: NodeJS.ProcessEnv,
): { readonly place: ArchivePlace; readonly name: string } {
  const isFile =
    out !== undefined &&
    !out.startsWith("s3://") &&
    !(existsSync(out) && statSync(out).isDirectory()) &&
    /\.t(ar\.)?gz$/.test(out);
  if (isFile) return { place: openPlace(dirname(out), env), name: basename(out) };
  return { place: openPlace(out ?? defaultPlace(root), env), name: archiveName(project, stack, at) };
}

/** Removes the oldest archives of the stack, by the times in their names. */
async function retain(
  place: ArchivePlace,
  project: string,
  stack: string,
  count: number | undefined,
): Promise<string[]> {
  if (count === undefined) return [];
  const own = archivesOf(await place.list(), project, stack);
  const old = own.slice(0, Math.max(0, own.length - count));
  for (const name of old) await place.remove(name);
  return old;
}
