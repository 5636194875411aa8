/** Writes what the cluster commands are doing, so that nobody waits in front of a silent terminal. */
export class Progress {
  private readonly started = Date.now();

  constructor(
    private readonly write: (line: string) => void = (line) => process.stderr.write(`${line}\n`),
    private readonly heartbeatSeconds = 10,
  ) {}

  line(text: string): void {
    this.write(text);
  }

  /** Runs one stage and prints its time; while it lasts, repeats what it last reported. */
  async stage<T>(title: string, run: (report: (text: string) => void) => Promise<T>): Promise<T> {
    const started = Date.now();
    let latest = "";
    const beat = setInterval(() => {
      this.write(`  … ${title}${latest === "" ? "" : `: ${latest}`} (${seconds(started)})`);
    }, this.heartbeatSeconds * 1000);
    beat.unref();
    try {
      const result = await run((text) => {
        latest = text;
      });
      this.write(`  ${seconds(started).padStart(8)}  ${title}`);
      return result;
    } catch (error) {
      this.write(`  ${seconds(started).padStart(8)}  ${title}: failed`);
      throw error;
    } finally {
      clearInterval(beat);
    }
  }

  /** Time since this object was made, such as `12.3 s`. */
  elapsed(): string {
    return seconds(this.started);
  }
}

function seconds(since: number): string {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
