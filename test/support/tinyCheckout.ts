import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { runCaptured } from "../../tools/engine/processes";
import { capturePulumi } from "../../tools/engine/run";
import { findCli } from "../tools/plugins/workspace";

const root = resolve(__dirname, "../..");

/** Takes seconds where everything else is; its image and its secret are what the settings say. */
const program = `
const pulumi = require("@pulumi/pulumi");
const { RandomString } = require("@pulumi/random");
const { createHash } = require("node:crypto");
const config = new pulumi.Config();
const application = config.requireObject("application");
const secrets = config.getSecretObject("secrets") ?? pulumi.secret({});
new RandomString("tag", { length: application.length, keepers: { version: application.version } });
new RandomString("slow", { length: 8, keepers: { version: application.version } });
if (application.fails) throw new pulumi.RunError("told to fail");
exports.image = application.image.digest
  ? "registry.example/" + application.image.repository + "@" + application.image.digest
  : "registry.example/" + application.image.build.repository + "@sha256:" + application.version.at(-1).repeat(64);
exports.seen = secrets.apply((all) => createHash("sha256").update(String(all.database)).digest("hex"));
exports.program = "first";
`;

/** A checkout of another, tiny project that the platform's own commands work on: the real CLI, a state of its own. */
export class TinyCheckout {
  private constructor(
    readonly root: string,
    readonly env: NodeJS.ProcessEnv,
  ) {}

  /** @param backend address of its state; a folder in it if left out */
  static create(backend?: string): TinyCheckout {
    const folder = mkdtempSync(join(tmpdir(), "rollback-test-"));
    const state = backend && { PULUMI_BACKEND_URL: backend, PULUMI_CONFIG_PASSPHRASE: "for tests" };
    const tiny = new TinyCheckout(folder, {
      ...process.env,
      PATH: [dirname(findCli()), process.env.PATH].join(delimiter),
      PULUMI_HOME: join(folder, ".home"),
      NO_COLOR: "1",
      ...state,
    });
    tiny.write("Pulumi.yaml", "name: tiny\nruntime:\n  name: nodejs\n  options: { typescript: false }\n");
    tiny.write("package.json", JSON.stringify({ name: "tiny", main: "index.js" }));
    tiny.write("index.js", program);
    tiny.write("components/manifests.lock.json", "[]");
    tiny.write(".gitignore", ".pulumi-state/\n.build/\nnode_modules\n");
    cpSync(join(root, "tools/engine/cli"), join(folder, "tools/engine/cli"), { recursive: true });
    for (const name of ["node_modules", "policy"]) symlinkSync(join(root, name), join(folder, name));
    return tiny;
  }

  /** Another one with the same settings, state and history. */
  copy(): TinyCheckout {
    const folder = mkdtempSync(join(tmpdir(), "rollback-test-"));
    cpSync(this.root, folder, { recursive: true, verbatimSymlinks: true });
    return new TinyCheckout(folder, { ...this.env });
  }

  write(path: string, text: string): void {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), "utf8");
  }

  /** Runs the CLI as the platform's commands do. */
  async pulumi(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await capturePulumi(this.root, args, this.env);
    if (code !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${code}:\n${stdout}${stderr}`);
    return stdout;
  }

  /** Without the policies, which take most of the time: what they find here is no matter of the tests. */
  up(...args: string[]): Promise<string> {
    return this.pulumi("up", "--yes", "--skip-preview", "--non-interactive", "--stack", "test", ...args);
  }

  async git(...args: string[]): Promise<string> {
    const who = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"];
    const { code, stdout, stderr } = await runCaptured("git", [...who, ...args], {
      cwd: this.root,
      env: this.env,
    });
    if (code !== 0) throw new Error(`git ${args.join(" ")}: ${stderr}`);
    return stdout.trim();
  }

  async output(name: string): Promise<string> {
    return (await this.pulumi("stack", "output", name, "--show-secrets", "--stack", "test")).trim();
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}
