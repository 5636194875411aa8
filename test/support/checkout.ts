import { delimiter, dirname, join, resolve } from "node:path";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { findCli } from "../tools/plugins/workspace";
import { runCaptured } from "../../tools/engine/processes";
import { tmpdir } from "node:os";

const ROOT = resolve(__dirname, "../..");

export interface Outcome {
  readonly code: number;
  /** Standard output, then standard error. */
  readonly output: string;
}

/** The project's own commands on this checkout, with a state of their own, no cluster and no way to the network. */
export class Checkout {
  private constructor(
    readonly folder: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  static async create(): Promise<Checkout> {
    const folder = await mkdtemp(join(tmpdir(), "checkout-test-"));
    // Nothing listens on the discard port: whoever tries to go out is told at once.
    const closed = "http://127.0.0.1:9";
    return new Checkout(folder, {
      ...process.env,
      PATH: [dirname(findCli()), process.env.PATH].join(delimiter),
      PULUMI_BACKEND_URL: `file://${folder}`,
      PULUMI_CONFIG_PASSPHRASE: "a passphrase for tests",
      TECHNOVA_CLUSTER_DIR: join(folder, "no-cluster"),
      KUBECONFIG: join(folder, "no-kubeconfig"),
      HTTPS_PROXY: closed,
      HTTP_PROXY: closed,
      NO_PROXY: "127.0.0.1,localhost",
      NO_COLOR: "1",
    });
  }

  async run(...args: readonly string[]): Promise<Outcome> {
    const command = [join(ROOT, "tools/bootstrap.mjs"), ...args];
    const { code, stdout, stderr } = await runCaptured(process.execPath, command, {
      cwd: ROOT,
      env: this.env,
    });
    return { code, output: `${stdout}\n${stderr}` };
  }

  /** Runs the command with the stack's settings changed; answers the file's name too, as messages have it. */
  async runWith(command: readonly string[], stack: string, settings: string): Promise<Outcome> {
    const file = join(this.folder, `Pulumi.${stack}.yaml`);
    await writeFile(file, settings);
    return this.run(...command, "--stack", stack, "--config-file", file);
  }

  /** The types of the resources that the stack's state has; none if it has no state yet. */
  async resourceTypes(stack: string): Promise<readonly string[]> {
    const { code, output } = await this.run("pulumi", "stack", "export", "--stack", stack);
    const json = /^\{.*^\}/ms.exec(output)?.[0];
    if (code !== 0 || json === undefined) throw new Error(`the state of ${stack} cannot be read:\n${output}`);
    const state = JSON.parse(json) as { deployment?: { resources?: readonly { type: string }[] } };
    return (state.deployment?.resources ?? []).map(({ type }) => type);
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}
