/** For what a test knows to be there. */
export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("something that has to be there is missing");
  return value;
}
