import { ApiError, isAlreadyExists, isFieldConflict, isForbidden } from "../cluster/errors";

/** Says what the API server refused and what to do about it. Secrets of the object never get into the message. */
export function explainRefusal(
  error: unknown,
  what: string,
  fieldManager: string,
  redact: (message: string) => string,
): Error {
  if (!(error instanceof Error)) return new Error(redact(`${what}: ${String(error)}`));
  const advice = error instanceof ApiError ? adviceFor(error, fieldManager) : "";
  return new Error(redact(`${what}: ${error.message}${advice}`), { cause: error.name });
}

function adviceFor(error: ApiError, fieldManager: string): string {
  if (isAlreadyExists(error)) {
    return (
      "\nThe object is there already, but not in this stack's state. If an earlier update was interrupted while " +
      "creating it, `npm run up` takes it into the state. If it belongs to somebody else: give this " +
      "resource another name, take the object over with the resource option `import`, or manage single fields " +
      "with a Patch resource."
    );
  }
  if (isFieldConflict(error)) {
    return (
      `\nThese fields are managed by others than ${fieldManager}. Leave them out of the program, or take them ` +
      'over with the annotation pulumi.com/patchForce: "true".'
    );
  }
  if (error.code === 422 && /immutable|may not be changed|updates to .* are forbidden/i.test(error.message)) {
    return "\nThe field cannot be changed in place: replace the object with the resource option `replaceOnChanges`.";
  }
  if (isForbidden(error)) return "\nThe user of the kubeconfig is not allowed to do this.";
  return "";
}
