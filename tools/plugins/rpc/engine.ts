import { credentials, status, type ServiceError } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import type { Severity } from "./provider";
import { UNLIMITED } from "./serve";

const SEVERITIES: Record<Severity, LogSeverity> = {
  debug: LogSeverity.DEBUG,
  info: LogSeverity.INFO,
  warning: LogSeverity.WARNING,
  error: LogSeverity.ERROR,
};

export interface LogMessage {
  readonly severity: Severity;
  readonly message: string;
  /** The resource that it is about. */
  readonly urn?: string;
  /** Shown only until the next message of that resource. */
  readonly ephemeral?: boolean;
}

/** The way back to the engine that started this plugin. Its address can come late, with the handshake. */
export class Engine {
  private client: EngineClient | undefined;

  constructor(public address = "") {}

  connect(address: string): void {
    if (address === this.address && this.client) return;
    this.client?.close();
    this.client = undefined;
    this.address = address;
  }

  /** Fire and forget: a message that cannot be delivered has nobody left to read it. */
  log({ severity, message, urn = "", ephemeral = false }: LogMessage): void {
    const request = new LogRequest();
    request.setSeverity(SEVERITIES[severity]);
    request.setMessage(message);
    request.setUrn(urn);
    request.setEphemeral(ephemeral);
    this.open()?.log(request, () => undefined);
  }

  /** Whether an engine is still there. One that is only slow is: a busy machine must not cost a deployment its plugins. */
  isAlive(): Promise<boolean> {
    const client = this.open();
    if (!client) return Promise.resolve(false);
    const nothing = Buffer.alloc(0);
    return new Promise((resolve) => {
      client.makeUnaryRequest(
        "/grpc.health.v1.Health/Check",
        () => nothing,
        (bytes) => bytes,
        nothing,
        { deadline: Date.now() + 20_000 },
        (error: ServiceError | null) => resolve(error?.code !== status.UNAVAILABLE),
      );
    });
  }

  private open(): EngineClient | undefined {
    if (!this.address) return undefined;
    this.client ??= new EngineClient(this.address, credentials.createInsecure(), UNLIMITED);
    return this.client;
  }
}

/** The engine's address as the engine passes it: the one argument that is no flag. */
export function engineArgument(argv: string[]): string | undefined {
  return argv.slice(2).findLast((argument) => /^[^-].*:\d+$/.test(argument));
}
