import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { clearStaleLocks } from "../engine/locks";
import { projectName, stackFile } from "../engine/project";
import { report, UserError } from "../engine/report";
import { capturePulumi } from "../engine/run";
import { openState, stateDirectory } from "../engine/state";
import { historyFiles, historyFolder, stateFile, stateFolder } from "../history/names";
import { openHistory, type StackReference } from "../history/source";
import { backup, untilUnlocked } from "./backup";
import { whileLocked } from "./lock";
import { backendFolder, cloudState, settingsPart } from "./manifest";
import { openStore, writeState, type Store } from "./store";
import { verify, type Verified } from "./verify";

export interface RestoreOptions {
  readonly stack: string;
  /** Takes the place of a stack that has resources; what was there is kept in an archive. */
  readonly replace: boolean;
  /** Whether whoever calls has put there what is there, so that nothing of it is to be kept. Default false. */
  readonly ours?: boolean;
  readonly waitSeconds: number;
}

export interface Restored extends Verified {
  /** Archive of what was there before. */
  readonly aside?: string;
  readonly notes: readonly string[];
}

/**
 * Puts an archive into the backend that this checkout works with, and has the CLI read it. Everything is
 * checked before anything is written.
 * @throws UserError when the archive, the stack or the backend is not as it has to be
 */
export async function restore(
  root: string,
  path: string,
  options: RestoreOptions,
  env: NodeJS.ProcessEnv,
): Promise<Restored> {
  const { stack } = options;
  const project = projectName(root);
  const verified = await verify(path, root, env);
  const { manifest, parts } = verified.archive;
  if (manifest.stack !== stack || manifest.project !== project) {
    throw new UserError(
      `${path} is of ${manifest.project}/${manifest.stack}, not of ${project}/${stack}; nothing was written.`,
    );
  }
  if (verified.opens === false) {
    throw new UserError(
      "The passphrase at hand does not open the secrets of this archive; nothing was written. Give the one it " +
        "was encrypted with in PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE, or put it into " +
        `${join(stateDirectory(root), "passphrase")}.`,
    );
  }
  const state = openState(root, env);
  const store = openStore(state, env);
  const run = (...args: string[]) => capturePulumi(root, args, env);
  const notes: string[] = [];

  // An empty backend is set up by the CLI itself: whose files lie there before counts as an old one.
  await checked(run("stack", "ls", "--json"), "open the backend");
  const history = await openHistory(root, stack, env, state);
  await untilUnlocked(stack, () => history.lockedBy(), options.waitSeconds);
  const reference = { project, stack };
  const before = store && (await stateIn(store, reference));
  const aside = await keepAside(root, options, env, run);

  if (store !== undefined && manifest.backend !== "cloud") {
    clearStaleLocks(root, state, stack);
    await whileLocked(root, store, reference, async () => {
      // What came after the copy that was kept would be lost.
      if ((await stateIn(store, reference)) !== before)
        throw new UserError(`The stack ${stack} was changed meanwhile; nothing was written. Run it again.`);
      await copyInto(store, reference, parts);
    });
  } else await importInto(root, stack, verified, run, notes);
  if (store === undefined) notes.push("A Pulumi Cloud keeps its own history: the archive's was not written.");
  notes.push(...putSettings(root, stack, parts.get(settingsPart(stack))));
  await compare(stack, verified, run, store !== undefined && manifest.backend !== "cloud");
  return { ...verified, aside, notes };
}

type Run = (...args: string[]) => ReturnType<typeof capturePulumi>;

const exportedSchema = z.looseObject({
  deployment: z.looseObject({ resources: z.array(z.looseObject({ urn: z.string() })).nullish() }),
});

async function urnsOf(stack: string, run: Run): Promise<string[] | undefined> {
  const { code, stdout, stderr } = await run("stack", "export", "--stack", stack);
  if (code !== 0) {
    if (/no stack named/.test(stderr)) return undefined;
    throw new UserError(`The stack ${stack} cannot be read as it is: ${stderr.trim()}`);
  }
  return (exportedSchema.parse(JSON.parse(stdout)).deployment.resources ?? []).map(({ urn }) => urn);
}

/** The state as it lies there, whatever its form; undefined where there is none. */
async function stateIn(store: Store, reference: StackReference): Promise<string | undefined> {
  const folder = stateFolder(reference);
  const name = stateFile(await store.list(folder), reference);
  return name && `${name} ${(await store.read(`${folder}/${name}`)).toString("base64")}`;
}

