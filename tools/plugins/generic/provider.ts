import { status } from "@grpc/grpc-js";
import { RpcError } from "../rpc/errors";
import type { DiffKind, Provider } from "../rpc/provider";
import { sameValue, type PropertyMap } from "../rpc/values";

/**
 * Previews any package without knowing it: inputs are taken as they are, outputs are unknown until applied.
 * Nothing is ever applied: each operation that would touch the real thing fails with the command that installs
 * the official plugin, and leaves state as it was.
 */
export function genericProvider(packageName: string, version: string): Provider {
  const refuse = (operation: string): never => {
    throw new RpcError(status.FAILED_PRECONDITION, refusal(packageName, version, operation));
  };
  return {
    version,
    check: async ({ news }) => ({ inputs: news }),
    diff: async ({ oldInputs, news }) => {
      const detailed = inputDifferences(oldInputs, news);
      return { changes: Object.keys(detailed).length > 0, detailed };
    },
    // What is not among the inputs stays unknown: the engine adds no outputs of its own in a preview.
    create: async ({ properties, preview, name }) =>
      preview ? { id: "", properties } : refuse(`create ${name}`),
    update: async ({ olds, news, preview, name }) =>
      preview ? { ...olds, ...news } : refuse(`update ${name}`),
    read: async ({ name }) => refuse(`read ${name}`),
    delete: async ({ name }) => refuse(`delete ${name}`),
    invoke: async ({ token }) => refuse(`call ${token}`),
  };
}

/** The top-level inputs that differ. */
export function inputDifferences(
  olds: PropertyMap,
  news: PropertyMap,
): Record<string, { kind: DiffKind; inputDiff: boolean }> {
  const differences: Record<string, { kind: DiffKind; inputDiff: boolean }> = {};
  for (const key of new Set([...Object.keys(olds), ...Object.keys(news)])) {
    // Keys such as __defaults are the official plugin's own notes; they come and go without a change.
    if (key.startsWith("__") || sameValue(olds[key], news[key])) continue;
    const kind = key in olds ? (key in news ? "update" : "delete") : "add";
    differences[key] = { kind, inputDiff: true };
  }
  return differences;
}

export function refusal(packageName: string, version: string, operation: string): string {
  const command = `pulumi plugin install resource ${packageName} ${version}`.trimEnd();
  return (
    `cannot ${operation}: the official plugin of "${packageName}" is not installed, and without it this package ` +
    `can only be previewed. Where downloads are possible, run: ${command}`
  );
}
