import { createHash } from "node:crypto";
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { ClusterError } from "../errors";
import { exec } from "../exec";
import { ports, registryHost } from "../network";
import { clusterPaths } from "../paths";
import { digestOf, manifestBytes, mediaTypes, type Blob, type Descriptor } from "./layout";
import { localReference, type Reference } from "./reference";
import { RegistryClient } from "./registry-client";

interface DockerImage {
  readonly Config: string;
  readonly RepoTags: readonly string[] | null;
  readonly Layers: readonly string[];
}

interface OciIndex {
  readonly manifests: readonly (Descriptor & { readonly annotations?: Readonly<Record<string, string>> })[];
}

interface OciManifest {
  readonly mediaType?: string;
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
}

/** Pushes an image that dockerd has, or every named image of a docker or OCI archive, to the local registry. */
export async function loadImage(image: string): Promise<void> {
  if (!existsSync(clusterPaths().kubeconfig)) {
    throw new ClusterError("The cluster is not up. Start it with `npm run cluster -- up`.");
  }
  const folder = mkdtempSync(join(tmpdir(), "technova-image-"));
  try {
    const isFile = existsSync(image);
    const archive = isFile ? image : join(folder, "image.tar");
    if (!isFile) await saveFromDocker(image, archive);
    const content = join(folder, "content");
    await exec("sh", [
      "-ec",
      'mkdir "$2"; exec tar -xf "$1" -C "$2" --no-same-owner',
      "unpack",
      archive,
      content,
    ]);
    const client = new RegistryClient({ host: "127.0.0.1", port: ports.registry });
    if (existsSync(join(content, "manifest.json"))) await pushDockerArchive(content, client);
    else if (existsSync(join(content, "index.json"))) await pushOciArchive(content, client);
    else
      throw new ClusterError(
        `${image} is neither a docker archive (manifest.json) nor an OCI one (index.json).`,
      );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function saveFromDocker(image: string, file: string): Promise<void> {
  const socketPath = clusterPaths().dockerSocket;
  const path = `/images/${encodeURIComponent(image)}/get`;
  await new Promise<void>((resolve, reject) => {
    const outgoing = request({ socketPath, path }, (response) => {
      if (response.statusCode === 200) {
        pipeline(response, createWriteStream(file)).then(resolve, reject);
        return;
      }
      response.resume();
      reject(
        new ClusterError(`There is no file ${image}, and the cluster's dockerd has no image of this name.`),
      );
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

async function pushDockerArchive(folder: string, client: RegistryClient): Promise<void> {
  const images = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as DockerImage[];
  for (const image of images) {
    const config = readFileSync(join(folder, image.Config));
    const configBlob: Blob = {
      mediaType: mediaTypes.config,
      digest: digestOf(config),
      size: config.length,
      path: join(folder, image.Config),
    };
    const layers = await Promise.all(image.Layers.map((layer) => layerBlob(join(folder, layer))));
    const manifest = manifestBytes(configBlob, layers);
    for (const name of named(image.RepoTags ?? [])) {
      await push(client, localReference(name), [...layers, configBlob], manifest, mediaTypes.manifest);
    }
  }
}

async function layerBlob(path: string): Promise<Blob> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  const digest = `sha256:${hash.digest("hex")}`;
  return { mediaType: mediaTypes.layer, digest, size: statSync(path).size, path };
}

async function pushOciArchive(folder: string, client: RegistryClient): Promise<void> {
  const blobPath = (digest: string) => join(folder, "blobs", digest.replace(":", "/"));
  const index = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")) as OciIndex;
  for (const entry of index.manifests) {
    const bytes = readFileSync(blobPath(entry.digest));
    const manifest = JSON.parse(bytes.toString("utf8")) as OciManifest;
    const { config, layers } = manifest;
    if (config === undefined || layers === undefined) {
      throw new ClusterError(
        "The archive holds images for several platforms; make one for linux/amd64 alone.",
      );
    }
    const annotations = entry.annotations ?? {};
    const full = annotations["io.containerd.image.name"];
    const name = full ?? annotations["org.opencontainers.image.ref.name"];
    const blobs = [...layers, config].map((blob): Blob => ({ ...blob, path: blobPath(blob.digest) }));
    for (const reference of named(name === undefined ? [] : [name])) {
      await push(client, localReference(reference), blobs, bytes, manifest.mediaType ?? entry.mediaType);
    }
  }
}

function named(names: readonly string[]): readonly string[] {
  if (names.length > 0) return names;
  throw new ClusterError(
    "An image of the archive has no name. Save it by name and tag: docker save <name>:<tag>.",
  );
}

async function push(
  client: RegistryClient,
  { repository, tag }: Reference,
  blobs: readonly Blob[],
  manifest: Buffer,
  mediaType: string,
): Promise<void> {
  await client.push(repository, tag, blobs, manifest, mediaType);
  process.stdout.write(`${registryHost}/${repository}:${tag}@${digestOf(manifest)}\n`);
}
