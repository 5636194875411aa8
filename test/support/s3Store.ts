import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { runCaptured } from "../../tools/engine/processes";

const sources = join(__dirname, "s3");
const binary = resolve(__dirname, "../../.build/test-s3/store");

/** An S3-compatible store of the tests' own, which keeps what it has in memory. */
export class S3Store {
  private constructor(
    private readonly process: ChildProcess,
    readonly endpoint: string,
  ) {}

  /**
   * Builds it first, in seconds.
   * @param reachedAt address of this machine by which others reach it; it listens on loopback alone if left out
   */
  static async start(reachedAt?: string): Promise<S3Store> {
    mkdirSync(join(binary, ".."), { recursive: true });
    const env = { ...process.env, GOFLAGS: "-mod=readonly", GOWORK: "off" };
    const built = await runCaptured("go", ["build", "-o", binary, "."], { cwd: sources, env });
    if (built.code !== 0) throw new Error(`the store could not be built:\n${built.stderr}`);
    // The address may be one that comes and goes with a cluster, so it listens on all of them.
    const listen = reachedAt === undefined ? [] : ["0.0.0.0:0"];
    const child = spawn(binary, listen, { stdio: ["pipe", "pipe", "inherit"] });
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    const { port } = new URL(line);
    return new S3Store(child, `http://${reachedAt ?? "127.0.0.1"}:${port}`);
  }

  /** For PULUMI_BACKEND_URL. */
  url(bucket: string): string {
    return `s3://${bucket}?region=us-east-1&endpoint=${this.endpoint}&s3ForcePathStyle=true`;
  }

  /** Whatever it is told is good: it checks no signature. */
  static readonly credentials = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" };

  async stop(): Promise<void> {
    const ended = once(this.process, "exit");
    this.process.stdin?.end();
    await ended;
  }
}
