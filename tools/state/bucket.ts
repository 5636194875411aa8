import { basename } from "node:path";
import { Objects } from "./objects";
import type { Store } from "./store";

const advice =
  "Check PULUMI_BACKEND_URL, and that the credentials allow s3:ListBucket, s3:GetObject, and for restore " +
  "s3:PutObject and s3:DeleteObject.";

/** A state in a bucket of Amazon S3, or of a store that speaks like it. */
export class BucketStore implements Store {
  readonly kind = "s3";

  private constructor(
    readonly url: string,
    private readonly objects: Objects,
  ) {}

  /** @param url as PULUMI_BACKEND_URL has it */
  static open(url: string, env: NodeJS.ProcessEnv): BucketStore {
    return new BucketStore(url, Objects.at(url, ".pulumi/", advice, env));
  }

  async list(folder: string): Promise<string[]> {
    return (await this.objects.list(`${folder}/`, true)).map(({ name }) => basename(name));
  }

  read(path: string): Promise<Buffer> {
    return this.objects.read(path);
  }

  write(path: string, content: Buffer): Promise<void> {
    return this.objects.write(path, content);
  }

  remove(path: string): Promise<void> {
    return this.objects.remove(path);
  }

  locate(path: string): string {
    return this.objects.locate(path);
  }
}
