/** A mistake or missing thing that the user can put right; shown without a stack trace. */
export class UserError extends Error {}

/** Lines about what the tool does go to stderr, so that stdout stays what the CLI prints. */
export function report(line: string): void {
  process.stderr.write(`${line}\n`);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Duration for people: `45 s`, `3 min 20 s`. */
export function formatSeconds(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/**
 * Repeats a line while something long runs, and stops by itself when it is done.
 * @param line builds the line from the time gone by.
 */
export async function withProgress<T>(
  line: (elapsed: string) => string,
  work: () => Promise<T>,
  everyMs = 10_000,
): Promise<T> {
  const started = Date.now();
  const timer = setInterval(() => report(line(formatSeconds(Date.now() - started))), everyMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
