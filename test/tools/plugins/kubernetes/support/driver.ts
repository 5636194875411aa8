import type { ResourceOperation } from "../../../../../tools/plugins/rpc/provider";
import type { PropertyMap } from "../../../../../tools/plugins/rpc/values";
import { kubernetesProvider } from "../../../../../tools/plugins/kubernetes/provider";
import { present } from "./present";

/** Speaks to the provider as the engine does. */
export class Driver {
  readonly provider = kubernetesProvider();
  readonly messages: string[] = [];
  readonly statuses: string[] = [];
  readonly cancellation = new AbortController();

  static async configured(args: PropertyMap): Promise<Driver> {
    const driver = new Driver();
    await driver.provider.configure?.({ args, urn: "", signal: driver.cancellation.signal });
    return driver;
  }

  operation(type: string, name = "web"): ResourceOperation {
    return {
      urn: `urn:pulumi:test::project::${type}::${name}`,
      type,
      name,
      signal: this.cancellation.signal,
      log: (_severity, message) => void this.messages.push(message),
      status: (message) => void this.statuses.push(message),
    };
  }

  async check(type: string, news: PropertyMap, olds: PropertyMap = {}): Promise<PropertyMap> {
    const randomSeed = new Uint8Array([7]);
    const result = await this.provider.check({ ...this.operation(type), news, olds, randomSeed });
    const [failure] = result.failures ?? [];
    if (failure) throw new Error(failure.reason);
    return result.inputs;
  }

  async create(type: string, news: PropertyMap, more: { preview?: boolean; timeoutSeconds?: number } = {}) {
    const inputs = await this.check(type, news);
    const request = {
      ...this.operation(type),
      properties: inputs,
      preview: false,
      timeoutSeconds: 0,
      ...more,
    };
    return { inputs, ...(await this.provider.create(request)) };
  }

  diff(type: string, state: PropertyMap, news: PropertyMap, ignoreChanges: string[] = []) {
    const request = { ...this.operation(type), id: "", olds: state, oldInputs: {}, news, ignoreChanges };
    return this.provider.diff(request);
  }

  async update(
    type: string,
    state: PropertyMap,
    news: PropertyMap,
    more: { preview?: boolean; ignoreChanges?: string[] } = {},
  ) {
    const request = { ...this.operation(type), id: "", olds: state, oldInputs: {}, news, ignoreChanges: [] };
    return this.provider.update({ ...request, preview: false, timeoutSeconds: 0, ...more });
  }

  async isGone(type: string, id: string): Promise<boolean> {
    const request = { ...this.operation(type), id, properties: {}, inputs: {} };
    return (await this.provider.read(request)) === undefined;
  }

  /** Fails when the object is gone. */
  async read(type: string, id: string, properties: PropertyMap = {}, inputs: PropertyMap = {}) {
    return present(await this.provider.read({ ...this.operation(type), id, properties, inputs }));
  }

  delete(type: string, id: string, properties: PropertyMap, timeoutSeconds = 0) {
    return this.provider.delete({ ...this.operation(type), id, properties, oldInputs: {}, timeoutSeconds });
  }
}

/** What the promise fails with. */
export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("it should have failed");
}
