import { Command } from "commander";
import { createRequire } from "node:module";
import { projectRoot } from "./project";
import { UserError } from "./report";

// Loads a part when it is needed. `import()` would do the same through a second loader, which alone takes longer to
// start than everything else here together.
const load = createRequire(__filename);

/** Commands of the CLI that have a script of their own. */
const handOvers = {
  preview: "show what `up` would change, with the policies checked; needs neither cluster nor network",
  up: "create and change what the stack describes, with the policies checked",
  destroy: "delete everything that the stack has created",
} as const;

/** The program of the npm scripts. Parts that not every command needs are loaded when a command needs them. */
function program(): Command {
  const main = new Command("npm run")
    .description(
      "Commands of the delivery platform. Every one installs or builds what it needs on first use.",
    )
    .helpCommand(false)
    .enablePositionalOptions();

  for (const [name, description] of Object.entries(handOvers)) {
    passThrough(main.command(name))
      .description(description)
      .usage("-- [--stack <name>] [flags of the Pulumi CLI]")
      .addHelpText(
        "after",
        `\nThe stack is local unless said otherwise. All flags: npm run pulumi -- ${name} --help`,
      )
      .action(async (_options: object, command: Command) => pulumi([name, ...command.args]));
  }
  passThrough(main.command("pulumi"))
    .description("run any command of the Pulumi CLI on this checkout: npm run pulumi -- stack output")
    .helpOption(false)
    .action(async (_options: object, command: Command) => pulumi(command.args));

  main
    .command("start")
    .description("bring the embedded cluster and the local stack up and print how to call the service")
    .action(async () => finish((load("./start") as typeof import("./start")).start()));

  const checks = () => load("./checks") as typeof import("./checks");
  main
    .command("test")
    .description("run every unit test: types, TypeScript, Python")
    .action(async () => finish(checks().test()));
  main
    .command("lint")
    .description("check style and common mistakes, in TypeScript and Python")
    .action(async () => finish(checks().lint()));
  main
    .command("golden")
    .description("write the golden files anew after an intended change of the resources")
    .action(async () => finish(checks().golden()));
  main
    .command("e2e [suites...]")
    .description("run end-to-end suites on the embedded cluster: core (default), others by name, or all")
    .action(async (suites: string[]) => finish(checks().endToEnd(suites)));
  main
    .command("bench [suites...]")
    .description("measure, and compare with the figures to reach")
    .action(async (suites: string[]) => finish(checks().bench(suites)));
  return main;
}

/** A command whose unknown flags belong to the Pulumi CLI. */
function passThrough(command: Command): Command {
  return command.allowUnknownOption().allowExcessArguments().passThroughOptions();
}

async function pulumi(args: readonly string[]): Promise<void> {
  const { runPulumi } = load("./run") as typeof import("./run");
  await finish(runPulumi(projectRoot, args));
}

async function finish(code: Promise<number>): Promise<void> {
  process.exitCode = await code;
}

async function main(args: readonly string[]): Promise<void> {
  const commands = program();
  const [name] = args;
  const needed = (command: string): boolean => name === command || name === undefined || name.startsWith("-");
  if (needed("cluster")) {
    commands.addCommand((load("../cluster/main") as typeof import("../cluster/main")).clusterCommand());
  }
  if (needed("manifests")) {
    commands.addCommand(
      (load("../manifests/main") as typeof import("../manifests/main")).manifestsCommand(projectRoot),
    );
  }
  if (needed("release")) {
    commands.addCommand(
      (load("../release/main") as typeof import("../release/main")).releaseCommand(projectRoot),
    );
  }
  if (needed("history")) {
    commands.addCommand(
      (load("../history/main") as typeof import("../history/main")).historyCommand(projectRoot),
    );
  }
  if (needed("rollback")) {
    commands.addCommand(
      (load("../rollback/main") as typeof import("../rollback/main")).rollbackCommand(projectRoot),
    );
  }
  if (needed("audit")) {
    commands.addCommand((load("../audit/main") as typeof import("../audit/main")).auditCommand(projectRoot));
  }
  if (needed("drift")) {
    commands.addCommand((load("../drift/main") as typeof import("../drift/main")).driftCommand(projectRoot));
  }
  if (needed("state")) {
    commands.addCommand((load("../state/main") as typeof import("../state/main")).stateCommand(projectRoot));
  }
  if (needed("secrets")) {
    commands.addCommand(
      (load("../secrets/main") as typeof import("../secrets/main")).secretsCommand(projectRoot),
    );
  }
  if (needed("recover")) {
    commands.addCommand(
      (load("../recover/main") as typeof import("../recover/main")).recoverCommand(projectRoot),
    );
  }
  if (needed("policy")) {
    commands.addCommand(
      (load("../policy/main") as typeof import("../policy/main")).policyCommand(projectRoot),
    );
  }
  if (needed("security")) {
    commands.addCommand(
      (load("../security/main") as typeof import("../security/main")).securityCommand(projectRoot),
    );
  }
  await commands.parseAsync(args, { from: "user" });
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const expected = error instanceof UserError || process.env.TECHNOVA_DEBUG === undefined;
  const text = error instanceof Error ? (expected ? error.message : error.stack) : String(error);
  process.stderr.write(`error: ${text}\n`);
  process.exitCode = 1;
});
