import type { ServerUnaryCall, ServerWritableStream, UntypedServiceImplementation } from "@grpc/grpc-js";
import * as proto from "@pulumi/pulumi/proto/language_pb";
import { PackageDependency, PackageParameterization, PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import type { Engine } from "../rpc/engine";
import { toServiceError } from "../rpc/errors";
import { unary, unimplemented } from "../rpc/handlers";
import type { Children } from "./children";
import { programCommand } from "./command";
import { installArguments, installationFacts, packageManager } from "./installation";
import { PACKAGE_MANAGERS } from "./options";
import { programDependencies, requiredPackages, type RequiredPackage } from "./packages";
import { runPlugin } from "./plugin";
import { locateRunner, programOutcome } from "./program";
import { programInfo } from "./request";

/** The gRPC methods of the Node language host. */
export function languageService(
  version: string,
  engine: Engine,
  children: Children,
): UntypedServiceImplementation {
  return {
    handshake: unary((request: proto.LanguageHandshakeRequest) => {
      engine.connect(request.getEngineAddress());
      return new proto.LanguageHandshakeResponse();
    }),
    getPluginInfo: unary(() => {
      const response = new PluginInfo();
      response.setVersion(version);
      return response;
    }),
    cancel: unary(async () => {
      await children.endAll();
      return new Empty();
    }),

    run: unary((request: proto.RunRequest, call) => run(request, call, engine, children)),
    runPlugin: (call: ServerWritableStream<proto.RunPluginRequest, proto.RunPluginResponse>) => {
      runPlugin(call, children).catch((error: unknown) => call.emit("error", toServiceError(error)));
    },

    getRequiredPackages: unary((request: proto.GetRequiredPackagesRequest) => {
      const response = new proto.GetRequiredPackagesResponse();
      response.setPackagesList(
        requiredPackages(programInfo(request).programDirectory).map(packageDependency),
      );
      return response;
    }),
    getProgramDependencies: unary((request: proto.GetProgramDependenciesRequest) => {
      const response = new proto.GetProgramDependenciesResponse();
      const { programDirectory } = programInfo(request);
      for (const { name, version } of programDependencies(
        programDirectory,
        request.getTransitivedependencies(),
      )) {
        const dependency = new proto.DependencyInfo();
        dependency.setName(name);
        dependency.setVersion(version);
        response.addDependencies(dependency);
      }
      return response;
    }),
    installDependencies: (
      call: ServerWritableStream<proto.InstallDependenciesRequest, proto.InstallDependenciesResponse>,
    ) => {
      installDependencies(call, children).catch((error: unknown) =>
        call.emit("error", toServiceError(error)),
      );
    },
    about: unary(async (request: proto.AboutRequest) => {
      const { options, programDirectory } = programInfo(request);
      const response = new proto.AboutResponse();
      response.setExecutable(process.execPath);
      response.setVersion(process.version);
      const facts = await installationFacts(options, programDirectory);
      for (const [key, value] of Object.entries(facts)) response.getMetadataMap().set(key, value);
      return response;
    }),
    runtimeOptionsPrompts: unary((request: proto.RuntimeOptionsRequest) => {
      const response = new proto.RuntimeOptionsResponse();
      const options = request.getInfo()?.getOptions()?.toJavaScript() ?? {};
      if (!("packagemanager" in options)) response.addPrompts(packageManagerPrompt());
      return response;
    }),
    template: unary(() => new proto.TemplateResponse()),

    // The engine asks for packages since 3.138, and treats this answer as "nothing more".
    getRequiredPlugins: unimplemented("GetRequiredPlugins"),
    generateProgram: unimplemented("GenerateProgram"),
    generateProject: unimplemented("GenerateProject"),
    generatePackage: unimplemented("GeneratePackage"),
    pack: unimplemented("Pack"),
    link: unimplemented("Link"),
  };
}

async function run(
  request: proto.RunRequest,
  call: ServerUnaryCall<proto.RunRequest, proto.RunResponse>,
  engine: Engine,
  children: Children,
): Promise<proto.RunResponse> {
  const response = new proto.RunResponse();
  try {
    const { options, ...info } = programInfo(request);
    const config: Record<string, string> = {};
    request.getConfigMap().forEach((value: string, key: string) => (config[key] = value));
    const { args, env } = programCommand(
      {
        ...info,
        monitorAddress: request.getMonitorAddress(),
        engineAddress: engine.address,
        organization: request.getOrganization(),
        project: request.getProject(),
        stack: request.getStack(),
        dryRun: request.getDryrun(),
        parallel: request.getParallel(),
        config,
        secretKeys: request.getConfigsecretkeysList(),
        args: request.getArgsList(),
      },
      options,
      locateRunner("@pulumi/pulumi/cmd/run", info.programDirectory),
    );
    let stderr = "";
    const { child, done } = children.start({
      args,
      cwd: process.cwd(),
      env: { ...process.env, ...env },
      onOutput: {
        stdout: (chunk) => process.stdout.write(chunk),
        stderr: (chunk) => {
          stderr = (stderr + chunk.toString()).slice(-65536);
          process.stderr.write(chunk);
        },
      },
    });
    call.on("cancelled", () => void children.end(child));
    const { error, bail } = programOutcome(await done, stderr);
    response.setError(error ?? "");
    response.setBail(bail ?? false);
  } catch (error) {
    // An error of the call itself would be shown as one of the language host; this is the user's to mend.
    response.setError(error instanceof Error ? error.message : String(error));
  }
  return response;
}

async function installDependencies(
  call: ServerWritableStream<proto.InstallDependenciesRequest, proto.InstallDependenciesResponse>,
  children: Children,
): Promise<void> {
  const { options, programDirectory } = programInfo(call.request);
  const manager = packageManager(options, programDirectory);
  const send = (kind: "stdout" | "stderr", chunk: Buffer) => {
    const response = new proto.InstallDependenciesResponse();
    if (kind === "stdout") response.setStdout(chunk);
    else response.setStderr(chunk);
    call.write(response);
  };
  const { child, done } = children.start({
    command: manager,
    args: installArguments(manager, options.production),
    cwd: programDirectory,
    env: process.env,
    onOutput: { stdout: (chunk) => send("stdout", chunk), stderr: (chunk) => send("stderr", chunk) },
  });
  call.on("cancelled", () => void children.end(child));
  const { code } = await done;
  if (code !== 0) throw new Error(`${manager} install ended with code ${code} in ${programDirectory}`);
  call.end();
}

function packageDependency({ name, version, server, parameterization }: RequiredPackage): PackageDependency {
  const dependency = new PackageDependency();
  dependency.setName(name);
  dependency.setKind("resource");
  dependency.setVersion(version);
  dependency.setServer(server);
  if (parameterization) {
    const value = new PackageParameterization();
    value.setName(parameterization.name);
    value.setVersion(parameterization.version);
    value.setValue(parameterization.value);
    dependency.setParameterization(value);
  }
  return dependency;
}

function packageManagerPrompt(): proto.RuntimeOptionPrompt {
  const text = proto.RuntimeOptionPrompt.RuntimeOptionType.STRING;
  const choice = (name: string) => {
    const value = new proto.RuntimeOptionPrompt.RuntimeOptionValue();
    value.setPrompttype(text);
    value.setStringvalue(name);
    value.setDisplayname(name);
    return value;
  };
  const prompt = new proto.RuntimeOptionPrompt();
  prompt.setKey("packagemanager");
  prompt.setDescription("The package manager to use for installing dependencies");
  prompt.setPrompttype(text);
  prompt.setChoicesList(PACKAGE_MANAGERS.map(choice));
  prompt.setDefault(choice("npm"));
  return prompt;
}
