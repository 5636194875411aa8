import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { createOnce } from "./lockfile";
import { runCaptured } from "./processes";
import { projectName, readStackSettings } from "./project";
import { report, UserError } from "./report";

/** Where a stack's state is kept. */
export interface State {
  /** For PULUMI_BACKEND_URL. */
  readonly url: string;
  /** Folder of a file backend, undefined for any other. */
  readonly directory?: string;
  /** Set when the passphrase is the one that this checkout generated. */
  readonly passphraseFile?: string;
}

/** Ignored folder of the checkout that holds the state and what belongs to it. */
export function stateDirectory(root: string): string {
  return join(root, ".pulumi-state");
}

/**
 * The state of every stack lies in the checkout, unless PULUMI_BACKEND_URL says otherwise. A login that the
 * machine happens to have is not used: which state a command changes must not depend on the machine.
 *
 * Only the checkout's own state gets a generated passphrase: a state that others share has to be readable by
 * them, so its passphrase or secrets provider has to be given.
 */
export function openState(root: string, env: NodeJS.ProcessEnv): State {
  if (env.PULUMI_BACKEND_URL) {
    const url = env.PULUMI_BACKEND_URL;
    return { url, directory: url.startsWith("file://") ? fileFolder(root, url) : undefined };
  }
  const directory = stateDirectory(root);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  // Without the file of attributes that the backend puts beside each of its files, and that it does not write at once:
  // a command killed just then would leave a state that nothing can read.
  const state = { url: `file://${directory}?metadata=skip`, directory };
  if (env.PULUMI_CONFIG_PASSPHRASE !== undefined || env.PULUMI_CONFIG_PASSPHRASE_FILE) return state;
  const passphraseFile = join(directory, "passphrase");
  if (!existsSync(passphraseFile))
    createOnce(passphraseFile, `${randomBytes(32).toString("base64url")}\n`, 0o600);
  return { ...state, passphraseFile };
}

/** As the CLI reads it: what follows `file://` is a plain path, from the home folder or the checkout when relative. */
function fileFolder(root: string, url: string): string {
  const path = url.slice("file://".length).replace(/\?.*$/, "");
  return path.startsWith("~") ? join(homedir(), path.slice(1)) : resolve(root, path);
}

/** The file in which a file backend keeps a stack, if it knows the stack. */
export function checkpointFile(root: string, state: State, stack: string): string | undefined {
  if (state.directory === undefined) return undefined;
  const path = join(state.directory, ".pulumi/stacks", projectName(root), `${stack}.json`);
  return [path, `${path}.gz`].find((candidate) => existsSync(candidate));
}

/**
 * Creates the stack in a file backend on first use. A shared backend is left alone: there a mistyped stack name
 * must not create anything, and `npm run pulumi -- stack init <name>` is done once, by decision.
 *
 * The CLI writes what it needs to find the encryption key again next to Pulumi.yaml. That would change a tracked
 * file on every machine, so a stack without a secrets provider in its settings is created from a folder of its own:
 * the state itself keeps what was written there.
 */
export async function ensureStack(
  root: string,
  state: State,
  stack: string,
  run: { readonly cli: string; readonly env: NodeJS.ProcessEnv },
): Promise<void> {
  if (state.directory === undefined || checkpointFile(root, state, stack) !== undefined) return;
  const settings = readStackSettings(root, stack);
  const args = ["stack", "init", "--no-select", "--non-interactive", "--stack", stack];
  if (settings.secretsprovider !== undefined) args.push("--secrets-provider", settings.secretsprovider);
  const own = settings.secretsprovider === undefined && settings.encryptionsalt === undefined;
  const cwd = own ? join(stateDirectory(root), `init-${process.pid}`) : root;
  if (own) {
    mkdirSync(cwd, { recursive: true, mode: 0o700 });
    writeFileSync(join(cwd, "Pulumi.yaml"), `name: ${projectName(root)}\nruntime: nodejs\n`);
  }
  try {
    const result = await runCaptured(run.cli, args, { cwd, env: run.env });
    const failed = result.code !== 0 && !result.stderr.includes("already exists");
    if (failed) throw new UserError(`The stack ${stack} could not be created:\n${result.stderr.trim()}`);
    report(`created the stack ${stack} in ${state.directory}`);
  } finally {
    if (own) rmSync(cwd, { recursive: true, force: true });
  }
}
