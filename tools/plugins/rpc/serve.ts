import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { Engine } from "./engine";

/** gRPC options: a resource can be as large as it wants to be. */
export const UNLIMITED = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };

const HEALTH_CHECK_MILLISECONDS = 5 * 60 * 1000;
const STOP_MILLISECONDS = 4000;

export interface ServeOptions {
  readonly engine: Engine;
  readonly register: (server: Server) => void;
  /** Ends what the plugin started. The process exits when it resolves, or after four seconds. */
  readonly stop: () => Promise<void>;
}

/**
 * Serves a plugin on a free loopback port and prints that port, which is how the engine finds it.
 *
 * The process ends on SIGINT and SIGTERM, and when its engine is gone: the engine holds the other end of our
 * standard input, so even an engine that was killed closes it.
 */
export async function serve({ engine, register, stop }: ServeOptions): Promise<void> {
  const server = new Server(UNLIMITED);
  register(server);

  let stopping = false;
  const end = (code: number) => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(code), STOP_MILLISECONDS);
    void stop().finally(() => process.exit(code));
  };
  const endUnlessEngineAnswers = async () => {
    if (!(await engine.isAlive())) end(0);
  };

  process.on("SIGINT", () => end(0));
  process.on("SIGTERM", () => end(0));
  // Once the engine is gone so are the pipes; a write to them must not keep the plugin from ending in order.
  process.stdout.on("error", () => void endUnlessEngineAnswers());
  process.stderr.on("error", () => void endUnlessEngineAnswers());
  setInterval(() => void endUnlessEngineAnswers(), HEALTH_CHECK_MILLISECONDS).unref();

  const port = await bindLoopback(server);
  process.stdout.write(`${port}\n`);

  process.stdin.on("end", () => void endUnlessEngineAnswers());
  process.stdin.on("error", () => void endUnlessEngineAnswers());
  process.stdin.resume();
}

/** Lets the kernel choose a free loopback port, and returns it. */
export function bindLoopback(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
}
