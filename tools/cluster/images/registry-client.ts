import { createReadStream } from "node:fs";
import { request, type IncomingMessage } from "node:http";
import { ClusterError } from "../errors";
import { digestOf, type Blob } from "./layout";

export interface RegistryAddress {
  readonly host: string;
  readonly port: number;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** The part of the registry's HTTP API that a push needs. */
export class RegistryClient {
  constructor(private readonly address: RegistryAddress) {}

  /** Digest under which a tag is known, or undefined when the registry has no such tag. */
  async digest(repository: string, tag: string): Promise<string | undefined> {
    const accept = [
      "application/vnd.oci.image.manifest.v1+json",
      "application/vnd.oci.image.index.v1+json",
      "application/vnd.docker.distribution.manifest.v2+json",
      "application/vnd.docker.distribution.manifest.list.v2+json",
    ].join(", ");
    const answer = await this.send("HEAD", `/v2/${repository}/manifests/${tag}`, { accept });
    const digest = answer.headers["docker-content-digest"];
    return answer.status === 200 && typeof digest === "string" ? digest : undefined;
  }

  async push(
    repository: string,
    tag: string,
    blobs: readonly Blob[],
    manifest: Buffer,
    mediaType: string,
  ): Promise<void> {
    for (const blob of blobs) await this.pushBlob(repository, blob);
    const headers = { "content-type": mediaType, "content-length": String(manifest.length) };
    const path = `/v2/${repository}/manifests/${tag}`;
    const answer = await this.send("PUT", path, headers, (write) => write.end(manifest));
    expect(answer, 201, `store the manifest of ${repository}:${tag}`);
    const stored = answer.headers["docker-content-digest"];
    if (stored !== digestOf(manifest)) {
      throw new ClusterError(
        `The registry stored ${repository}:${tag} as ${String(stored)}, not as it was sent.`,
      );
    }
  }

  private async pushBlob(repository: string, blob: Blob): Promise<void> {
    const existing = await this.send("HEAD", `/v2/${repository}/blobs/${blob.digest}`, {});
    if (existing.status === 200) return;
    const started = await this.send("POST", `/v2/${repository}/blobs/uploads/`, { "content-length": "0" });
    expect(started, 202, `begin an upload to ${repository}`);
    const location = new URL(started.headers.location ?? "", `http://${this.address.host}`);
    location.searchParams.set("digest", blob.digest);
    const headers = { "content-type": "application/octet-stream", "content-length": String(blob.size) };
    const answer = await this.send("PUT", location.pathname + location.search, headers, (write) =>
      createReadStream(blob.path)
        .on("error", (error) => write.destroy(error))
        .pipe(write),
    );
    expect(answer, 201, `upload a layer to ${repository}`);
  }

  private send(
    method: string,
    path: string,
    headers: Record<string, string>,
    body: (write: ReturnType<typeof request>) => void = (write) => write.end(),
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const outgoing = request({ ...this.address, method, path, headers, timeout: 60_000 }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString("utf8"),
          }),
        );
      });
      outgoing.on("timeout", () => outgoing.destroy(new Error("no answer in 60 s")));
      outgoing.on("error", (error) => {
        const { host, port } = this.address;
        reject(new ClusterError(`The registry at ${host}:${port} did not answer: ${error.message}`));
      });
      body(outgoing);
    });
  }
}

function expect(answer: Answer, status: number, what: string): void {
  if (answer.status === status) return;
  throw new ClusterError(`The registry refused to ${what}: ${answer.status} ${answer.body.slice(0, 300)}`);
}
