import { basename } from "node:path";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { messageOf, UserError } from "../engine/report";
import { clientOptions } from "../history/s3";
import type { Store } from "./store";

/** A state in a bucket of Amazon S3, or of a store that speaks like it. */
export class BucketStore implements Store {
  readonly kind = "s3";

  private constructor(
    private readonly client: S3Client,
    private readonly bucket: string,
    private readonly prefix: string,
  ) {}

  /** @param url as PULUMI_BACKEND_URL has it */
  static open(url: string, env: NodeJS.ProcessEnv): BucketStore {
    // A remark about the years to come, printed beside the answer.
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
    const { hostname, pathname } = new URL(url);
    const folder = pathname.replace(/^\/+|\/+$/g, "");
    const client = new S3Client({ ...clientOptions(url, env), requestChecksumCalculation: "WHEN_REQUIRED" });
    return new BucketStore(client, hostname, `${folder === "" ? "" : `${folder}/`}.pulumi/`);
  }

  list(folder: string): Promise<string[]> {
    const prefix = `${this.prefix}${folder}/`;
    const input = { Bucket: this.bucket, Prefix: prefix, Delimiter: "/" };
    return this.explained("listed", async () => {
      const names: string[] = [];
      for await (const page of paginateListObjectsV2({ client: this.client }, input))
        names.push(...(page.Contents ?? []).map(({ Key }) => basename(Key ?? "")));
      return names;
    });
  }

  read(path: string): Promise<Buffer> {
    return this.explained("read", async () => {
      const { Body } = await this.client.send(new GetObjectCommand(this.at(path)));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    });
  }

  async write(path: string, content: Buffer): Promise<void> {
    await this.explained("written", () =>
      this.client.send(new PutObjectCommand({ ...this.at(path), Body: content })),
    );
  }

  async remove(path: string): Promise<void> {
    await this.explained("removed", () => this.client.send(new DeleteObjectCommand(this.at(path))));
  }

  private at(path: string): { Bucket: string; Key: string } {
    return { Bucket: this.bucket, Key: `${this.prefix}${path}` };
  }

  private async explained<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw new UserError(
        `The bucket ${this.bucket} cannot be ${what}: ${messageOf(error)}. Check PULUMI_BACKEND_URL, and that ` +
          "the credentials allow s3:ListBucket, s3:GetObject, and for restore s3:PutObject and s3:DeleteObject.",
      );
    }
  }
}
