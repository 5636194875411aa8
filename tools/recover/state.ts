import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { withoutCluster, type Deployment } from "../engine/newCluster";
import { projectName, stackFile } from "../engine/project";
import { UserError } from "../engine/report";
import { capturePulumi } from "../engine/run";
import { openState as openBackend, stateDirectory } from "../engine/state";
import { historyFiles, stateFolder, uncompressed } from "../history/names";
import { parseUpdate, type Config } from "../history/update";
import { backendFolder, cloudHistory } from "../state/manifest";
import type { Verified } from "../state/verify";

/** What a recovered state is to make again, and what it keeps. */
export interface Stripped {
  readonly state: Deployment;
  readonly removed: number;
  /** Operations that were under way when the state was kept, as `creating <urn>`, but for those of the old cluster. */
  readonly pending: readonly string[];
}

const operation = z.looseObject({
  type: z.string(),
  resource: z.looseObject({ urn: z.string(), type: z.string() }),
});
const withOperations = z.looseObject({ pending_operations: z.array(operation).nullish() });

/**
 * Takes out of a state what the old cluster held, protected or not, so that an update makes it again; passwords, keys,
 * certificates and what lies elsewhere stay as they are. Doing so twice is doing it once.
 */
export function stripped(state: Deployment): Stripped {
  const { pending_operations: under } = withOperations.parse(state.deployment);
  const without = withoutCluster(state);
  const [before, after] = [state, without].map(({ deployment }) => deployment.resources?.length ?? 0);
  const elsewhere = (under ?? []).filter(({ resource }) => !/^(kubernetes|docker):/.test(resource.type));
  return {
    state: { ...without, deployment: { ...without.deployment, pending_operations: [] } },
    removed: (before ?? 0) - (after ?? 0),
    pending: elsewhere.map(({ type, resource }) => `${type} ${resource.urn}`),
  };
}

const exported = z.looseObject({
  deployment: z.looseObject({
    resources: z.array(z.looseObject({ urn: z.string(), type: z.string() })).nullish(),
  }),
});

/** Has the CLI read the state, and take it back without what the old cluster held. */
export async function stripState(root: string, stack: string, env: NodeJS.ProcessEnv): Promise<Stripped> {
  const text = await told(capturePulumi(root, ["stack", "export", "--stack", stack], env), "read the state");
  exported.parse(JSON.parse(text));
  const result = stripped(JSON.parse(text) as Deployment);
  const file = join(stateDirectory(root), `recover-${process.pid}.json`);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(file, JSON.stringify(result.state), { mode: 0o600 });
  try {
    await told(
      capturePulumi(root, ["stack", "import", "--stack", stack, "--file", file], env),
      "take the state back without the old cluster",
    );
  } finally {
    rmSync(file, { force: true });
  }
  return result;
}

/** What an archive's state says once its secrets are opened. */
export interface Opened {
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Every text that a backup may be encrypted with: an older one may take an older key. */
  readonly keys: readonly string[];
}

const backupKeyText = /^[A-Za-z0-9+/=_-]{43,512}$/;
const withOutputs = z.looseObject({
  deployment: z.looseObject({
    resources: z.array(
      z.looseObject({ type: z.string(), outputs: z.record(z.string(), z.unknown()).nullish() }),
    ),
  }),
});

/**
 * Opens the state of an archive. The CLI reads it in a folder of its own: nothing is written into the backend, and
 * whatever encrypts the state is asked the same way as always.
 */