async function keepAside(
  root: string,
  { stack, replace, waitSeconds, ours = false }: RestoreOptions,
  env: NodeJS.ProcessEnv,
  run: Run,
): Promise<string | undefined> {
  const there = await urnsOf(stack, run);
  if (there === undefined) return undefined;
  if (there.length > 0 && !replace) {
    throw new UserError(
      `The stack ${stack} has ${there.length} resources; nothing was written. With --replace the archive takes ` +
        "its place, and what is there now is kept in another archive.",
    );
  }
  if (ours) return undefined;
  const { path } = await backup(root, { stack, waitSeconds }, env);
  report(`what was there is kept in ${path}`);
  return path;
}

/**
 * The state comes last: until then the stack is what it was. What the archive does not have goes after it.
 */
async function copyInto(
  store: Store,
  reference: StackReference,
  parts: ReadonlyMap<string, Buffer>,
): Promise<void> {
  const files = [...parts].flatMap(([name, content]) =>
    name.startsWith(backendFolder) ? [{ path: name.slice(backendFolder.length), content }] : [],
  );
  const folder = stateFolder(reference);
  const isState = ({ path }: { path: string }) => path.startsWith(`${folder}/`);
  for (const { path, content } of files.filter((file) => !isState(file))) await store.write(path, content);
  for (const { path, content } of files.filter(isState))
    await writeState(store, reference, path.slice(folder.length + 1), content);
  const kept = new Set(files.map(({ path }) => path));
  const names = await store.list(historyFolder(reference));
  const old = [...historyFiles(names, "history"), ...historyFiles(names, "checkpoint")].map(
    ({ name }) => `${historyFolder(reference)}/${name}`,
  );
  for (const path of old.filter((each) => !kept.has(each))) await store.remove(path);
}

/** Where there are no files on one of both sides, the CLI carries the state over. */
async function importInto(
  root: string,
  stack: string,
  { archive: { parts }, content }: Verified,
  run: Run,
  notes: string[],
): Promise<void> {
  if ((await urnsOf(stack, run)) === undefined)
    await checked(run("stack", "init", stack, "--no-select"), "make the stack");
  const file = join(stateDirectory(root), `import-${process.pid}.json`);
  const whole = parts.get(cloudState)?.toString("utf8");
  writeFileSync(file, whole ?? JSON.stringify({ version: 3, deployment: content.deployment }), {
    mode: 0o600,
  });
  try {
    await checked(run("stack", "import", "--stack", stack, "--file", file), "take the state over");
  } finally {
    rmSync(file, { force: true });
  }
  notes.push("The state was imported; the history stays in the archive.");
}

/** The settings lie in the repository: they are put there only when they are missing. */
function putSettings(root: string, stack: string, content: Buffer | undefined): string[] {
  if (content === undefined) return [];
  const path = stackFile(root, stack);
  if (!existsSync(path)) {
    writeFileSync(path, content);
    return [`Pulumi.${stack}.yaml was put back.`];
  }
  if (readFileSync(path).equals(content)) return [];
  return [`Pulumi.${stack}.yaml differs from the one in the archive and was left as it is.`];
}

/** What the CLI says of the stack now has to be what the archive says. */
async function compare(stack: string, { content }: Verified, run: Run, withHistory: boolean): Promise<void> {
  const listed = z
    .array(z.looseObject({ name: z.string() }))
    .parse(JSON.parse(await checked(run("stack", "ls", "--json"), "list the stacks")));
  if (!listed.some(({ name }) => name === stack || name.endsWith(`/${stack}`)))
    throw new UserError(`The stack ${stack} was written, but the CLI does not list it.`);
  const urns = await urnsOf(stack, run);
  if (JSON.stringify(urns) !== JSON.stringify(content.urns))
    throw new UserError(
      `The CLI reads ${urns?.length ?? 0} resources of ${stack}, the archive has ${content.urns.length}.`,
    );
  if (!withHistory) return;
  // All of it: a page has ten.
  const history = run("stack", "history", "--json", "--page-size", "0", "--stack", stack);
  const text = await checked(history, "read the history");
  const entries = z.array(z.unknown()).parse(JSON.parse(text || "[]"));
  if (entries.length !== content.updates)
    throw new UserError(
      `The CLI reads ${entries.length} updates of ${stack}, the archive has ${content.updates}.`,
    );
}

async function checked(result: ReturnType<Run>, what: string): Promise<string> {
  const { code, stdout, stderr } = await result;
  if (code !== 0) throw new UserError(`Pulumi could not ${what}: ${stderr.trim()}`);
  return stdout;
}
