import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { preparePlugins } from "../../../tools/plugins";

const ROOT = resolve(__dirname, "../../..");
const CLI_VERSION = "3.256.0";

export interface Result {
  readonly code: number | null;
  /** Standard output and error, in the order in which they came. */
  readonly output: string;
}

export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly inputs?: Record<string, unknown>;
  readonly outputs?: Record<string, unknown>;
}

/** The Pulumi CLI: the one that the environment names, the one that the project built, or the one on PATH. */
export function findCli(): string {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  const candidates = [
    process.env.TECHNOVA_TEST_CLI,
    join(cache, "technova-platform/pulumi", CLI_VERSION, "pulumi"),
    ...(process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "pulumi")),
  ];
  const found = candidates.find((path) => path && existsSync(path));
  if (found) return found;
  throw new Error(
    "no Pulumi CLI: run `npm run pulumi -- version` once, which gets one, or set TECHNOVA_TEST_CLI",
  );
}

/** A Pulumi program in a temporary folder, with a backend of its own, run by the real CLI and our plugins. */
export class Workspace {
  private constructor(
    readonly folder: string,
    readonly environment: NodeJS.ProcessEnv,
  ) {}

  static async create(program: string, packages: string[]): Promise<Workspace> {
    const bin = await preparePlugins({ packages, languageHost: true });
    const folder = await mkdtemp(join(tmpdir(), "plugins-test-"));
    const environment: NodeJS.ProcessEnv = {
      ...process.env,
      PATH: [bin, process.env.PATH].join(delimiter),
      PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "a passphrase for tests",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_HOME: join(folder, "home"),
      PULUMI_SKIP_UPDATE_CHECK: "true",
      NO_COLOR: "1",
    };
    const workspace = new Workspace(folder, environment);
    await mkdir(join(folder, "state"));
    await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
    await writeFile(join(folder, "Pulumi.yaml"), PROJECT);
    await workspace.write("package.json", JSON.stringify({ name: "program", main: "index.js" }));
    await workspace.write("index.js", program);
    await workspace.succeed("stack", "init", "test");
    return workspace;
  }

  write(file: string, content: string): Promise<void> {
    return writeFile(join(this.folder, file), content);
  }

  read(file: string): Promise<string> {
    return readFile(join(this.folder, file), "utf8");
  }

  start(...args: string[]): { child: ChildProcess; done: Promise<Result> } {
    const child = spawn(findCli(), ["--non-interactive", ...args], {
      cwd: this.folder,
      env: this.environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const done = new Promise<Result>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve({ code, output }));
    });
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    return { child, done };
  }

  run(...args: string[]): Promise<Result> {
    return this.start(...args).done;
  }

  /** Runs a command that has to succeed, and returns what it printed. */
  async succeed(...args: string[]): Promise<string> {
    const { code, output } = await this.run(...args);
    if (code !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${code}:\n${output}`);
    return output;
  }

  /** The resources of the stack as they are kept, that is with secrets encrypted. */
  async resources(): Promise<StateResource[]> {
    const exported = JSON.parse(await this.succeed("stack", "export")) as {
      deployment: { resources?: StateResource[] };
    };
    return exported.deployment.resources ?? [];
  }

  /** The one resource whose URN ends with `::<name>`. */
  async resource(name: string): Promise<StateResource> {
    const found = (await this.resources()).filter(({ urn }) => urn.endsWith(`::${name}`));
    const [first] = found;
    if (!first || found.length > 1) throw new Error(`${found.length} resources are called ${name}`);
    return first;
  }

  async output(name: string): Promise<string> {
    return (await this.succeed("stack", "output", name, "--show-secrets")).trim();
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}

const PROJECT = `name: program
runtime:
  name: nodejs
  options:
    typescript: false
`;
