import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * A server that answers as it is told, one code after the other, and keeps what it took. A text in the place of a code is
 * sent as it is, and the connection closed.
 */
export class Target {
  readonly taken: unknown[] = [];
  asked = 0;
  private readonly server: Server;

  constructor(private readonly answers: readonly (number | string)[] = [200]) {
    this.server = createServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        const answer = this.answers[Math.min(this.asked++, this.answers.length - 1)] ?? 200;
        if (typeof answer === "string") {
          request.socket.end(answer);
          return;
        }
        if (answer < 300) this.taken.push(JSON.parse(body));
        response.writeHead(answer).end("because");
      });
    });
  }

  async address(): Promise<string> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}

/** Waits until something is so, and fails where it is not in time. */
export async function until(isTrue: () => boolean, milliseconds = 15_000): Promise<void> {
  const end = Date.now() + milliseconds;
  while (!isTrue()) {
    if (Date.now() > end) throw new Error(`not within ${milliseconds} ms: ${isTrue.toString()}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}
