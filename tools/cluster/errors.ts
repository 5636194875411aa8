/** Something the person at the terminal can act on: printed without a stack trace. */
export class ClusterError extends Error {
  override readonly name = "ClusterError";
}
