import type { Provider, ResourceOperation } from "../../../tools/plugins/rpc/provider";
import type { PropertyMap } from "../../../tools/plugins/rpc/values";

/** Calls a provider's operations for one resource, without an engine. */
export function resource(provider: Provider, type: string) {
  const log: string[] = [];
  const operation: ResourceOperation = {
    urn: `urn:pulumi:test::program::${type}::subject`,
    type,
    name: "subject",
    signal: new AbortController().signal,
    log: (severity, message) => log.push(`${severity}: ${message}`),
    status: () => undefined,
  };
  const previous = { olds: {}, oldInputs: {}, ignoreChanges: [], id: "" };
  return {
    log,
    check: (news: PropertyMap) =>
      provider.check({ ...operation, olds: {}, news, randomSeed: new Uint8Array(32) }),
    create: (properties: PropertyMap, preview = false) =>
      provider.create({ ...operation, properties, preview, timeoutSeconds: 0 }),
    diff: (olds: PropertyMap, news: PropertyMap, oldInputs: PropertyMap = {}) =>
      provider.diff({ ...operation, ...previous, olds, oldInputs, news }),
    update: (olds: PropertyMap, news: PropertyMap, preview = false) =>
      provider.update({ ...operation, ...previous, olds, news, preview, timeoutSeconds: 0 }),
    read: (id: string, properties: PropertyMap = {}, inputs: PropertyMap = {}) =>
      provider.read({ ...operation, id, properties, inputs }),
    remove: (id: string, properties: PropertyMap = {}) =>
      provider.delete({ ...operation, id, properties, oldInputs: {}, timeoutSeconds: 0 }),
  };
}
