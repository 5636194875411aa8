import { status, type handleUnaryCall, type sendUnaryData, type ServerUnaryCall } from "@grpc/grpc-js";
import { RpcError, toServiceError } from "./errors";

/** Wraps an async function as a gRPC handler. What it throws becomes the call's status. */
export function unary<Request, Response>(
  answer: (request: Request, call: ServerUnaryCall<Request, Response>) => Promise<Response> | Response,
): handleUnaryCall<Request, Response> {
  return (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>) => {
    Promise.resolve()
      .then(() => answer(call.request, call))
      .then(
        (response) => callback(null, response),
        (error: unknown) => callback(toServiceError(error)),
      );
  };
}

/** A method that this plugin does not have; the engine knows what to do without each of them. */
export function unimplemented(method: string): handleUnaryCall<unknown, never> {
  return unary((): never => {
    throw new RpcError(status.UNIMPLEMENTED, `${method} is not implemented by this plugin`);
  });
}
