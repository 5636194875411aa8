import { Command } from "commander";
import { z } from "zod";
import { addToTrail } from "../audit/rollbacks";
import { runBy } from "../engine/agent";
import { usesEmbeddedCluster } from "../engine/cluster";
import { confirm } from "../engine/confirm";
import { defaultStack } from "../engine/invocation";
import { requireStackFile } from "../engine/project";
import { UserError } from "../engine/report";
import { capturePulumi, runPulumi } from "../engine/run";
import { connect, explained, findTarget } from "../release/api";
import { screenOn } from "../release/screen";
import { readBackup, readBackupFile } from "../secrets/backup";
import { readPassphrase } from "../secrets/input";
import { terminal } from "../secrets/terminal";
import { lookAt } from "./check";
import { sqlIn } from "./exec";
import { recover, type RecoverMeans } from "./recover";
import { renderSurvey } from "./render";
import { verifyRecovered } from "./verify";
import { parseWanted } from "./wanted";

interface Flags {
  readonly stack: string;
  readonly state?: string;
  readonly snapshot?: string;
  readonly secrets?: string;
  readonly sealingKeys?: string;
  readonly sealingPassphraseFile?: string;
  readonly list?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** The command that brings a stack back from nothing. */
export function recoverCommand(root: string, env: NodeJS.ProcessEnv = process.env): Command {
  return new Command("recover")
    .description("from an empty cluster and an empty backend to the running service with its data")
    .usage("-- [options]")
    .option("-s, --stack <name>", "the stack", env.PULUMI_STACK || defaultStack)
    .option(
      "--state <where>",
      "state archive: a file, or a folder or s3://bucket/folder for the newest in it",
    )
    .option(
      "--snapshot <which>",
      "latest (which is the default), latest-dump, a dump's name, a time, or none",
    )
    .option("--secrets <path>", "file or folder with Secrets that people have put into the old cluster")
    .option(
      "--sealing-keys <file>",
      "what opens the Secrets that are sealed: a file of secrets -- backup-key",
    )
    .option("--sealing-passphrase-file <path>", "a file with the passphrase of that, instead of asking")
    .option("--list", "show what could be recovered, and end")
    .option("--dry-run", "check everything, show what would be done, and end")
    .option("-y, --yes", "do not ask")
    .addHelpText("after", explanation)
    .action(async ({ snapshot, sealingKeys: file, sealingPassphraseFile, ...flags }: Flags) => {
      const wanted = snapshot === undefined ? undefined : parseWanted(snapshot);
      const { stack, list = false, dryRun = false, yes = false } = flags;
      requireStackFile(root, stack);
      const means = surroundings(root, stack, env);
      if (list) {
        const { archive, found } = await lookAt({ ...flags, wanted }, means);
        means.screen.print(renderSurvey(archive, found));
        return;
      }
      const sealingKeys = file === undefined ? undefined : await readSealingKeys(file, sealingPassphraseFile);
      await recover({ ...flags, wanted, sealingKeys, dryRun, yes }, means);
    });
}

async function readSealingKeys(file: string, passphraseFile: string | undefined) {
  readBackupFile(file);
  return readBackup(file, await readPassphrase(terminal, passphraseFile, false)).keys;
}

function surroundings(root: string, stack: string, env: NodeJS.ProcessEnv): RecoverMeans {
  const screen = screenOn({ out: process.stdout, err: process.stderr }, env);
  const reach = async () => {
    const api = await connect(root, stack, env);
    const told = async <T>(ask: Promise<T>): Promise<T> => {
      try {
        return await ask;
      } catch (error) {
        throw explained(error);
      }
    };
    return {
      get: (path: string) => told(api.get(path)),
      patch: (...args: Parameters<typeof api.patch>) => told(api.patch(...args)),
      create: (path: string, body: unknown) => told(api.create(path, body)),
      remove: (path: string) => told(api.remove(path)),
    };
  };
  return {
    root,
    env,
    screen,
    connect: reach,
    confirm,
    up: (settingsFile) => {
      const settings = settingsFile === undefined ? [] : ["--config-file", settingsFile];
      return runPulumi(root, ["up", "--stack", stack, "--yes", ...settings], env);
    },
    verify: async (journal, { databaseType, schemaRevision }) =>
      verifyRecovered(journal, {
        api: await reach(),
        screen,
        outputs: await outputs(root, stack, env),
        onThisMachine: usesEmbeddedCluster(root, stack),
        schemaRevision,
        sql: databaseType === "inCluster" ? sqlIn(await findTarget(root, stack, env)) : undefined,
      }),
    record: async (message) => {
      const at = new Date();
      const id = `recovery-${at.getTime()}`;
      const event = {
        id,
        at: at.toISOString(),
        kind: "recovery",
        result: "succeeded" as const,
        who: runBy(env),
      };
      await addToTrail(await reach(), stack, { ...event, message, changed: [], resources: {} });
    },
  };
}

async function outputs(
  root: string,
  stack: string,
  env: NodeJS.ProcessEnv,
): Promise<Record<string, unknown>> {
  const args = ["stack", "output", "--json", "--show-secrets", "--stack", stack];
  const { code, stdout, stderr } = await capturePulumi(root, args, env);
  if (code !== 0) throw new UserError(`The stack's outputs could not be read: ${stderr.trim()}`);
  return z.record(z.string(), z.unknown()).parse(JSON.parse(stdout));
}

const explanation = `
It takes the repository with the keys of what is sealed in it (--sealing-keys), the newest state archive (by
default from .pulumi-state/archives), what opens that (PULUMI_CONFIG_PASSPHRASE), and the bucket of the
database's backups with its keys (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the Secret that the settings
name in --secrets). Everything is checked before anything is changed. Killed at any moment and started again,
it goes on; with another --snapshot as long as the database has nothing. Passwords, keys and certificates are
those of before.

Exit codes: 0 done, 1 refused or not possible, with the reason`;
