import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { UserError } from "../engine/report";
import type { Input } from "./input";

/** This process's standard input. */
export const terminal: Input = {
  interactive: process.stdin.isTTY,
  async all() {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  },
  ask: (question) =>
    new Promise((resolve, reject) => {
      process.stderr.write(question);
      // What is typed is echoed into nothing.
      const output = new Writable({ write: (_chunk, _encoding, done) => done() });
      const lines = createInterface({ input: process.stdin, output, terminal: true, historySize: 0 });
      const end = (work: () => void) => {
        lines.close();
        process.stderr.write("\n");
        work();
      };
      lines.once("line", (line) => end(() => resolve(line)));
      lines.once("SIGINT", () => end(() => reject(new UserError("Given up; nothing was changed."))));
    }),
};