export async function openState(
  root: string,
  { archive, content }: Verified,
  env: NodeJS.ProcessEnv,
): Promise<Opened> {
  const { stack } = archive.manifest;
  const { passphraseFile } = openBackend(root, env);
  const folder = mkdtempSync(join(tmpdir(), "recover-"));
  const own = {
    ...env,
    PULUMI_BACKEND_URL: `file://${folder}`,
    ...(passphraseFile === undefined ? {} : { PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile }),
  };
  const run = (...args: string[]) => capturePulumi(root, args, own);
  try {
    await told(run("stack", "ls", "--json"), "open a folder for the archive's state");
    const path = join(folder, ".pulumi", stateFolder({ project: projectName(root), stack }), `${stack}.json`);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const checkpoint = { stack, latest: content.deployment };
    writeFileSync(path, JSON.stringify({ version: 3, checkpoint }), { mode: 0o600 });
    const args = ["stack", "export", "--show-secrets", "--stack", stack];
    const text = await told(run(...args), "open the archive's state");
    const { resources } = withOutputs.parse(JSON.parse(text)).deployment;
    const opened = resources.map(({ type, outputs }) => ({ type, outputs: revealed(outputs ?? {}) }));
    const outputs = opened.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs ?? {};
    const former = await settingsKeys(root, stack, run);
    const keys = [...textsIn(opened.map((each) => each.outputs)), ...former];
    return { outputs: z.record(z.string(), z.unknown()).parse(outputs), keys: [...new Set(keys)] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const settingsValues = z.record(z.string(), z.looseObject({ objectValue: z.unknown() }));

/** Keys that people have set, or have kept for reading. */
async function settingsKeys(
  root: string,
  stack: string,
  run: (...args: string[]) => ReturnType<typeof capturePulumi>,
): Promise<string[]> {
  if (!/[bB]ackupKey/.test(readFileSync(stackFile(root, stack), "utf8"))) return [];
  const args = ["config", "--json", "--show-secrets", "--stack", stack];
  return textsIn(settingsValues.parse(JSON.parse(await told(run(...args), "read the stack's secrets"))));
}

/** The value of what the CLI marks as a secret: its text is JSON. */
function revealed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== "object" || value === null) return value;
  const { plaintext } = value as { plaintext?: unknown };
  if (secretMark in value && typeof plaintext === "string") return JSON.parse(plaintext);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revealed(inner)]));
}

/** As Pulumi's own wire format has it. */
const secretMark = "4dabf18193072939515e22adb298388d";

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return backupKeyText.test(value) ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}

const kept = z.looseObject({
  kind: z.string(),
  succeeded: z.boolean(),
  config: z.record(z.string(), z.unknown()),
});

/** The settings of the newest update in an archive that went well: with them the stack ran when it was kept. */
export function lastSettings({ archive: { parts, manifest } }: Verified): Config {
  const names = [...parts.keys()].filter((name) => name.startsWith(`${backendFolder}history/`));
  const updates =
    manifest.backend === "cloud"
      ? z.array(kept).parse(JSON.parse(parts.get(cloudHistory)?.toString("utf8") ?? "[]"))
      : historyFiles(names, "history").map(({ name, id }, index) =>
          parseUpdate(id, index + 1, uncompressed(name, parts.get(name) ?? Buffer.alloc(0))),
        );
  return updates.filter(({ kind, succeeded }) => succeeded && kind === "update").at(-1)?.config ?? {};
}

/** How many resources the backend has of the stack; undefined where it does not know it. */
export async function resourcesThere(
  root: string,
  stack: string,
  env: NodeJS.ProcessEnv,
): Promise<number | undefined> {
  const { directory } = openBackend(root, env);
  // Nothing was ever written there: asking the CLI would set it up.
  if (directory !== undefined && !existsSync(join(directory, ".pulumi"))) return undefined;
  const { code, stdout, stderr } = await capturePulumi(root, ["stack", "export", "--stack", stack], env);
  if (code === 0) return exported.parse(JSON.parse(stdout)).deployment.resources?.length ?? 0;
  if (/no stack named/.test(stderr)) return undefined;
  throw new UserError(`The backend cannot be read: ${stderr.trim()}`);
}

async function told(result: ReturnType<typeof capturePulumi>, what: string): Promise<string> {
  const { code, stdout, stderr } = await result;
  if (code !== 0) throw new UserError(`Pulumi could not ${what}: ${stderr.trim()}`);
  return stdout;
}
