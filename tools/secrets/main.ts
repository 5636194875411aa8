import { createRequire } from "node:module";
import { Command, InvalidArgumentError, Option } from "commander";
import { defaultStack } from "../engine/invocation";
import { report } from "../engine/report";
import type { FullApi } from "../release/api";
import type { Input } from "./input";
import { scopes, type Scope } from "./seal";

// What a command needs is loaded when it is called.
const load = createRequire(__filename);

interface SealFlags {
  readonly stack: string;
  readonly namespace: string;
  readonly key: string;
  readonly fromFile?: string;
  readonly cert?: string;
  readonly type?: string;
  readonly scope: Scope;
}
interface KeyFlags {
  readonly stack: string;
  readonly passphraseFile?: string;
}

/** What the commands work with; tests give their own. */
export interface Surroundings {
  readonly env?: NodeJS.ProcessEnv;
  readonly print?: (text: string) => void;
  readonly say?: (line: string) => void;
  readonly input?: Input;
  readonly now?: () => Date;
}

/** The commands for Secrets that lie encrypted in the checkout. */
export function secretsCommand(root: string, surroundings: Surroundings = {}): Command {
  const { env = process.env, print = console.log, say = report, now = () => new Date() } = surroundings;
  const input = () => surroundings.input ?? (load("./terminal") as typeof import("./terminal")).terminal;
  const withApi = <T>(stack: string, work: (api: FullApi) => Promise<T>) =>
    (load("./cluster") as typeof import("./cluster")).withApi(root, stack, env, work);
  const backups = () => load("./backup") as typeof import("./backup");
  const inputs = () => load("./input") as typeof import("./input");

  const secrets: Command = new Command("secrets")
    .description("seal Secrets so that only the cluster can open them; back up and restore the keys for that")
    .helpCommand(false)
    // Who tries to give a value as an option must not find it in a log.
    .configureOutput({ outputError: (text, write) => write(text.replace(/(--[\w-]+)=[^']*/g, "$1=...")) })
    .configureHelp({
      commandUsage: (shown) => {
        const argument = { seal: " <name>", "restore-key": " <file>" }[shown.name()] ?? "";
        return `npm run secrets -- ${shown === secrets ? "<command>" : shown.name()}${argument} [options]`;
      },
    });
  const stackOption = ["-s, --stack <name>", "the stack", env.PULUMI_STACK || defaultStack] as const;
  const passphraseOption = [
    "--passphrase-file <path>",
    "a file with the passphrase, instead of asking",
  ] as const;

  secrets
    .command("seal")
    .description("seal one value of a Secret into secrets/<stack>, for the next update")
    .argument("<name>", "name of the Secret", toName)
    .option(...stackOption)
    .option("-n, --namespace <name>", "namespace of the Secret", "inventory")
    .requiredOption("-k, --key <key>", "key in the Secret, such as password or tls.key", toKey)
    .option("-f, --from-file <path>", "take the value from a file, as it is")
    .option("--cert <path>", "seal with this certificate instead of asking the cluster for its own")
    .option("--type <type>", "type of the Secret, such as kubernetes.io/tls (default: Opaque)", toType)
    .addOption(new Option("--scope <scope>", "where it can be opened").choices(scopes).default("strict"))
    .addHelpText("after", sealing)
    .action(async (name: string, flags: SealFlags) => {
      const { stack, namespace, cert } = flags;
      const { requireNamespace, sealingNamespaces } = load("./settings") as typeof import("./settings");
      requireNamespace(sealingNamespaces(root, stack), namespace, stack);
      const { fetchCertificate, readCertificate } = load("./certificate") as typeof import("./certificate");
      const certificate =
        cert === undefined
          ? await withApi(stack, (api) => fetchCertificate(api, now()))
          : readCertificate(backups().readBackupFile(cert), cert, now());
      const value = await inputs().readValue(input(), flags.fromFile);
      const { sealInto } = load("./sealedFile") as typeof import("./sealedFile");
      const path = sealInto(root, stack, { ...flags, name, value }, certificate);
      say(`sealed ${flags.key} of ${namespace}/${name} with ${certificate.fingerprint}`);
      print(path);
    });

  secrets
    .command("list")
    .description("what is sealed for a stack: names and keys, never values")
    .option(...stackOption)
    .option("--live", "ask the cluster whether each is unsealed")
    .option("--json", "print it as JSON")
    .action(async ({ stack, live, json }: { stack: string; live?: boolean; json?: boolean }) => {
      const { sealingNamespaces } = load("./settings") as typeof import("./settings");
      const { listSealed, renderListed, withStates } = load("./list") as typeof import("./list");
      const { listed, problems } = listSealed(root, stack, sealingNamespaces(root, stack));
      const shown = live ? await withApi(stack, (api) => withStates(api, listed)) : listed;
      print(json ? JSON.stringify(shown, undefined, 2) : renderListed(shown));
      for (const problem of problems) say(`cannot be used: ${problem}`);
      const failed = shown.some(({ state }) => state?.startsWith("failed") ?? false);
      if (problems.length > 0 || failed) process.exitCode = 1;
    });

  secrets
    .command("certificate")
    .description("print the certificate to seal with; it is no secret, and can be kept for --cert")
    .option(...stackOption)
    .action(async ({ stack }: { stack: string }) => {
      const { day, fetchCertificate } = load("./certificate") as typeof import("./certificate");
      const found = await withApi(stack, (api) => fetchCertificate(api, now()));
      say(`${found.fingerprint}, valid until ${day(found.validTo)}`);
      print(found.pem.trimEnd());
    });

  secrets
    .command("backup-key")
    .description("write the keys that open what is sealed into a file, encrypted with a passphrase")
    .option(...stackOption)
    .requiredOption("-o, --out <path>", "the file; it must not be there yet")
    .option(...passphraseOption)
    .addHelpText("after", keeping)
    .action(async ({ stack, out, passphraseFile }: KeyFlags & { out: string }) => {
      const { backupKeys, refuseExisting } = backups();
      refuseExisting(out);
      const passphrase = await inputs().readPassphrase(input(), passphraseFile, true);
      const about = { stack, createdAt: now() };
      const keys = await withApi(stack, (api) => backupKeys(api, out, passphrase, about));
      say(
        `${keys.length === 1 ? "1 key" : `${keys.length} keys`} of ${stack}, readable with the passphrase only:`,
      );
      const { fingerprintOf } = load("./keys") as typeof import("./keys");
      for (const key of keys) say(`  ${key.name} ${fingerprintOf(key)}`);
      print(out);
    });

  secrets
    .command("restore-key")
    .description("put the keys of a backup into the cluster, and have the controller use them")
    .argument("<file>", "what backup-key has written")
    .option(...stackOption)
    .option(...passphraseOption)
    .addHelpText("after", keeping)
    .action(async (file: string, { stack, passphraseFile }: KeyFlags) => {
      const { readBackup, readBackupFile } = backups();
      readBackupFile(file);
      const passphrase = await inputs().readPassphrase(input(), passphraseFile, false);
      const backup = readBackup(file, passphrase);
      say(`${file}: keys of ${backup.stack}, from ${backup.createdAt.toISOString()}`);
      const { restoreKeys } = load("./keys") as typeof import("./keys");
      const { made, there } = await withApi(stack, (api) => restoreKeys(api, backup.keys));
      for (const name of there) say(`  ${name} was there already`);
      for (const name of made) say(`  ${name} is put back`);
      print(
        made.length === 0
          ? "Nothing was missing."
          : "The controller starts anew and unseals everything: npm run secrets -- list --live",
      );
    });
  return secrets;
}

const pattern = (expression: RegExp, most: number, takes: string) => (text: string) => {
  if (text.length <= most && expression.test(text)) return text;
  throw new InvalidArgumentError(takes);
};
const toName = pattern(
  /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
  253,
  "It takes lower-case letters, digits, hyphens and dots.",
);
const toKey = pattern(/^[-._a-zA-Z0-9]+$/, 253, "It takes letters, digits, hyphens, dots and underscores.");
const toType = pattern(/^[a-zA-Z0-9./-]+$/, 253, "It takes a type of Secrets, such as kubernetes.io/tls.");

const sealing = `
The value is read from standard input, where one line break at its end is left out, or from --from-file. On a
terminal it is asked for. It is never an argument: others on the machine can read those.

  npm run secrets -- seal inventory-database --key url --stack production < url.txt

A scope wider than strict takes an exception from the policy strict-sealed-secrets.

Exit codes: 0 done, 1 refused or not possible, with the reason`;

const keeping = `
Who has the keys can read everything that was ever sealed for the cluster. Keep the file and the passphrase in two
places, and none of them in the checkout. Keys are renewed: make another backup after each renewal.

Exit codes: 0 done, 1 refused or not possible, with the reason`;
