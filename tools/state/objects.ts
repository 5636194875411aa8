import {
  DeleteObjectCommand,
  GetObjectCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from "@aws-sdk/client-s3";
import { messageOf, UserError } from "../engine/report";
import { clientOptions } from "../history/s3";

export interface Listed {
  /** Below the folder that the objects were opened with. */
  readonly name: string;
  readonly bytes: number;
  readonly modified: Date;
}

/** Objects below a folder of a bucket, of Amazon S3 or of a store that speaks like it. */
export class Objects {
  private readonly client: S3Client;

  /**
   * @param folder empty, or with a slash at its end
   * @param advice what to check when the store refuses something, as a sentence
   */
  constructor(
    config: S3ClientConfig,
    private readonly bucket: string,
    private readonly folder: string,
    private readonly advice: string,
  ) {
    // A remark about the years to come, printed beside the answer.
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
    this.client = new S3Client({ ...config, requestChecksumCalculation: "WHEN_REQUIRED" });
  }

  /** @param url `s3://bucket/folder`, with the parameters that PULUMI_BACKEND_URL may have */
  static at(url: string, below: string, advice: string, env: NodeJS.ProcessEnv): Objects {
    const { hostname, pathname } = new URL(url);
    const folder = pathname.replace(/^\/+|\/+$/g, "");
    return new Objects(
      clientOptions(url, env),
      hostname,
      `${folder === "" ? "" : `${folder}/`}${below}`,
      advice,
    );
  }

  /** @param flat what lies in folders below is left out */
  list(prefix = "", flat = false): Promise<Listed[]> {
    const input = {
      Bucket: this.bucket,
      Prefix: `${this.folder}${prefix}`,
      ...(flat ? { Delimiter: "/" } : {}),
    };
    return this.explained("listed", async () => {
      const found: Listed[] = [];
      for await (const { Contents = [] } of paginateListObjectsV2({ client: this.client }, input)) {
        for (const { Key = "", Size = 0, LastModified = new Date(0) } of Contents)
          found.push({ name: Key.slice(this.folder.length), bytes: Size, modified: LastModified });
      }
      return found;
    });
  }

  read(name: string): Promise<Buffer> {
    return this.explained("read", async () => {
      const { Body } = await this.client.send(new GetObjectCommand(this.named(name)));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    });
  }

  async write(name: string, content: Buffer): Promise<void> {
    const input = { ...this.named(name), Body: content };
    await this.explained("written", () => this.client.send(new PutObjectCommand(input)));
  }

  async remove(name: string): Promise<void> {
    await this.explained("removed", () => this.client.send(new DeleteObjectCommand(this.named(name))));
  }

  /** The address of an object, for people. */
  locate(name: string): string {
    return `s3://${this.bucket}/${this.folder}${name}`;
  }

  private named(name: string): { Bucket: string; Key: string } {
    return { Bucket: this.bucket, Key: `${this.folder}${name}` };
  }

  private async explained<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw new UserError(`The bucket ${this.bucket} cannot be ${what}: ${messageOf(error)}. ${this.advice}`);
    }
  }
}
