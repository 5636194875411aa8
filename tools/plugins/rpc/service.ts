import { status, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { PluginInfo, type PluginAttach } from "@pulumi/pulumi/proto/plugin_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import type { Engine } from "./engine";
import { RpcError } from "./errors";
import { unary, unimplemented } from "./handlers";
import type {
  CheckRequest,
  CheckResult,
  DiffRequest,
  DiffResult,
  Provider,
  ResourceOperation,
} from "./provider";
import { decodeProperties, encodeProperties } from "./struct";
import { sameValue } from "./values";

/** The gRPC methods of a resource provider, each handed to `provider` in plain values. */
export function providerService(
  provider: Provider,
  engine: Engine,
  cancellation: AbortController,
): UntypedServiceImplementation {
  const signal = cancellation.signal;
  const operation = (request: { getUrn(): string }) => describe(request.getUrn(), engine, signal);
  const checkRequest = (request: proto.CheckRequest) => ({ ...operation(request), ...checkFields(request) });
  const diffRequest = (request: proto.DiffRequest | proto.UpdateRequest) => ({
    ...operation(request),
    ...diffFields(request),
  });

  return {
    handshake: unary((request: proto.ProviderHandshakeRequest) => {
      engine.connect(request.getEngineAddress());
      const response = new proto.ProviderHandshakeResponse();
      response.setAcceptSecrets(true);
      response.setSupportsAutonamingConfiguration(true);
      return response;
    }),
    attach: unary((request: PluginAttach) => {
      engine.connect(request.getAddress());
      return new Empty();
    }),
    cancel: unary(() => {
      cancellation.abort(new Error("cancelled"));
      return new Empty();
    }),
    getPluginInfo: unary(() => {
      const response = new PluginInfo();
      response.setVersion(provider.version);
      return response;
    }),
    getSchema: unary(async () => {
      const response = new proto.GetSchemaResponse();
      response.setSchema((await provider.schema?.()) ?? "{}");
      return response;
    }),

    checkConfig: unary(async (request: proto.CheckRequest) => {
      const check = checkRequest(request);
      return checkResponse((await provider.checkConfig?.(check)) ?? { inputs: check.news });
    }),
    diffConfig: unary(async (request: proto.DiffRequest) => {
      const diff = diffRequest(request);
      return diffResponse(
        (await provider.diffConfig?.(diff)) ?? { changes: !sameValue(diff.oldInputs, diff.news) },
      );
    }),
    configure: unary(async (request: proto.ConfigureRequest) => {
      await provider.configure?.({
        args: decodeProperties(request.getArgs()),
        urn: request.getUrn() ?? "",
        signal,
      });
      const response = new proto.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setSupportspreview(true);
      response.setSupportsAutonamingConfiguration(true);
      return response;
    }),

    check: unary(async (request: proto.CheckRequest) =>
      checkResponse(await provider.check(checkRequest(request))),
    ),
    diff: unary(async (request: proto.DiffRequest) =>
      diffResponse(await provider.diff(diffRequest(request))),
    ),
    create: unary(async (request: proto.CreateRequest) => {
      const created = await provider.create({
        ...operation(request),
        properties: decodeProperties(request.getProperties()),
        preview: request.getPreview(),
        timeoutSeconds: request.getTimeout(),
      });
      const response = new proto.CreateResponse();
      response.setId(created.id);
      response.setProperties(encodeProperties(created.properties));
      return response;
    }),
    read: unary(async (request: proto.ReadRequest) => {
      const found = await provider.read({
        ...operation(request),
        id: request.getId(),
        properties: decodeProperties(request.getProperties()),
        inputs: decodeProperties(request.getInputs()),
      });
      const response = new proto.ReadResponse();
      if (!found) return response; // an empty id tells the engine that the resource is gone
      response.setId(found.id);
      response.setProperties(encodeProperties(found.properties));
      response.setInputs(encodeProperties(found.inputs));
      return response;
    }),
    update: unary(async (request: proto.UpdateRequest) => {
      const response = new proto.UpdateResponse();
      const properties = await provider.update({
        ...diffRequest(request),
        preview: request.getPreview(),
        timeoutSeconds: request.getTimeout(),
      });
      response.setProperties(encodeProperties(properties));
      return response;
    }),
    delete: unary(async (request: proto.DeleteRequest) => {
      await provider.delete({
        ...operation(request),
        id: request.getId(),
        properties: decodeProperties(request.getProperties()),
        oldInputs: decodeProperties(request.getOldInputs()),
        timeoutSeconds: request.getTimeout(),
      });
      return new Empty();
    }),
    invoke: unary(async (request: proto.InvokeRequest) => {
      const token = request.getTok();
      if (!provider.invoke) throw new RpcError(status.UNIMPLEMENTED, `this plugin has no function ${token}`);
      const args = decodeProperties(request.getArgs());
      const answer = await provider.invoke({ token, args, preview: request.getPreview(), signal });
      const response = new proto.InvokeResponse();
      if ("result" in answer) response.setReturn(encodeProperties(answer.result));
      else response.setFailuresList(answer.failures.map(checkFailure));
      return response;
    }),

    parameterize: unimplemented("Parameterize"),
    call: unimplemented("Call"),
    construct: unimplemented("Construct"),
    getMapping: unimplemented("GetMapping"),
    getMappings: unimplemented("GetMappings"),
  };
}

function describe(urn: string, engine: Engine, signal: AbortSignal): ResourceOperation {
  // urn:pulumi:<stack>::<project>::<parent type>$<type>::<name>
  const [, , qualifiedType = "", ...name] = urn.split("::");
  return {
    urn,
    type: qualifiedType.slice(qualifiedType.lastIndexOf("$") + 1),
    name: name.join("::"),
    signal,
    log: (severity, message) => engine.log({ severity, message, urn }),
    status: (message) => engine.log({ severity: "info", message, urn, ephemeral: true }),
  };
}

type Fields<Request> = Omit<Request, keyof ResourceOperation>;

function checkFields(request: proto.CheckRequest): Fields<CheckRequest> {
  const modes = { 0: "propose", 1: "enforce", 2: "disable" } as const;
  const autonaming = request.getAutonaming();
  return {
    olds: decodeProperties(request.getOlds()),
    news: decodeProperties(request.getNews()),
    randomSeed: request.getRandomseed_asU8(),
    ...(autonaming && {
      autonaming: { proposedName: autonaming.getProposedName(), mode: modes[autonaming.getMode()] },
    }),
  };
}

function diffFields(request: proto.DiffRequest | proto.UpdateRequest): Fields<DiffRequest> {
  return {
    id: request.getId(),
    olds: decodeProperties(request.getOlds()),
    oldInputs: decodeProperties(request.getOldInputs()),
    news: decodeProperties(request.getNews()),
    ignoreChanges: request.getIgnorechangesList(),
  };
}

function checkResponse({ inputs, failures = [] }: CheckResult): proto.CheckResponse {
  const response = new proto.CheckResponse();
  response.setInputs(encodeProperties(inputs));
  response.setFailuresList(failures.map(checkFailure));
  return response;
}

function checkFailure({ property, reason }: { property: string; reason: string }): proto.CheckFailure {
  const failure = new proto.CheckFailure();
  failure.setProperty(property);
  failure.setReason(reason);
  return failure;
}

const KINDS = {
  add: proto.PropertyDiff.Kind.ADD,
  "add-replace": proto.PropertyDiff.Kind.ADD_REPLACE,
  delete: proto.PropertyDiff.Kind.DELETE,
  "delete-replace": proto.PropertyDiff.Kind.DELETE_REPLACE,
  update: proto.PropertyDiff.Kind.UPDATE,
  "update-replace": proto.PropertyDiff.Kind.UPDATE_REPLACE,
};

function diffResponse(result: DiffResult): proto.DiffResponse {
  const { DIFF_SOME, DIFF_NONE } = proto.DiffResponse.DiffChanges;
  const response = new proto.DiffResponse();
  response.setChanges(result.changes ? DIFF_SOME : DIFF_NONE);
  response.setReplacesList(result.replaces ?? []);
  response.setStablesList(result.stables ?? []);
  response.setDeletebeforereplace(result.deleteBeforeReplace ?? false);
  if (!result.detailed) return response;
  for (const [path, { kind, inputDiff = false }] of Object.entries(result.detailed)) {
    const property = new proto.PropertyDiff();
    property.setKind(KINDS[kind]);
    property.setInputdiff(inputDiff);
    response.getDetaileddiffMap().set(path, property);
  }
  response.setDiffsList(Object.keys(result.detailed).map((path) => path.replace(/[.[].*/s, "")));
  response.setHasdetaileddiff(true);
  return response;
}
