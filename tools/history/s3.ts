import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import {
  GetObjectCommand,
  paginateListObjectsV2,
  S3Client,
  type S3ClientConfig,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { describeLock } from "../engine/locks";
import { messageOf, UserError } from "../engine/report";
import { EntryCache } from "./cache";
import { connection } from "./connection";
import { headBytes, readHead, readWhole, type LeftBehind } from "./checkpoint";
import {
  checkpointsById,
  historyFiles,
  historyFolder,
  isCompressed,
  lockFolder,
  stateFile,
  stateFolder,
  uncompressed,
  type HistoryFile,
} from "./names";
import { inParallel } from "./parallel";
import type { HistorySource, StackReference } from "./source";
import { parseUpdate, type Update } from "./update";

/** Requests that are under way at the same time: the connections that the client keeps. */
const atOnce = 50;

/** The history of a state in a bucket of Amazon S3, or of a store that speaks like it. */
export class S3History implements HistorySource {
  private readonly cache: EntryCache;
  private listed: Promise<string[]> | undefined;
  private left: Promise<ReadonlyMap<string, HistoryFile>> | undefined;

  private constructor(
    private readonly client: S3Client,
    private readonly bucket: string,
    /** Folder of the backend's own files in the bucket, with a slash at its end. */
    private readonly bookkeeping: string,
    private readonly stack: StackReference,
    cacheFile: string,
    private readonly isAbandoned: (lock: string) => boolean,
  ) {
    this.cache = new EntryCache(cacheFile);
  }

  /**
   * @param url as PULUMI_BACKEND_URL has it; its parameters are those that the CLI knows
   * @param caches folder for what has been read
   * @param isAbandoned whether a lock, by its ID, is one whose process is gone
   */
  static open(
    url: string,
    stack: StackReference,
    env: NodeJS.ProcessEnv,
    caches: string,
    isAbandoned: (lock: string) => boolean = () => false,
  ): S3History {
    // The client's version is pinned: which Node its next ones will ask for is no news to whoever lists a history.
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
    const { hostname: bucket, pathname } = new URL(url);
    const prefix = pathname.replace(/^\/+|\/+$/g, "");
    const name = createHash("sha256").update(`${url} ${stack.project}/${stack.stack}`).digest("hex");
    return new S3History(
      new S3Client(clientOptions(url, env)),
      bucket,
      `${prefix === "" ? "" : `${prefix}/`}.pulumi/`,
      stack,
      join(caches, `${name.slice(0, 16)}.json`),
      isAbandoned,
    );
  }

  async updates(limit = Infinity): Promise<readonly Update[]> {
    const files = historyFiles(await this.names(), "history");
    const first = Math.max(0, files.length - limit);
    return inParallel(files.slice(first), atOnce, async ({ name, id }, index) =>
      parseUpdate(id, first + index + 1, await this.cache.entry(id, () => this.whole(name))),
    );
  }

  async leftBehind(id: string, whole = false): Promise<LeftBehind | undefined> {
    const file = (await (this.left ??= this.names().then(checkpointsById))).get(id);
    if (file === undefined) return undefined;
    const read = () => this.checkpoint(file.name, historyFolder(this.stack), whole);
    if (whole) return read();
    const text = await this.cache.entry(`${id}.left`, async () => JSON.stringify(await read()));
    return JSON.parse(text) as LeftBehind;
  }

  /** Listed once: what is added to a history meanwhile is of no matter to whoever reads it. */
  private names(): Promise<string[]> {
    return (this.listed ??= this.list(historyFolder(this.stack)));
  }

  async current(): Promise<LeftBehind | undefined> {
    const folder = stateFolder(this.stack);
    const name = stateFile(await this.list(folder), this.stack);
    return name === undefined ? undefined : this.checkpoint(name, folder);
  }

  async lockedBy(): Promise<string | undefined> {
    const folder = lockFolder(this.stack);
    const held = (each: string) => each.endsWith(".json") && !this.isAbandoned(basename(each, ".json"));
    const name = (await this.list(folder)).find(held);
    if (name === undefined) return undefined;
    const place = `s3://${this.bucket}/${this.bookkeeping}${folder}/${name}`;
    return `${describeLock(await this.whole(name, folder))} (${place})`;
  }

  private async checkpoint(name: string, folder: string, whole = false): Promise<LeftBehind> {
    const beginning = `bytes=0-${headBytes - 1}`;
    const head =
      whole || isCompressed(name)
        ? undefined
        : readHead((await this.get(name, folder, beginning)).toString("utf8"));
    return head ?? readWhole(await this.whole(name, folder));
  }

  /** Names of a folder's files. */
  private async list(folder: string): Promise<string[]> {
    const input = { Bucket: this.bucket, Prefix: `${this.bookkeeping}${folder}/` };
    return explained(this.bucket, async () => {
      const names: string[] = [];
      for await (const page of paginateListObjectsV2({ client: this.client }, input)) {
        names.push(...(page.Contents ?? []).map(({ Key }) => basename(Key ?? "")));
      }
      return names;
    });
  }

  private async whole(name: string, folder = historyFolder(this.stack)): Promise<string> {
    return uncompressed(name, await this.get(name, folder));
  }

  private get(name: string, folder: string, range?: string): Promise<Buffer> {
    const key = `${this.bookkeeping}${folder}/${name}`;
    return explained(this.bucket, async () => {
      const command = new GetObjectCommand({ Bucket: this.bucket, Key: key, Range: range });
      const { Body } = await this.client.send(command);
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    });
  }
}

/** What the URL says of the store, in the names that the CLI takes, older ones included. */
export function clientOptions(url: string, env: NodeJS.ProcessEnv): S3ClientConfig {
  const { hostname: bucket, searchParams } = new URL(url);
  const flag = (...names: string[]) => names.some((name) => searchParams.get(name) === "true");
  const given = searchParams.get("endpoint") ?? env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL;
  const profile = searchParams.get("profile") ?? undefined;
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  const scheme = flag("disableSSL", "disable_https") ? "http" : "https";
  const endpoint = given === undefined || given.includes("://") ? given : `${scheme}://${given}`;
  const region = searchParams.get("region") ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? "us-east-1";
  const forcePathStyle = flag("s3ForcePathStyle", "use_path_style", "hostname_immutable");
  const host = new URL(endpoint ?? `https://s3.${region}.amazonaws.com`);
  if (!forcePathStyle) host.hostname = `${bucket}.${host.hostname}`;
  return {
    region,
    profile,
    // Those of the commands' own environment; everything else the client finds by itself.
    ...(accessKeyId && secretAccessKey && profile === undefined
      ? { credentials: { accessKeyId, secretAccessKey, sessionToken: env.AWS_SESSION_TOKEN } }
      : {}),
    endpoint,
    forcePathStyle,
    requestHandler: connection(host, env),
    // Stores other than Amazon's need not know the newer checksums.
    ...(endpoint === undefined ? {} : { responseChecksumValidation: "WHEN_REQUIRED" }),
  };
}

async function explained<T>(bucket: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof UserError) throw error;
    const denied = error instanceof S3ServiceException && error.$metadata.httpStatusCode === 403;
    const advice = denied
      ? "Its credentials have to allow s3:ListBucket and s3:GetObject."
      : "Check PULUMI_BACKEND_URL (bucket, region, endpoint) and the network.";
    throw new UserError(`The bucket ${bucket} with the stack's history: ${messageOf(error)}. ${advice}`);
  }
}
