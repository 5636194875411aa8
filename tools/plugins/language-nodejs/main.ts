import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb";
import { version } from "@pulumi/pulumi/package.json";
import { Engine, engineArgument } from "../rpc/engine";
import { serve } from "../rpc/serve";
import { Children } from "./children";
import { languageService } from "./service";

const engine = new Engine(engineArgument(process.argv));
const children = new Children();

void serve({
  engine,
  register: (server) => server.addService(LanguageRuntimeService, languageService(version, engine, children)),
  stop: () => children.endAll(),
});
