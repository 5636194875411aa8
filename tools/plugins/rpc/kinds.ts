import { status } from "@grpc/grpc-js";
import { RpcError } from "./errors";
import { comparable, fieldFailures, withDefaults } from "./fields";
import type { Kind } from "./kind";
import type { DiffKind, Provider } from "./provider";
import { containsUnknown, sameValue, Secret, Unknown, withoutSecrets, type PropertyMap } from "./values";

/** A provider of resources that exist in state alone, by type token. */
export function kindsProvider(version: string, kinds: Readonly<Record<string, Kind>>): Provider {
  const kindOf = (type: string): Kind => {
    const kind = kinds[type];
    if (!kind) throw new RpcError(status.INVALID_ARGUMENT, `there is no resource type ${type}`);
    return kind;
  };
  return {
    version,
    check: async ({ type, news }) => {
      const kind = kindOf(type);
      const failures = fieldFailures(kind.fields, news);
      if (!failures.length && kind.failures && !containsUnknown(news)) {
        failures.push(...kind.failures(withoutSecrets(complete(kind, news))));
      }
      return { inputs: news, failures };
    },
    diff: async ({ type, olds, news }) => {
      const kind = kindOf(type);
      const detailed = differences(kind, olds, news);
      const replaces = Object.keys(detailed).filter((name) => detailed[name]?.kind.endsWith("-replace"));
      return { changes: Object.keys(detailed).length > 0, replaces, detailed };
    },
    create: async ({ type, properties, preview }) => {
      const kind = kindOf(type);
      const values = complete(kind, properties);
      if (preview) return { id: "", properties: state(kind, values, unknownOutputs(kind)) };
      const { id, outputs } = await kind.generate(withoutSecrets(values));
      return { id, properties: state(kind, values, outputs, id) };
    },
    read: async ({ type, id, properties, inputs }) => {
      const kind = kindOf(type);
      if (Object.keys(properties).length) {
        // It is nowhere but in state, so state is right; only time has passed.
        const due = kind.expired?.(withoutSecrets(properties));
        return { id, properties: due ? { ...properties, [due]: true } : properties, inputs };
      }
      if (!kind.adopt) throw new RpcError(status.UNIMPLEMENTED, `${type} cannot be imported`);
      const { id: found, values, outputs } = await kind.adopt(id);
      return { id: found, properties: state(kind, values, outputs, found), inputs: values };
    },
    update: async ({ type, olds, news }) => ({
      ...olds,
      ...state(kindOf(type), complete(kindOf(type), news), {}),
    }),
    delete: async () => undefined,
  };
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
    const change = old === undefined ? "add" : now === undefined ? "delete" : "update";
    const inPlace = kind.changeable?.includes(name);
    found[name] = { kind: inPlace ? change : `${change}-replace`, inputDiff: name in news };
  }
  // With the new arguments: a longer period of renewal can be what makes it due.
  const due = kind.expired?.(withoutSecrets({ ...olds, ...after }));
  if (due) found[due] = { kind: "update-replace", inputDiff: false };
  return found;
}

function unknownOutputs(kind: Kind): PropertyMap {
  return Object.fromEntries(kind.computed.map((name) => [name, Unknown.value]));
}

function state(kind: Kind, values: PropertyMap, outputs: PropertyMap, id?: string): PropertyMap {
  const properties: PropertyMap = { ...values, ...outputs };
  for (const name of kind.secrets) {
    const value = properties[name];
    if (value !== undefined && !(value instanceof Secret)) properties[name] = new Secret(value);
  }
  if (id !== undefined && kind.idIsOutput !== false) properties.id = id;
  if (kind.schemaVersion) properties.__meta = JSON.stringify({ schema_version: String(kind.schemaVersion) });
  return properties;
}
