import { Metadata, status, type ServiceError } from "@grpc/grpc-js";
import { ErrorResourceInitFailed } from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { encodeProperties } from "./struct";
import type { PropertyMap } from "./values";

/** A failure with a gRPC status code that means something to the engine, such as `status.UNIMPLEMENTED`. */
export class RpcError extends Error {
  constructor(
    readonly code: status,
    message: string,
  ) {
    super(message);
  }
}

/**
 * The resource exists but did not become ready. The engine keeps `id` and `properties` in state, reports
 * `reasons`, and tries to finish the work with an update next time.
 */
export class InitializationFailed extends Error {
  constructor(
    readonly id: string,
    readonly properties: PropertyMap,
    readonly inputs: PropertyMap,
    readonly reasons: string[],
    message = reasons.join("\n"),
  ) {
    super(message);
  }
}

export function toServiceError(error: unknown): Partial<ServiceError> {
  if (error instanceof InitializationFailed) return initializationError(error);
  const message = error instanceof Error ? error.message : String(error);
  return { code: error instanceof RpcError ? error.code : status.UNKNOWN, details: message };
}

function initializationError(error: InitializationFailed): Partial<ServiceError> {
  const detail = new ErrorResourceInitFailed();
  detail.setId(error.id);
  detail.setProperties(encodeProperties(error.properties));
  detail.setInputs(encodeProperties(error.inputs));
  detail.setReasonsList(error.reasons);

  const packed = new Any();
  packed.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const rich = new Status();
  rich.setCode(status.UNKNOWN);
  rich.setMessage(error.message);
  rich.addDetails(packed);

  const metadata = new Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(rich.serializeBinary()));
  return { code: status.UNKNOWN, details: error.message, metadata };
}
