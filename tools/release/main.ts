import { Command, InvalidArgumentError } from "commander";
import { defaultStack } from "../engine/invocation";
import { readStackSettings } from "../engine/project";
import { UserError } from "../engine/report";
import { connect, explained, type FullApi } from "./api";
import { carryOut } from "./change";
import { abort, pause, promote, promoteFull, retry, type Decide } from "./decide";
import { readHistory } from "./history";
import { renderHistory } from "./historyTable";
import { exitCodes } from "./phase";
import { pictureOf } from "./picture";
import { readRelease } from "./read";
import { render } from "./render";
import { screenOn, type Screen } from "./screen";
import { settingsNote, undo } from "./undo";
import { watch } from "./watch";

/** What the commands work with; tests give their own. */
export interface Surroundings {
  readonly env?: NodeJS.ProcessEnv;
  readonly screen?: Screen;
  /** Ends the process; for what the command line itself refuses. */
  readonly exit?: (code: number) => never;
}

interface StackOption {
  readonly stack: string;
}

/** The commands around a release, for the platform's command line. */
export function releaseCommand(root: string, surroundings: Surroundings = {}): Command {
  const { env = process.env, exit = process.exit } = surroundings;
  const screen = surroundings.screen ?? screenOn({ out: process.stdout, err: process.stderr }, env);
  const release: Command = new Command("release")
    .description("look at the release of the inventory service and steer it")
    .helpCommand(false)
    .configureHelp({
      commandUsage: (shown) =>
        `npm run release -- ${shown === release ? "<command>" : shown.name()} [options]`,
    })
    .addHelpText("after", exitCodeHelp)
    .exitOverride(({ exitCode }) => exit(exitCode === 0 ? 0 : 2));

  const command = (name: string, description: string): Command =>
    release
      .command(name)
      .description(description)
      .option("-s, --stack <name>", "the stack whose cluster is meant", env.PULUMI_STACK || defaultStack);
  const onCluster = async (stack: string, work: (api: FullApi) => Promise<number>): Promise<void> => {
    try {
      process.exitCode = await work(await connect(root, stack, env));
    } catch (error) {
      throw explained(error);
    }
  };
  const change = (decide: Decide) => (stack: string) =>
    onCluster(stack, async (api) => {
      screen.print(await carryOut(api, decide, stack, screen.sleep));
      return 0;
    });

  command("status", "show the release: steps, traffic, Pods, measured values, what to do next")
    .option("--json", "print it as JSON")
    .addHelpText("after", exitCodeHelp)
    .action(({ stack, json }: StackOption & { json?: boolean }) =>
      onCluster(stack, async (api) => {
        const picture = pictureOf(await readRelease(api), { stack, now: Date.now() });
        screen.print(json ? JSON.stringify(picture, undefined, 2) : render(picture, screen.colours));
        return exitCodes[picture.state];
      }),
    );
  command("watch", "show it until the release has ended; without a terminal, one line for each change")
    .option("--timeout <seconds>", "stop after so long (default: when the release has ended)", toSeconds)
    .addHelpText("after", exitCodeHelp)
    .action(({ stack, timeout }: StackOption & { timeout?: number }) =>
      onCluster(stack, (api) => watch(api, { stack, timeoutSeconds: timeout }, screen)),
    );
  command("promote", "let a release go on that waits, or that was paused by hand")
    .option("--full", "skip every step, pause and analysis that is left")
    .action(({ stack, full }: StackOption & { full?: boolean }) =>
      change(full ? promoteFull : promote)(stack),
    );
  command("pause", "keep the release where it is until it is promoted").action(({ stack }: StackOption) =>
    change(pause)(stack),
  );
  command("abort", "give the stable version all requests again").action(({ stack }: StackOption) =>
    change(abort)(stack),
  );
  command("retry", "go on with a release that was aborted, from its beginning").action(
    ({ stack }: StackOption) => change(retry)(stack),
  );
  command("undo", "go back to the version before, at once: without steps, pauses and analysis")
    .option("--no-wait", "return as soon as it is under way")
    .option("--timeout <seconds>", "how long to wait until it serves all requests", toSeconds, 300)
    .action(({ stack, wait, timeout }: StackOption & { wait: boolean; timeout: number }) =>
      onCluster(stack, async (api) => {
        const started = Date.now();
        const plan = await undo(api, { stack, wait, timeoutSeconds: timeout }, screen);
        const { target, from } = plan;
        const took = ((Date.now() - started) / 1000).toFixed(1);
        screen.print(
          wait
            ? `Version ${target.version} serves all requests, after ${took} s; version ${from.version} is left behind.`
            : `Version ${target.version} is on its way back; version ${from.version} is being left behind.`,
        );
        const note = settingsNote(plan, stack, configuredVersion(root, stack));
        if (note !== undefined) screen.print(note);
        return 0;
      }),
    );
  command("history", "list the releases that have ended, the newest first").action(({ stack }: StackOption) =>
    onCluster(stack, async (api) => {
      const history = readHistory((await readRelease(api)).records);
      if (history === undefined) {
        throw new UserError(
          "The ConfigMap inventory-releases holds no history that can be read. To begin anew:\n" +
            "  kubectl patch configmap inventory-releases --namespace inventory --type merge " +
            `--patch '{"data":{"history.json":null}}'`,
        );
      }
      screen.print(renderHistory(history));
      return 0;
    }),
  );
  return release;
}

const exitCodeHelp = `
Exit codes:
  status   0 healthy, 3 in progress, 4 waits for a promotion, 5 failed
  watch    0 went through, 5 failed; with --timeout also 3 in progress, 4 waits for a promotion
  others   0 done, or so already
  all      1 refused or not possible, with the reason, 2 wrong usage`;

function toSeconds(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) {
    throw new InvalidArgumentError("It takes a whole number of seconds from 1 to 999999.");
  }
  return Number(text);
}

function configuredVersion(root: string, stack: string): unknown {
  const application = readStackSettings(root, stack).config?.["technova:application"];
  return typeof application === "object" && application !== null && "version" in application
    ? application.version
    : undefined;
}
