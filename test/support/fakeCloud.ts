import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** The part of a Pulumi Cloud's API that reading one stack needs; it listens on loopback. */
export class FakeCloud {
  private constructor(
    private readonly server: Server,
    /** What was asked for, as `GET /api/user`. */
    readonly calls: string[],
  ) {}

  /**
   * @param state what the stack's export answers
   * @param updates its history, newest first
   */
  static async start(state: unknown, updates: readonly unknown[]): Promise<FakeCloud> {
    const calls: string[] = [];
    const stack = "/api/stacks/alice/tiny/test";
    const answers: Record<string, unknown> = {
      "/api/user": { githubLogin: "alice", name: "alice", email: "alice@example.com", organizations: [] },
      "/api/user/organizations/default": { GitHubLogin: "alice", Messages: [] },
      "/api/capabilities": { capabilities: [] },
      [stack]: {
        orgName: "alice",
        projectName: "tiny",
        stackName: "test",
        version: 2,
        activeUpdate: "",
        tags: {},
      },
      [`${stack}/export`]: state,
      [`${stack}/updates`]: { updates, total: updates.length },
    };
    const server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? "/", "http://localhost");
      calls.push(`${request.method} ${pathname}`);
      const answer = answers[pathname];
      response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(answer ?? { code: 404, message: "not found" }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new FakeCloud(server, calls);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}
