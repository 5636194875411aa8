import { spawnSync, type SpawnSyncOptions } from "node:child_process";

export interface Measured {
  readonly seconds: number;
  readonly stdout: string;
}

/** Runs a command to its end and takes its wall time. Fails with what it printed unless it exits with 0 in time. */
export function timed(command: string, args: readonly string[], options: SpawnSyncOptions = {}): Measured {
  const began = performance.now();
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: "utf8",
    maxBuffer: 2 ** 30,
    ...options,
  });
  if (error !== undefined && "code" in error && error.code === "ETIMEDOUT")
    throw new Error(
      `${command} ${args.join(" ")} did not end within ${(options.timeout ?? 0) / 60_000} minutes`,
    );
  if (error !== undefined) throw error;
  if (status !== 0)
    throw new Error(`${command} ${args.join(" ")} exited with ${status}:\n${stdout}${stderr}`);
  return { seconds: (performance.now() - began) / 1000, stdout: String(stdout) };
}

/** The least of several runs: what the machine's other work adds is never part of the thing measured. */
export function best(runs: number, run: () => Measured): number {
  return Math.min(...Array.from({ length: runs }, () => run().seconds));
}

/** Prints rows with aligned columns; the first row is the heading. */
export function table(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows) {
    console.log(
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join("  "),
    );
  }
}

export const seconds = (value: number): string => `${value.toFixed(2)} s`;
export const ratio = (value: number): string => `${value.toFixed(2)}x`;
