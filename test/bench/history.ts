import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { openHistory } from "../../tools/history/source";
import { listHistory } from "../../tools/history/list";
import { inParallel } from "../../tools/history/parallel";
import { comparisonFor } from "../../tools/history/secrets";
import { makePlan } from "../../tools/rollback/plan";
import { S3Store } from "../support/s3Store";
import { checkpointText, entryText, idAt } from "../tools/history/support";
import { seconds, table } from "./measure";

const root = resolve(__dirname, "../..");
/** As large as a state of some 130 resources without its longer values. */
const stateBytes = 200_000;
const most = 2;

/** What a long history costs: listing all of it with what each update changed, and finding the state before. */
export async function history(): Promise<void> {
  const store = await S3Store.start();
  const folder = mkdtempSync(join(tmpdir(), "bench-history-"));
  Object.assign(process.env, S3Store.credentials, { PULUMI_CONFIG_PASSPHRASE: "bench" });
  try {
    const rows = [
      ["1,000 updates against 10", "list 10", "list 1,000", "pick of 10", "pick of 1,000", "more"],
    ];
    for (const images of ["released", "built"] as const) {
      const [few, many] = [join(folder, images, "10"), join(folder, images, "1000")];
      write(few, 10, images);
      write(many, 1_000, images);
      rows.push(await compare(`files, images ${images}`, `file://${few}`, `file://${many}`));
      const [fewAway, manyAway] = [store.url(`ten-${images}`), store.url(`thousand-${images}`)];
      await upload(few, store, `ten-${images}`);
      await upload(many, store, `thousand-${images}`);
      rows.push(await compare(`S3, images ${images}, for the first time`, fewAway, manyAway));
      rows.push(await compare(`S3, images ${images}, again`, fewAway, manyAway));
    }
    table(rows);
    console.log(
      `\nto reach: listing and picking together less than ${most} s more. Shared stacks release images by their`,
    );
    console.log("digest; one that was built is looked up in the state that its update left, once.");
  } finally {
    await store.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compare(name: string, few: string, many: string): Promise<string[]> {
  const [a, b] = [await measure(few), await measure(many)];
  const more = b.list + b.pick - a.list - a.pick;
  const verdict = `${seconds(more)}${more < most ? "" : " (too much)"}`;
  return [name, seconds(a.list), seconds(b.list), seconds(a.pick), seconds(b.pick), verdict];
}

async function measure(url: string): Promise<{ list: number; pick: number }> {
  const env = { ...process.env, PULUMI_BACKEND_URL: url };
  const state = { url };
  const open = () => openHistory(root, "local", env);
  const list = await timed(async () => {
    await listHistory(await open(), "technova", undefined, { state, env });
  });
  const pick = await timed(async () => {
    const wanted = { stack: "local", to: "previous", allowDataLoss: false, watchSeconds: 0 };
    const secrets = (provider: Parameters<typeof comparisonFor>[0]) => comparisonFor(provider, state, env);
    const settings = () => ({});
    const plan = await makePlan(wanted, { project: "technova", history: await open(), secrets, settings });
    if (plan === undefined) throw new Error("nothing was picked");
  });
  return { list, pick };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

/** Each update another version of the service, with the state that it left. */
function write(folder: string, count: number, images: "released" | "built"): void {
  const own = join(folder, ".pulumi");
  const files = join(own, "history/technova/local");
  mkdirSync(files, { recursive: true });
  mkdirSync(join(own, "stacks/technova"), { recursive: true });
  for (let number = 1; number <= count; number += 1) {
    writeFileSync(join(files, `local-${idAt(number)}.history.json`), entryText(number, {}, images));
    writeFileSync(join(files, `local-${idAt(number)}.checkpoint.json`), checkpointText(number, stateBytes));
  }
  writeFileSync(join(own, "stacks/technova/local.json"), checkpointText(count, stateBytes));
}

async function upload(folder: string, store: S3Store, bucket: string): Promise<void> {
  const client = new S3Client({ region: "us-east-1", endpoint: store.endpoint, forcePathStyle: true });
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  await inParallel(names, 16, async ({ parentPath, name }) => {
    const path = join(parentPath, name);
    const Key = path.slice(folder.length + 1);
    await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: readFileSync(path) }));
  });
}
