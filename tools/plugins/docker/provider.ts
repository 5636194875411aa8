import { status } from "@grpc/grpc-js";
import { RpcError } from "../rpc/errors";
import { text } from "../rpc/fields";
import type { Provider } from "../rpc/provider";
import { withoutSecrets, type PropertyMap } from "../rpc/values";
import type { Credentials } from "./credentials";
import { checkImage, createImage, diffImage, matching, readImage, updateImage } from "./image";
import { registryDigest } from "./registry";
import {
  createRegistryImage,
  createRemoteImage,
  deleteRegistryImage,
  deleteRemoteImage,
  diffByName,
  readRegistryImage,
  readRemoteImage,
} from "./registry-image";

type Operations = Pick<Provider, "check" | "diff" | "create" | "read" | "update" | "delete">;

/** Images, through the docker command and the daemon that it talks to. */
export function dockerProvider(version: string): Provider {
  let registries: Credentials[] = [];

  const image: Operations = {
    check: async (request) => checkImage(request),
    diff: async (request) => diffImage(request),
    create: (request) => createImage(request, registries),
    read: (request) => readImage(request, registries),
    update: (request) => updateImage(request, registries),
    delete: async () => undefined, // the image stays in its registry: what runs may still need it
  };
  const registryImage: Operations = {
    check: async ({ news }) => ({ inputs: news, failures: unsupportedBuild(news) }),
    diff: async (request) => diffByName(["name", "triggers"])(request),
    create: (request) => createRegistryImage(request, registries),
    read: (request) => readRegistryImage(request, registries),
    update: async ({ olds, news }) => ({ ...olds, ...news }),
    delete: (request) => deleteRegistryImage(request, registries),
  };
  const remoteImage: Operations = {
    check: async ({ news }) => ({ inputs: news, failures: unsupportedBuild(news) }),
    diff: async (request) => diffByName(["name", "platform", "pullTriggers", "triggers"])(request),
    create: (request) => createRemoteImage(request, registries),
    read: readRemoteImage,
    update: async ({ olds, news }) => ({ ...olds, ...news }),
    delete: deleteRemoteImage,
  };
  const types: Record<string, Operations> = {
    "docker:index/image:Image": image,
    "docker:index/registryImage:RegistryImage": registryImage,
    "docker:index/remoteImage:RemoteImage": remoteImage,
  };
  const operationsOf = (type: string): Operations => {
    const operations = types[type];
    if (!operations) throw needsOfficial(type, version);
    return operations;
  };

  return {
    version,
    configure: async ({ args }) => {
      const plain = withoutSecrets(args);
      if (text(plain, "host")) process.env.DOCKER_HOST = text(plain, "host");
      registries = registryLogins(text(plain, "registryAuth"));
    },
    check: (request) => operationsOf(request.type).check(request),
    diff: (request) => operationsOf(request.type).diff(request),
    create: (request) => operationsOf(request.type).create(request),
    read: (request) => operationsOf(request.type).read(request),
    update: (request) => operationsOf(request.type).update(request),
    delete: (request) => operationsOf(request.type).delete(request),
    invoke: async ({ token, args, signal }) => {
      if (token !== "docker:index/getRegistryImage:getRegistryImage") throw needsOfficial(token, version);
      const name = text(args, "name");
      const sha256Digest = await registryDigest(name, {
        signal,
        credentials: registries.find(matching(name)),
      });
      if (!sha256Digest) throw new Error(`there is no image ${name} in its registry`);
      return { result: { ...args, id: sha256Digest, sha256Digest } };
    },
  };
}

/** The provider's `registryAuth`: the engine sends nested configuration as JSON. */
function registryLogins(json: string): Credentials[] {
  if (!json) return [];
  const entries = JSON.parse(json) as { address: string; username?: string; password?: string }[];
  return entries.flatMap(({ address, username, password }) =>
    username ? [{ server: address, username, password: password ?? "" }] : [],
  );
}

function unsupportedBuild(inputs: PropertyMap) {
  if (inputs.build === undefined) return [];
  return [{ property: "build", reason: "building here is not supported by this plugin; use docker.Image" }];
}

function needsOfficial(token: string, version: string): RpcError {
  return new RpcError(
    status.UNIMPLEMENTED,
    `${token} needs the official plugin. Where downloads are possible, run: pulumi plugin install resource docker ${version}`,
  );
}
