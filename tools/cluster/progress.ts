/** Writes what the cluster commands are doing, so that nobody waits in front of a silent terminal. */
export class Progress {
  private readonly started = Date.now();
  /** What each running stage last reported. */
  private readonly running = new Map<string, string>();
  private beat: NodeJS.Timeout | undefined;

  constructor(
    private readonly write: (line: string) => void = (line) => process.stderr.write(`${line}\n`),
    private readonly heartbeatSeconds = 10,
  ) {}

  line(text: string): void {
    this.write(text);
  }

  /** Runs one stage and prints its time. While stages last, one line now and then tells what they are at. */
  async stage<T>(title: string, run: (report: (text: string) => void) => Promise<T>): Promise<T> {
    const started = Date.now();
    this.running.set(title, "");
    this.beat ??= setInterval(() => this.heartbeat(), this.heartbeatSeconds * 1000).unref();
    try {
      const result = await run((text) => this.running.set(title, text));
      this.write(`  ${seconds(started).padStart(8)}  ${title}`);
      return result;
    } catch (error) {
      this.write(`  ${seconds(started).padStart(8)}  ${title}: failed`);
      throw error;
    } finally {
      this.running.delete(title);
      if (this.running.size === 0) {
        clearInterval(this.beat);
        this.beat = undefined;
      }
    }
  }

  /** Time since this object was made, such as `12.3 s`. */
  elapsed(): string {
    return seconds(this.started);
  }

  private heartbeat(): void {
    const reports = [...this.running].map(([title, report]) => (report === "" ? title : report));
    this.write(`  … ${this.elapsed()}: ${[...new Set(reports)].join(", ")}`);
  }
}

function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
