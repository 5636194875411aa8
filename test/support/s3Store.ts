import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { runCaptured } from "../../tools/engine/processes";

const sources = join(__dirname, "s3");
const binary = resolve(__dirname, "../../.build/test-s3/store");

/** An S3-compatible store of the tests' own: it listens on loopback, and keeps what it has in memory. */
export class S3Store {
  private constructor(
    private readonly process: ChildProcess,
    readonly endpoint: string,
  ) {}

  /** Builds it first, in seconds. */
  static async start(): Promise<S3Store> {
    mkdirSync(join(binary, ".."), { recursive: true });
    const env = { ...process.env, GOFLAGS: "-mod=readonly", GOWORK: "off" };
    const built = await runCaptured("go", ["build", "-o", binary, "."], { cwd: sources, env });
    if (built.code !== 0) throw new Error(`the store could not be built:\n${built.stderr}`);
    const child = spawn(binary, { stdio: ["pipe", "pipe", "inherit"] });
    const [endpoint] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    return new S3Store(child, endpoint);
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
