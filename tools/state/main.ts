import { createRequire } from "node:module";
import { Command, InvalidArgumentError } from "commander";
import { defaultStack } from "../engine/invocation";
import { report } from "../engine/report";

// What a command needs is loaded when it is called.
const load = createRequire(__filename);

interface BackupFlags {
  readonly stack: string;
  readonly out?: string;
  readonly retain?: number;
  readonly wait: number;
}
interface RestoreFlags {
  readonly stack: string;
  readonly replace?: boolean;
  readonly wait: number;
}

/** The commands that keep a stack's state safe, for the platform's command line. */
export function stateCommand(root: string, env = process.env): Command {
  const state: Command = new Command("state")
    .description("back up a stack's state, history and settings; verify and restore such archives")
    .helpCommand(false)
    .configureHelp({
      commandUsage: (shown) => {
        const archive = ["verify", "restore"].includes(shown.name()) ? " <archive>" : "";
        return `npm run state -- ${shown === state ? "<command>" : shown.name()}${archive} [options]`;
      },
    });
  const stackOption = ["-s, --stack <name>", "the stack", env.PULUMI_STACK || defaultStack] as const;
  const waitOption = [
    "--wait <seconds>",
    "how long to wait for a command that has the stack locked",
    toCount,
    0,
  ] as const;

  state
    .command("backup")
    .description("copy it into one archive with checksums; nothing is changed in the backend")
    .option(...stackOption)
    .option(
      "-o, --out <path>",
      "a file (.tar.gz), a folder or s3://bucket/folder (default: .pulumi-state/archives)",
    )
    .option("--retain <count>", "keep so many archives of the stack there", toPositive)
    .option(...waitOption)
    .addHelpText("after", secrecy)
    .action(async ({ wait, ...flags }: BackupFlags) => {
      const { backup } = load("./backup") as typeof import("./backup");
      const { describe } = load("./verify") as typeof import("./verify");
      const made = await backup(root, { ...flags, waitSeconds: wait }, env);
      process.stdout.write(`${[made.path, ...describe(made).map((line) => `  ${line}`)].join("\n")}\n`);
      for (const name of made.removed) report(`removed ${name}: --retain keeps the newest ${flags.retain}`);
    });
  state
    .command("verify")
    .description("read a whole archive: sums, structure, and whether its secrets can be opened here")
    .argument("<archive>", `what backup has made, by this version or an older one: ${whereArchivesAre}`)
    .addHelpText("after", secrecy)
    .action(async (archive: string) => {
      const { describe, verify } = load("./verify") as typeof import("./verify");
      process.stdout.write(`${describe(await verify(archive, root, env)).join("\n")}\n`);
    });
  state
    .command("restore")
    .description("put an archive into the backend of this checkout, and have the CLI read it")
    .argument("<archive>", `what backup has made: ${whereArchivesAre}`)
    .option(...stackOption)
    .option("--replace", "take the place of a stack that has resources; what was there is kept in an archive")
    .option(...waitOption)
    .addHelpText("after", secrecy)
    .action(async (archive: string, { stack, replace = false, wait }: RestoreFlags) => {
      const { restore } = load("./restore") as typeof import("./restore");
      const { content, notes } = await restore(root, archive, { stack, replace, waitSeconds: wait }, env);
      process.stdout.write(
        [
          `${stack} is restored and read back: ${content.urns.length} resources, ${content.updates} updates.`,
          ...notes,
          "Whether it still fits, these say:",
          `  npm run preview -- --stack ${stack}`,
          `  npm run drift -- --stack ${stack}`,
          "",
        ].join("\n"),
      );
    });
  return state;
}

function toCount(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError("It takes a whole number from 0 to 99999.");
  return Number(text);
}

function toPositive(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text))
    throw new InvalidArgumentError("It takes a whole number from 1 to 99999.");
  return Number(text);
}

const whereArchivesAre = "a file, or s3://bucket/folder/<name>.tar.gz";

const secrecy = `
Secrets stay encrypted, as the backend has them; the passphrase is never in an archive: keep it elsewhere.

Exit codes: 0 done, 1 refused or not possible, with the reason`;
