import { isPropertyMap, type PropertyMap, type PropertyValue } from "../../rpc/values";
import { list, text } from "../object";

/** The API server's own answer to a request that it refused. */
export class ApiError extends Error {
  constructor(
    readonly code: number,
    readonly reason: string,
    message: string,
    readonly details: PropertyMap = {},
    readonly retryAfterSeconds = 0,
  ) {
    super(message);
  }

  /** What kind of thing was not found: a missing namespace differs from a missing object. */
  get missing(): string {
    return text(this.details, "kind");
  }
}

/** No answer, or half of one: the request may have been carried out or not. */
export class ConnectionError extends Error {
  constructor(
    message: string,
    /** Whether the server cannot have seen the request. */
    readonly neverSent: boolean,
  ) {
    super(message);
  }
}

/** The API server has no such kind (yet). */
export class UnknownKindError extends Error {
  constructor(
    readonly apiVersion: string,
    readonly kind: string,
  ) {
    super(
      `the cluster has no kind ${kind} in ${apiVersion}; check that its custom resource definition is installed, ` +
        "and that this resource depends on it when the same program creates both",
    );
  }
}

export function apiError(code: number, body: PropertyValue, retryAfter: string | undefined): ApiError {
  const status = isPropertyMap(body) ? body : {};
  const fallback =
    typeof body === "string" && body !== "" ? body : `the API server answered with status ${code}`;
  const details = isPropertyMap(status.details) ? status.details : {};
  return new ApiError(
    code,
    text(status, "reason"),
    text(status, "message") || fallback,
    details,
    Number(retryAfter) || 0,
  );
}

export const isNotFound = (error: unknown) => error instanceof ApiError && error.code === 404;
export const isForbidden = (error: unknown) => error instanceof ApiError && error.code === 403;
export const isAlreadyExists = (error: unknown) =>
  error instanceof ApiError && error.code === 409 && error.reason === "AlreadyExists";

/** Somebody changed the object between our reading and our writing it; reading again helps. */
export const isStale = (error: unknown) =>
  error instanceof ApiError && error.code === 409 && error.reason === "Conflict" && !isFieldConflict(error);

/** Somebody else manages a field that we want to change. */
export const isFieldConflict = (error: unknown) =>
  error instanceof ApiError &&
  error.code === 409 &&
  list(error.details, "causes").some((cause) => text(cause, "reason") === "FieldManagerConflict");

export const isNamespaceMissing = (error: unknown) =>
  error instanceof ApiError && error.code === 404 && error.missing === "namespaces";
