import {
  Client,
  credentials,
  Server,
  type handleUnaryCall,
  type MethodDefinition,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { AnalyzerService } from "@pulumi/pulumi/proto/analyzer_grpc_pb";
import {
  AnalyzerHandshakeResponse,
  AnalyzerStackConfigureRequest,
  AnalyzerStackConfigureResponse,
} from "@pulumi/pulumi/proto/analyzer_pb";
import { toServiceError } from "../rpc/errors";
import { bindLoopback, UNLIMITED } from "../rpc/serve";
import type { PolicyStack } from "./command";

type Method = keyof typeof AnalyzerService;
type RawMethod = MethodDefinition<Buffer, Buffer>;
type RawHandler = handleUnaryCall<Buffer, Buffer>;

const same = (bytes: Buffer) => bytes;

/**
 * Stands in for a policy pack until the engine has said which stack it is for: a pack reads that from its
 * environment while it loads, so it can only be started then. From there on every call is passed through, as the
 * bytes that it is.
 */
export class PolicyProxy {
  private readonly server = new Server(UNLIMITED);
  private readonly pack = deferred<Client>();
  private readonly stack = deferred<AnalyzerStackConfigureRequest | undefined>();
  private configuration: Buffer | undefined;

  async listen(): Promise<number> {
    const definitions: Record<string, RawMethod> = {};
    const handlers: UntypedServiceImplementation = {};
    for (const [name, definition] of Object.entries(AnalyzerService) as [Method, RawMethod][]) {
      definitions[name] = {
        ...definition,
        requestSerialize: same,
        requestDeserialize: same,
        responseSerialize: same,
        responseDeserialize: same,
      };
      handlers[name] = this.handler(name, definition.path);
    }
    this.server.addService(definitions, handlers);
    return bindLoopback(this.server);
  }

  /** The stack that the engine announced; nothing where it runs a pack without one, as `policy publish` does. */
  async awaitStack(): Promise<PolicyStack | undefined> {
    const stack = await this.stack.promise;
    if (!stack) return undefined;
    const config: Record<string, string> = {};
    stack.getConfigMap().forEach((value: string, key: string) => (config[key] = value));
    return {
      organization: stack.getOrganization(),
      project: stack.getProject(),
      stack: stack.getStack(),
      dryRun: stack.getDryRun(),
      config,
    };
  }

  /** Passes calls on to the pack that listens on `port`, from now on. */
  attach(port: number): void {
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), UNLIMITED);
    if (!this.configuration) return this.pack.resolve(client);
    const path = (AnalyzerService.configureStack as { path: string }).path;
    // Packs on an old SDK do not know this call, which does no harm: they have read their environment.
    client.makeUnaryRequest(path, same, same, this.configuration, () => this.pack.resolve(client));
  }

  /** Every call from now on fails with `reason`. */
  fail(reason: Error): void {
    this.pack.reject(reason);
  }

  close(): void {
    this.stack.resolve(undefined);
    this.pack.reject(new Error("the policy pack has ended"));
    this.pack.promise.then(
      (client) => client.close(),
      () => undefined,
    );
    // Let calls that are just being answered reach the engine.
    this.server.tryShutdown(() => undefined);
    setTimeout(() => this.server.forceShutdown(), 1000).unref();
  }

  private handler(name: Method, path: string): RawHandler {
    if (name === "handshake") {
      const response = Buffer.from(new AnalyzerHandshakeResponse().serializeBinary());
      return (_call, callback) => callback(null, response);
    }
    if (name === "configureStack") {
      const response = Buffer.from(new AnalyzerStackConfigureResponse().serializeBinary());
      return (call, callback) => {
        this.configuration = call.request;
        this.stack.resolve(AnalyzerStackConfigureRequest.deserializeBinary(call.request));
        callback(null, response);
      };
    }
    return (call, callback) => {
      this.stack.resolve(undefined);
      this.pack.promise.then(
        (client) => client.makeUnaryRequest(path, same, same, call.request, callback),
        (error: unknown) => callback(toServiceError(error)),
      );
    };
  }
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(() => undefined); // whoever awaits it sees the error; nobody has to
  return { promise, resolve, reject };
}
