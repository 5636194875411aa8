import * as pulumi from "@pulumi/pulumi";
import { setMocks } from "@pulumi/pulumi/runtime/mocks";
import { specialSecretSig, specialSigKey, unknownValue } from "@pulumi/pulumi/runtime/rpc";

/** JSON, as a resource's inputs are once every Output is resolved. */
export type Json = string | number | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

/** A resource as the program registered it. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  /** Name of the parent; undefined for the stack's own children. */
  readonly parent: string | undefined;
  /** Names of the resources that it waits for, those whose outputs it uses included. */
  readonly dependsOn: string[];
  /** Whether the cluster keeps it when the stack no longer has it. */
  readonly retainOnDelete: boolean;
  readonly protect: boolean;
  /** Inputs whose later changes are left to somebody else. */
  readonly ignoreChanges: string[];
  /** Inputs with `[secret]` and `[unknown]` in the place of what must not or cannot be shown. */
  readonly inputs: JsonObject;
  /** The same with secrets in plain text. */
  readonly plain: JsonObject;
}

export interface Recording<T> {
  readonly resources: readonly Registered[];
  /** What the callback returned. */
  readonly result: T;
  /** The one resource of that type and name; fails when it is not there. */
  one(type: string, name: string): Registered;
  all(type: string): Registered[];
}

export interface RegisterOptions {
  readonly stack?: string;
  /** Whether outputs that only an update would tell are unknown, as in the first preview of a stack. */
  readonly preview?: boolean;
  /** Configuration by full key, values as the engine passes them. */
  readonly config?: Readonly<Record<string, string>>;
  readonly secretKeys?: readonly string[];
}

/**
 * Runs a part of the program against Pulumi's mocks, waits until everything is registered, and says what was.
 */
export async function register<T>(build: () => T, options: RegisterOptions = {}): Promise<Recording<T>> {
  const { stack = "test", preview = false, config = {}, secretKeys = [] } = options;
  const resources: Registered[] = [];
  await setMocks(
    {
      newResource: ({ type, name, inputs }) => ({
        id: preview ? undefined : `${name}-id`,
        state: {
          ...inputs,
          ...named(type, name, inputs as JsonObject),
          ...(preview ? {} : made(type, name)),
        },
      }),
      call: ({ token }) => {
        throw new Error(`the program called ${token}; nothing may be looked up in a preview`);
      },
    },
    "technova",
    stack,
    preview,
  );
  recordRegistrations(resources);
  pulumi.runtime.setAllConfig({ ...config }, [...secretKeys]);
  const result = build();
  await pulumi.runtime.disconnect();
  const all = (type: string) => resources.filter((each) => each.type === type);
  const one = (type: string, name: string) => {
    const found = all(type).find((each) => each.name === name);
    if (found !== undefined) return found;
    throw new Error(`no ${type} is named ${name}; there are: ${all(type).map((each) => each.name)}`);
  };
  return { resources, result, all, one };
}

/** The value of an Output. */
export function valueOf<T>(output: pulumi.Output<T> | undefined): Promise<T> {
  if (output === undefined) throw new Error("there is no such output");
  return new Promise((resolve) => output.apply((value) => resolve(value)));
}

/** The provider's name for a Kubernetes object that the program leaves unnamed. */
function named(type: string, name: string, inputs: JsonObject): JsonObject {
  if (!type.startsWith("kubernetes:")) return {};
  return { metadata: { name: `${name}-1a2b3c4d`, ...(inputs.metadata as JsonObject) } };
}

/** What providers make up. */
function made(type: string, name: string): JsonObject {
  switch (type) {
    case "random:index/randomPassword:RandomPassword":
      return { result: `password-of-${name}` };
    case "tls:index/privateKey:PrivateKey":
      return { privateKeyPem: `key-of-${name}` };
    case "tls:index/certRequest:CertRequest":
      return { certRequestPem: `request-of-${name}` };
    case "tls:index/selfSignedCert:SelfSignedCert":
    case "tls:index/locallySignedCert:LocallySignedCert":
      return { certPem: `certificate-of-${name}` };
    case "docker:index/image:Image":
      return { repoDigest: `localhost:5050/built@sha256:${"ab".repeat(32)}` };
    default:
      return {};
  }
}

interface RegistrationRequest {
  getType(): string;
  getName(): string;
  getParent(): string;
  getDependenciesList(): string[];
  getRetainondelete(): boolean;
  getProtect(): boolean;
  getIgnorechangesList(): string[];
  getObject(): { toJavaScript(): JsonObject };
}

/** Mocks are told neither parents nor dependencies nor what is secret; the request has them all. */
function recordRegistrations(resources: Registered[]): void {
  const monitor = pulumi.runtime.getMonitor() as unknown as {
    registerResource(request: RegistrationRequest, ...rest: unknown[]): unknown;
  };
  const original = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, ...rest) => {
    const object = request.getObject().toJavaScript();
    resources.push({
      type: request.getType(),
      name: request.getName(),
      parent: nameIn(request.getParent()),
      dependsOn: request.getDependenciesList().flatMap((urn) => nameIn(urn) ?? []),
      retainOnDelete: request.getRetainondelete(),
      protect: request.getProtect(),
      ignoreChanges: request.getIgnorechangesList(),
      inputs: shown(object, true) as JsonObject,
      plain: shown(object, false) as JsonObject,
    });
    return original(request, ...rest);
  };
}

function nameIn(urn: string): string | undefined {
  return urn === "" ? undefined : urn.split("::").slice(3).join("::");
}

function shown(value: Json, hideSecrets: boolean): Json {
  if (value === unknownValue) return "[unknown]";
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((each) => shown(each, hideSecrets));
  if (value[specialSigKey] === specialSecretSig) {
    return hideSecrets ? "[secret]" : shown(value.value ?? null, hideSecrets);
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shown(each, hideSecrets)]));
}
