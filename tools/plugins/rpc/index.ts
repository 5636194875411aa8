import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { Engine, engineArgument } from "./engine";
import type { Provider } from "./provider";
import { serve } from "./serve";
import { providerService } from "./service";

/** Runs `provider` as this process's plugin until its engine goes away. */
export async function serveProvider(provider: Provider): Promise<void> {
  const engine = new Engine(engineArgument(process.argv));
  const cancellation = new AbortController();
  await serve({
    engine,
    register: (server) =>
      server.addService(ResourceProviderService, providerService(provider, engine, cancellation)),
    stop: async () => cancellation.abort(new Error("the engine is gone")),
  });
}
