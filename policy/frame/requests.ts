import { Struct, Value } from "google-protobuf/google/protobuf/struct_pb";
import { AnalyzerService } from "@pulumi/pulumi/proto/analyzer_grpc_pb";
import {
  AnalyzeRequest,
  AnalyzerResourceOptions,
  type ConfigureAnalyzerRequest,
  EnforcementLevel,
} from "@pulumi/pulumi/proto/analyzer_pb";
import { exchangePlainStructs } from "../../tools/plugins/rpc/structs";

interface Method<Request> {
  requestDeserialize: (bytes: Buffer) => Request;
}

/**
 * Has the policy server read the engine's requests as late and as little as it can: properties when a policy wants them,
 * and nothing at all of a resource that nothing will remediate. To be called before the server starts.
 */
export function readRequestsLazily(
  service = AnalyzerService as unknown as Readonly<{
    configure: Method<ConfigureAnalyzerRequest>;
    remediate: Method<AnalyzeRequest>;
  }>,
): void {
  exchangePlainStructs({ Struct, Value });
  const { configure, remediate } = service;
  const readConfiguration = configure.requestDeserialize;
  const readResource = remediate.requestDeserialize;
  // No policy is at this level by itself: it is what a stack configures.
  let remediating = false;
  configure.requestDeserialize = (bytes) => {
    const request = readConfiguration(bytes);
    const levels = [...request.getPolicyconfigMap().entries()].map(([, given]) =>
      given.getEnforcementlevel(),
    );
    remediating = levels.includes(EnforcementLevel.REMEDIATE);
    return request;
  };
  remediate.requestDeserialize = (bytes) => (remediating ? readResource(bytes) : emptyRequest());
}

function emptyRequest(): AnalyzeRequest {
  const request = new AnalyzeRequest();
  request.setProperties(new Struct());
  request.setOptions(new AnalyzerResourceOptions());
  return request;
}
