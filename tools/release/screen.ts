import { setTimeout as sleep } from "node:timers/promises";
import { cut } from "./text";

/** Where the commands write, and how they wait. */
export interface Screen {
  readonly isTerminal: boolean;
  readonly colours: boolean;
  /** The answer of a command, with a line break after it. */
  print(text: string): void;
  /** A remark beside the answer. */
  note(text: string): void;
  /** What goes on at the moment: one line that is written over on a terminal, else a line for each change. */
  progress(text: string): void;
  /** Shows a picture in the place of the one before; for terminals only. */
  redraw(text: string): void;
  sleep(milliseconds: number): Promise<unknown>;
}

/** Colours are for terminals, and for those who have not said NO_COLOR. */
export function wantsColours(isTerminal: boolean, env: NodeJS.ProcessEnv): boolean {
  return isTerminal && !env.NO_COLOR;
}

export interface Streams {
  readonly out: Pick<NodeJS.WriteStream, "write" | "isTTY" | "columns" | "rows">;
  readonly err: Pick<NodeJS.WriteStream, "write" | "isTTY" | "columns">;
}

export function screenOn({ out, err }: Streams, env: NodeJS.ProcessEnv): Screen {
  let drawn = 0;
  let said = "";
  const endProgress = () => {
    if (said !== "" && err.isTTY) err.write("\r\u001b[K");
    said = "";
  };
  return {
    isTerminal: out.isTTY === true,
    colours: wantsColours(out.isTTY === true, env),
    print(text) {
      endProgress();
      out.write(`${text}\n`);
    },
    note(text) {
      endProgress();
      err.write(`${text}\n`);
    },
    progress(text) {
      // Without what changes with the clock alone.
      const change = text.replace(/\d+ s\b/, "");
      if (err.isTTY) err.write(`\r\u001b[K${cut(text, (err.columns || 80) - 1)}`);
      else if (change !== said) err.write(`${text}\n`);
      said = change;
    },
    redraw(text) {
      const lines = fitting(text, out.columns || 80, out.rows || 24);
      if (drawn > 0) out.write(`\u001b[${drawn}A\r\u001b[J`);
      out.write(`${lines.join("\n")}\n`);
      drawn = lines.length;
    },
    sleep: (milliseconds) => sleep(milliseconds),
  };
}

/** A line that wraps, or a picture that scrolls, could not be drawn over. */
function fitting(text: string, columns: number, rows: number): string[] {
  const lines = text.split("\n").slice(0, Math.max(1, rows - 1));
  return lines.map((line) => clip(line, columns));
}

// The colours' own codes take no room.
const colour = /\u001b\[\d+m/g;

function clip(line: string, columns: number): string {
  if (line.replace(colour, "").length <= columns) return line;
  return cut(line.replace(colour, ""), columns);
}
