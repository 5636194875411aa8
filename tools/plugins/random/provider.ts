import { status } from "@grpc/grpc-js";
import { RpcError } from "../rpc/errors";
import type { DiffKind, Provider } from "../rpc/provider";
import { containsUnknown, sameValue, Secret, Unknown, withoutSecrets, type PropertyMap } from "../rpc/values";
import { comparable, fieldFailures, withDefaults } from "./arguments";
import { randomPassword, randomString } from "./characters";
import { randomPet, randomShuffle } from "./choices";
import { randomUuid, randomUuid7 } from "./identifiers";
import type { Kind } from "./kind";
import { randomBytesKind, randomId, randomInteger } from "./numbers";

const KINDS: Record<string, Kind> = {
  "random:index/randomBytes:RandomBytes": randomBytesKind,
  "random:index/randomId:RandomId": randomId,
  "random:index/randomInteger:RandomInteger": randomInteger,
  "random:index/randomPassword:RandomPassword": randomPassword,
  "random:index/randomPet:RandomPet": randomPet,
  "random:index/randomShuffle:RandomShuffle": randomShuffle,
  "random:index/randomString:RandomString": randomString,
  "random:index/randomUuid4:RandomUuid4": randomUuid,
  "random:index/randomUuid7:RandomUuid7": randomUuid7,
  "random:index/randomUuid:RandomUuid": randomUuid,
};

/** Random values that are made once and kept in state, until an argument or a keeper changes. */
export function randomProvider(version: string): Provider {
  return {
    version,
    check: async ({ type, news }) => {
      const kind = kindOf(type);
      const failures = fieldFailures(kind.fields, news);
      if (!failures.length && kind.failures && !containsUnknown(news)) {
        failures.push(...kind.failures(complete(kind, withoutSecrets(news))));
      }
      return { inputs: news, failures };
    },
    diff: async ({ type, olds, news }) => {
      const detailed = differences(kindOf(type), olds, news);
      const replaces = Object.keys(detailed);
      return { changes: replaces.length > 0, replaces, detailed };
    },
    create: async ({ type, properties, preview }) => {
      const kind = kindOf(type);
      const values = complete(kind, properties);
      if (preview) return { id: "", properties: state(kind, values, unknownOutputs(kind)) };
      const { id, outputs } = await kind.generate(values);
      return { id, properties: state(kind, values, outputs, id) };
    },
    // A value is nowhere but in state, so state is right. Without state, it is being imported.
    read: async ({ type, id, properties, inputs }) => {
      if (Object.keys(properties).length) return { id, properties, inputs };
      const kind = kindOf(type);
      if (!kind.adopt) throw new RpcError(status.UNIMPLEMENTED, `${type} cannot be imported`);
      const adopted = await kind.adopt(id);
      return {
        id: adopted.id,
        properties: state(kind, adopted.values, adopted.outputs, adopted.id),
        inputs: adopted.values,
      };
    },
    // Only changes that do not change the value get here, such as the other name of an argument.
    update: async ({ type, olds, news }) => ({ ...olds, ...complete(kindOf(type), news) }),
    delete: async () => undefined,
  };
}

function kindOf(type: string): Kind {
  const kind = KINDS[type];
  if (!kind) throw new RpcError(status.INVALID_ARGUMENT, `${type} is not a type of the package random`);
  return kind;
}

function complete(kind: Kind, inputs: PropertyMap): PropertyMap {
  const values = withDefaults(kind.fields, inputs);
  return kind.normalize?.(values) ?? values;
}

function differences(kind: Kind, olds: PropertyMap, news: PropertyMap) {
  const before = complete(kind, olds);
  const after = complete(kind, news);
  const found: Record<string, { kind: DiffKind; inputDiff: boolean }> = {};
  for (const name of Object.keys(kind.fields)) {
    const [old, now] = [comparable(before[name]), comparable(after[name])];
    if (sameValue(old, now)) continue;
    const change =
      old === undefined ? "add-replace" : now === undefined ? "delete-replace" : "update-replace";
    found[name] = { kind: change, inputDiff: name in news };
  }
  return found;
}

function unknownOutputs(kind: Kind): PropertyMap {
  return Object.fromEntries(kind.computed.map((name) => [name, Unknown.value]));
}

function state(kind: Kind, values: PropertyMap, outputs: PropertyMap, id?: string): PropertyMap {
  const properties: PropertyMap = { ...values };
  for (const [name, value] of Object.entries(outputs)) {
    properties[name] = kind.secrets.includes(name) ? new Secret(value) : value;
  }
  if (id !== undefined && kind.idIsOutput !== false) properties.id = id;
  if (kind.schemaVersion) properties.__meta = JSON.stringify({ schema_version: String(kind.schemaVersion) });
  return properties;
}
